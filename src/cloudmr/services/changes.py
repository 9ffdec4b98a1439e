"""Writing a change of a job: its next version and the event that made it, together, if nobody was faster."""

from __future__ import annotations

import logging

from cloudmr.database.base import Transaction
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.jobs import Job, JobState
from cloudmr.services.brain import Brain
from cloudmr.services.notifications import announce_end

_log = logging.getLogger(__name__)


def write_change(
    brain: Brain, transaction: Transaction, before: Job, after: Job, action: JobAction, *, reason: str, actor: str
) -> bool:
    """Write `after` in place of `before` and tell whether that was still what the job was."""
    is_step = before.state is not after.state
    event = JobEvent(
        job_id=after.id,
        number=after.version,
        at=brain.now(),
        actor=actor,
        action=action,
        reason=reason,
        old=before.state if is_step else None,
        new=after.state if is_step else None,
    )
    if not transaction.jobs.apply(before, after, event):
        return False
    _count(brain, before, after)
    if after.has_ended and not before.has_ended:
        announce_end(brain, transaction, after)
        brain.outbox_alarm.set()
    _log.info("%s %s by %s: %s", after.id, action, actor, reason)
    return True


def _count(brain: Brain, before: Job, after: Job) -> None:
    if before.state is JobState.QUEUED and after.state is JobState.DISPATCHED and after.attempt == 1:
        brain.metrics.job_dispatched(waited_s=(brain.now() - after.created_at).total_seconds())
    elif after.has_ended and not before.has_ended:
        brain.metrics.job_ended(after.state)
