"""A person removes a job that has ended, and brings it back, or what it left."""

from __future__ import annotations

from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction
from cloudmr.model.events import JobAction
from cloudmr.model.people import Caller
from cloudmr.model.retention import results_expire_at
from cloudmr.model.units import Mode
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.ownership import own_job_or_deleted, unit_of
from cloudmr.services.views import JobView


def delete_job(brain: Brain, caller: Caller, job_id: str) -> JobView:
    """Hide a job that has ended, and return it; safe to repeat.

    For a while it can be brought back; then what it left is removed. In the caller's own unit (mode 2) what it left
    stays, since only the bucket's rules or its owner remove it: there the record alone is hidden.

    Raises `NotFound`, `Conflict` (`job_not_ended`).
    """
    now = brain.now()
    with brain.database.write() as transaction:
        before = own_job_or_deleted(transaction, caller, job_id)
        unit = unit_of(transaction, before)
        if before.deleted_at is not None:
            return JobView(job=before, unit=unit)
        if not before.has_ended:
            raise Conflict(
                f"The job is {before.state}; only what has ended can be deleted.",
                "Cancel it first, or wait for its end.",
                code="job_not_ended",
            )
        purge_after = now + brain.limits.undo
        after = before.evolve(deleted_at=now, purge_after=purge_after)
        kept = "what it left stays in its computing unit" if unit.mode is Mode.MODE_2 else "then what it left goes, too"
        reason = f"Its owner deleted it. It can be brought back until {purge_after:%Y-%m-%d %H:%M} UTC; {kept}."
        write_change(brain, transaction, before, after, JobAction.DELETED, reason=reason, actor=caller.id)
        transaction.shares.revoke(job_id, None, at=now)
        audit(brain, transaction, caller, AuditAction.JOB_DELETED, target=job_id)
    return JobView(job=after, unit=unit)


def restore_job(brain: Brain, caller: Caller, job_id: str) -> JobView:
    """Bring back a job that was deleted, or what a job left whose time is up, and return it; safe to repeat.

    What it left is kept anew. Shares that ended with it stay ended. Raises `NotFound`, `Conflict` (`job_purged`).
    """
    now = brain.now()
    with brain.database.write() as transaction:
        before = own_job_or_deleted(transaction, caller, job_id)
        unit = unit_of(transaction, before)
        if before.deleted_at is None and before.purge_after is None:
            return JobView(job=before, unit=unit)
        if before.purged_at is not None or (before.purge_after is not None and now >= before.purge_after):
            raise Conflict("What the job left was removed for good.", "Run it again.", code="job_purged")
        after = before.evolve(
            deleted_at=None, purge_after=None, expires_at=results_expire_at(before, now=now, limits=brain.limits)
        )
        reason = "Its owner brought it back."
        write_change(brain, transaction, before, after, JobAction.RESTORED, reason=reason, actor=caller.id)
        audit(brain, transaction, caller, AuditAction.JOB_RESTORED, target=job_id)
    return JobView(job=after, unit=unit)
