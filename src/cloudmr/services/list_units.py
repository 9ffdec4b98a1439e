"""The computing units a person may use."""

from __future__ import annotations

from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit
from cloudmr.services.brain import Brain


def list_units(brain: Brain, caller: Caller, *, app_name: str | None) -> list[ComputingUnit]:
    """Return the units open to a person, of one application or of all, the shared ones first."""
    with brain.database.read() as transaction:
        return transaction.units.open_to(caller.id, app_name=app_name)
