"""A computing unit is given up: it gets nothing more, and what runs there is ended. Its stack and buckets stay."""

from __future__ import annotations

from dataclasses import replace

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction
from cloudmr.model.events import JobAction
from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.units import managed_unit


def remove_unit(brain: Brain, caller: Caller, unit_id: str, *, cancels_jobs: bool = False) -> ComputingUnit:
    """Give up a unit and return it as it was.

    With jobs in flight it is refused (`unit_in_use`) unless `cancels_jobs`; they then end as cancelled jobs do, when
    nothing of them runs any more. Nothing is removed in the unit's account. Raises `NotFound`, `NotAllowed`, and
    `Conflict` (`unit_built_in`) for the Brain's own machine.
    """
    with brain.database.write() as transaction:
        unit = managed_unit(transaction, caller, unit_id)
        if unit.is_this_machine:
            raise Conflict(
                "This is CloudMR Brain's own machine, which comes with it.",
                "Choose another default unit if data and jobs should go elsewhere.",
                code="unit_built_in",
            )
        job_ids = transaction.jobs.open_at(unit.id)
        if job_ids and not cancels_jobs:
            raise Conflict(
                f"There are jobs of this unit that have not ended: {len(job_ids)}.",
                "Wait for the end, or have them cancelled with the unit (`--cancel-jobs`, `cancel_jobs=true`).",
                code="unit_in_use",
            )
        for job_id in job_ids:
            _cancel(brain, transaction, caller, job_id)
        removed = replace(unit, removed_at=brain.now(), is_default=False)
        transaction.units.replace(removed)
        audit(brain, transaction, caller, AuditAction.UNIT_REMOVED, target=unit.id)
    brain.check_alarm.set()
    return unit


def _cancel(brain: Brain, transaction: Transaction, caller: Caller, job_id: str) -> None:
    job = transaction.jobs.get(job_id, for_change=True)
    if job is None or job.has_ended or job.cancel_requested_at is not None:
        return
    after = job.evolve(cancel_requested_at=brain.now(), check_at=brain.now())
    reason = "Its computing unit was removed."
    write_change(brain, transaction, job, after, JobAction.CANCEL_REQUESTED, reason=reason, actor=caller.id)
