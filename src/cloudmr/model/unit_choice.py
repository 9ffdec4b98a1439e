"""Which computing unit a person's data go to, and a job therefore runs on: a decision with its reason.

What was asked for by id comes first, then by mode, then the place where the data already are, then the person's default
unit, then mode 1. A job runs where its data are; nothing is copied between units, and a unit that is ill is never
silently replaced by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudmr.errors import Conflict, InvalidRequest, NotFound
from cloudmr.model.units import ComputingUnit, Mode, UnitStatus


@dataclass(frozen=True, kw_only=True)
class UnitChoice:
    """The unit, and why it is that one."""

    unit: ComputingUnit
    reason: str


def choose_unit(
    open_units: Sequence[ComputingUnit],
    *,
    unit_id: str | None = None,
    mode: Mode | None = None,
    data_unit_ids: frozenset[str] = frozenset(),
) -> UnitChoice:
    """Choose among the units that are open to a person.

    Raises `NotFound` for an id that is not among them, `InvalidRequest` where id and mode contradict each other, and
    `Conflict` (`no_such_unit`, `data_in_other_unit`, `unit_gone`) where no unit can be chosen.
    """
    if len(data_unit_ids) > 1:
        raise Conflict(
            f"The data files lie in {len(data_unit_ids)} different computing units.",
            "Upload them all to one unit; nothing is copied between units.",
            code="data_in_other_unit",
        )
    choice = _wanted(open_units, unit_id=unit_id, mode=mode, data_unit_ids=data_unit_ids)
    if data_unit_ids and choice.unit.id not in data_unit_ids:
        raise Conflict(
            f"The data lie in another computing unit than the one asked for ({choice.unit.alias}).",
            "Run the job where the data are, or upload the data to this unit; nothing is copied between units.",
            code="data_in_other_unit",
        )
    if choice.unit.status is UnitStatus.GONE:
        raise Conflict(
            f"The computing unit {choice.unit.alias} is no longer there.",
            "Choose another unit, or deploy this one again.",
            code="unit_gone",
        )
    return choice


def _wanted(
    open_units: Sequence[ComputingUnit], *, unit_id: str | None, mode: Mode | None, data_unit_ids: frozenset[str]
) -> UnitChoice:
    if unit_id is not None:
        unit = next((unit for unit in open_units if unit.id == unit_id), None)
        if unit is None:
            raise NotFound("computing unit")
        if mode is not None and unit.mode is not mode:
            raise InvalidRequest(
                f"The computing unit asked for is of {unit.mode}, the mode asked for is {mode}.",
                "Leave one of the two out.",
            )
        return UnitChoice(unit=unit, reason="It was asked for.")

    candidates = [unit for unit in open_units if mode is None or unit.mode is mode]
    if not candidates:
        raise Conflict(
            f"You have no computing unit of {mode}." if mode else "There is no computing unit.",
            "Set one up; docs/MODE2-QUICK-START.md is a two-minute read.",
            code="no_such_unit",
        )
    asked = f"{mode} was asked for; " if mode else ""
    for reason, matching in (
        ("the data are there", [unit for unit in candidates if unit.id in data_unit_ids]),
        ("it is your default unit", [unit for unit in candidates if unit.owner_id is not None and unit.is_default]),
        ("it is the shared unit", [unit for unit in candidates if unit.mode is Mode.MODE_1]),
        ("it is your oldest unit", sorted(candidates, key=lambda unit: unit.created_at)),
    ):
        alive = [unit for unit in matching if unit.status is not UnitStatus.GONE] or matching
        if alive:
            sentence = asked + reason
            return UnitChoice(unit=alive[0], reason=f"{sentence[0].upper()}{sentence[1:]}.")
    raise AssertionError("the last rule matches every candidate")
