"""The way to units in AWS accounts, put together: `cloudmr.wiring` takes it where boto3 is installed."""

from __future__ import annotations

from cloudmr.aws.sessions import RoleAccess, Sessions
from cloudmr.aws.unit import AwsUnit
from cloudmr.compute.step_functions import StepFunctionsCompute
from cloudmr.model.units import ComputingUnit, Mode
from cloudmr.probes.aws import AwsProbe
from cloudmr.services.brain import UnitLink
from cloudmr.storage.s3 import S3Storage


class AwsUnits:
    """Links to units; their sessions in the accounts are shared by all threads of the Brain."""

    def __init__(self, *, public_url: str) -> None:
        self._public_url = public_url
        self._sessions = Sessions()
        self._origins: dict[tuple[str, str], str] = {}

    def connect(self, unit: ComputingUnit) -> UnitLink:
        """Return the way to a unit; nobody is asked yet. Raise `UnitUnavailable` for one that is not in AWS."""
        place = AwsUnit.of(unit)
        access = RoleAccess(self._sessions, place)
        return UnitLink(
            storage=S3Storage(access, place.buckets),
            compute=StepFunctionsCompute(access, place),
            probe=AwsProbe(
                self._sessions,
                place,
                page_url=self._public_url,
                image_uri=unit.image_uri,
                may_delete=unit.mode is Mode.MODE_1,
            ),
            brain_url=self._public_url,
            storage_origins=frozenset(self._origin(place.region, name) for name in place.buckets.values()),
        )

    def _origin(self, region: str, bucket_name: str) -> str:
        key = (region, bucket_name)
        if key not in self._origins:
            self._origins[key] = self._sessions.workshop.bucket_origin(region, bucket_name)
        return self._origins[key]
