"""A person no longer wants a job."""

from __future__ import annotations

from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.ownership import own_job
from cloudmr.services.settle_job import settle_job


def cancel_job(brain: Brain, caller: Caller, job_id: str) -> Job:
    """Ask for a job's end and return it; it is cancelled when nothing of it runs any more.

    Safe to repeat. Raises `NotFound`, `Conflict` (`job_ended`) for a job that has ended otherwise.
    """
    with brain.database.write() as transaction:
        before = own_job(transaction, caller, job_id, for_change=True)
        if not before.has_ended and before.cancel_requested_at is None:
            after = before.evolve(cancel_requested_at=brain.now(), check_at=brain.now())
            write_change(
                brain,
                transaction,
                before,
                after,
                JobAction.CANCEL_REQUESTED,
                reason="Its owner asked for its end.",
                actor=caller.id,
            )
            audit(brain, transaction, caller, AuditAction.JOB_CANCELLED, target=job_id)
    if before.has_ended and before.cancel_requested_at is None:
        raise Conflict(f"The job has ended already: {before.state}.", "There is nothing to cancel.", code="job_ended")
    return settle_job(brain, job_id, actor=caller.id)
