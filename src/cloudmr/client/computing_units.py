"""What a person asks of a Brain about computing units, beyond the list of them."""

from __future__ import annotations

from cloudmr.client.answers import ComputingUnit, Nothing
from cloudmr.client.connection import Connection
from cloudmr.client.unit_answers import Permission, PermissionList, PreparedUnit, RegisteredUnit, UnitCheck
from cloudmr.model.registration import Registration


class ComputingUnits:
    """Units; every method raises as those of `BrainClient` do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, unit_id: str) -> ComputingUnit:
        """Return one unit."""
        return self._connection.ask(ComputingUnit, "GET", _path(unit_id))

    def rename(self, unit_id: str, *, alias: str) -> ComputingUnit:
        """Call a unit something else."""
        return self._connection.ask(ComputingUnit, "PATCH", _path(unit_id), body={"alias": alias})

    def choose_default(self, unit_id: str) -> ComputingUnit:
        """Have data and jobs go to a unit unless they say otherwise."""
        return self._connection.ask(ComputingUnit, "POST", f"{_path(unit_id)}/default", is_repeatable=True)

    def findings(self, unit_id: str) -> UnitCheck:
        """Return what was found the last time somebody looked."""
        return self._connection.ask(UnitCheck, "GET", f"{_path(unit_id)}/check")

    def check(self, unit_id: str, *, known_answer: bool = False) -> UnitCheck:
        """Have a unit looked at now; with `known_answer` it is given a small job whose numbers are known."""
        body = {"knownAnswer": known_answer}
        return self._connection.ask(UnitCheck, "POST", f"{_path(unit_id)}/check", body=body, is_repeatable=True)

    def permissions(self, unit_id: str) -> tuple[Permission, ...]:
        """Return what CloudMR Brain can do in a unit, as declared and as measured now."""
        return self._connection.ask(PermissionList, "GET", f"{_path(unit_id)}/permissions").permissions

    def remove(self, unit_id: str, *, cancel_jobs: bool = False) -> None:
        """Give up a unit; with `cancel_jobs` those of its jobs are cancelled that have not ended."""
        query = {"cancel_jobs": "true"} if cancel_jobs else {}
        self._connection.ask(Nothing, "DELETE", _path(unit_id), query=query)

    def prepare(self, *, aws_account_id: str, region: str, image_tag: str = "latest") -> PreparedUnit:
        """Announce a unit in an AWS account; said again within a day, it is the same unit."""
        body = {"awsAccountId": aws_account_id, "region": region, "imageTag": image_tag}
        return self._connection.ask(PreparedUnit, "POST", "/api/computing-unit/prepare", body=body, is_repeatable=True)

    def register(self, registration: Registration) -> RegisteredUnit:
        """Register an announced unit; said again, it is the same unit."""
        body = {name: value for name, value in vars(registration).items() if name != "unit_id"}
        return self._connection.ask(
            RegisteredUnit,
            "POST",
            "/api/computing-unit/register",
            body=body | {"computing_unit_id": registration.unit_id},
            is_repeatable=True,
        )


def _path(unit_id: str) -> str:
    return f"/api/computing-unit/{unit_id}"
