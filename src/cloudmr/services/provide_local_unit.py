"""The shared computing unit that every Brain on one machine comes with: the machine itself.

A database has at most one. Several Brains on one machine share it, as they share their home; a Brain elsewhere could
neither read its files nor follow its processes, so it is refused, or runs without (see docs/decisions/0008).
"""

from __future__ import annotations

from datetime import timedelta

from cloudmr.errors import Conflict
from cloudmr.model.ids import Kind
from cloudmr.model.unit_health import Care
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.services.brain import Brain
from cloudmr.storage.base import Bucket

_FIRST_LOOK = timedelta(minutes=1)
_FIRST_PROOF = timedelta(hours=1)
"""Not as a Brain starts, when there is other work to do."""


def provide_local_unit(brain: Brain, *, unit_id: str | None = None) -> ComputingUnit:
    """Return the unit of this machine; it is made the first time.

    `unit_id` is the one that belongs to this Brain's home, None where whoever has the database has the home. Raises
    `Conflict` (`unit_of_another_home`).
    """
    with brain.database.write() as transaction:
        unit = transaction.units.on_this_machine()
        if unit is None:
            unit = ComputingUnit(
                id=unit_id or brain.new_id(Kind.UNIT),
                owner_id=None,
                app_name=APP_NAME,
                mode=Mode.MODE_1,
                provider=Provider.CLOUDMRHUB,
                alias="CloudMR Brain's own machine",
                status=UnitStatus.READY,
                is_default=False,
                data_bucket=Bucket.DATA.value,
                results_bucket=Bucket.RESULTS.value,
                failed_bucket=Bucket.FAILED.value,
                created_at=brain.now(),
            )
            transaction.units.add(unit)
        if unit_id is not None and unit.id != unit_id:
            raise Conflict(
                "The database belongs to Brains with another home, whose computing unit this one cannot reach.",
                "Set CLOUDMR_HOME to their home, on the same machine; or run every Brain with CLOUDMR_LOCAL_UNIT=off.",
                code="unit_of_another_home",
            )
        if transaction.unit_care.get(unit.id) is None:
            now = brain.now()
            care = Care(unit_id=unit.id, check_at=now + _FIRST_LOOK, known_answer_at=now + _FIRST_PROOF)
            transaction.unit_care.put(care)
        return unit
