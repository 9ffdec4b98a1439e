"""The shared computing unit that every Brain on one machine comes with: the machine itself."""

from __future__ import annotations

from cloudmr.model.ids import Kind
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.services.brain import Brain
from cloudmr.storage.base import Bucket


def provide_local_unit(brain: Brain) -> ComputingUnit:
    """Return the unit of this machine; it is made the first time."""
    with brain.database.write() as transaction:
        unit = transaction.units.on_this_machine()
        if unit is None:
            unit = ComputingUnit(
                id=brain.new_id(Kind.UNIT),
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
        return unit
