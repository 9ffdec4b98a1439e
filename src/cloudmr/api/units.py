"""/api/computing-unit: where data lie and jobs run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from cloudmr.api.access import Reader, TheBrain
from cloudmr.api.bodies import CamelBody
from cloudmr.model.units import ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.services.list_units import list_units

router = APIRouter(prefix="/api/computing-unit", tags=["computing units"])


class UnitAnswer(CamelBody):
    """A computing unit. The fields of an AWS account are null for a unit on the Brain's own machine."""

    computing_unit_id: str
    app_name: str
    mode: Mode
    provider: Provider
    alias: str
    status: UnitStatus
    is_default: bool
    aws_account_id: str | None
    region: str | None
    state_machine_arn: str | None
    data_bucket: str
    results_bucket: str
    failed_bucket: str
    created_at: datetime
    last_checked_at: datetime | None

    @classmethod
    def of(cls, unit: ComputingUnit) -> UnitAnswer:
        """Return a unit as JSON has it."""
        shown = {name: value for name, value in vars(unit).items() if name in cls.model_fields}
        return cls(computing_unit_id=unit.id, **shown)


class UnitList(CamelBody):
    """The units open to whoever asks, the shared ones first."""

    computing_units: list[UnitAnswer]


@router.get("/list")
def list_computing_units(
    caller: Reader,
    brain: TheBrain,
    app_name: Annotated[str | None, Query(max_length=64, description="only units of this application")] = None,
) -> UnitList:
    """List the computing units that the caller may use."""
    units = list_units(brain, caller, app_name=app_name)
    return UnitList(computing_units=[UnitAnswer.of(unit) for unit in units])
