"""What was kept for its time in the shared unit is taken away; for a while its owner can bring it back."""

from __future__ import annotations

from dataclasses import replace

from cloudmr.model.data_files import DataState
from cloudmr.model.events import BRAIN, JobAction
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change

_AT_ONCE = 100


def expire(brain: Brain) -> int:
    """Take away data files and results whose time is up; return how many. A file that an open job reads is left."""
    n_expired = 0
    while n_taken := _expire_files(brain) + _expire_results(brain):
        n_expired += n_taken
    return n_expired


def _expire_files(brain: Brain) -> int:
    now = brain.now()
    with brain.database.write() as transaction:
        due = transaction.data_files.to_expire(now=now, limit=_AT_ONCE)
        for file in due:
            gone = replace(file, state=DataState.DELETED, deleted_at=now, purge_after=now + brain.limits.undo)
            transaction.data_files.replace(file, gone)
    return len(due)


def _expire_results(brain: Brain) -> int:
    now = brain.now()
    with brain.database.write() as transaction:
        due = transaction.jobs.to_expire(now=now, limit=_AT_ONCE)
        for job in due:
            after = job.evolve(purge_after=now + brain.limits.undo)
            reason = f"The time of what it left is up; it can be brought back until {after.purge_after:%Y-%m-%d}."
            write_change(brain, transaction, job, after, JobAction.EXPIRED, reason=reason, actor=BRAIN)
    return len(due)
