"""Jobs get their turn, and are given to their units."""

from __future__ import annotations

import logging
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import UnitUnavailable
from cloudmr.model.events import BRAIN, JobAction
from cloudmr.model.fair_share import next_turns
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.attempts import execution_request
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.queue_places import room_at

_log = logging.getLogger(__name__)
_ILL = frozenset({UnitStatus.UNVERIFIED, UnitStatus.UNWELL, UnitStatus.GONE})
"""A job waits until its unit is well (again); it never goes to another one by itself."""
_FIRST_LOOK = timedelta(seconds=10)


def dispatch_jobs(brain: Brain) -> int:
    """Start every job whose turn it is; return how many.

    A job is marked as dispatched, with its new attempt, before its unit is told: whatever ends the Brain between the
    two, the reconciler finds the mark, asks the unit, and tells it again under the same name.
    """
    n_started = 0
    with brain.database.read() as transaction:
        unit_ids = transaction.jobs.units_with_queue()
        units = transaction.units.by_ids(unit_ids) if unit_ids else []
        doubted = transaction.unit_care.doubted(unit_ids) if unit_ids else set()
        rooms = {unit.id: room_at(brain, transaction, unit) for unit in units}
    _remember_full(brain, {unit_id for unit_id, room in rooms.items() if room.is_full})
    for unit in units:
        if unit.status in _ILL or unit.id in doubted:
            _explain(brain, unit)
        elif rooms[unit.id].is_left:
            n_started += _start_those(brain, unit)
    return n_started


def _remember_full(brain: Brain, unit_ids: set[str]) -> None:
    # Only where a place is left does a new job have to be looked at at once; a round comes every second anyway.
    brain.full_units.intersection_update(unit_ids)
    brain.full_units.update(unit_ids)


def _explain(brain: Brain, unit: ComputingUnit) -> None:
    why = f" {unit.status_reason}" if unit.status_reason else ""
    state = "in doubt, since it did not answer" if unit.status is UnitStatus.READY else unit.status
    reason = f"The computing unit {unit.alias} is {state}; the job waits until it is ready.{why}"
    with brain.database.write() as transaction:
        transaction.jobs.explain_waiting(unit.id, reason)


def _start_those(brain: Brain, unit: ComputingUnit) -> int:
    """Start the jobs whose turn it is at a unit; return how many."""
    # Asked once more, in the transaction that marks them: another Brain gives turns at the same moment.
    with brain.database.write() as transaction:
        marked = [_mark(brain, transaction, job_id) for job_id in _turns(brain, transaction, unit)]
    jobs = [job for job in marked if job is not None]
    for job in jobs:
        _start_or_leave(brain, job, unit)
    return len(jobs)


def _turns(brain: Brain, transaction: Transaction, unit: ComputingUnit) -> list[str]:
    room = room_at(brain, transaction, unit)
    if not room.is_left:
        return []
    queue = transaction.jobs.queue(unit.id)
    return [waiting.job_id for waiting in next_turns(queue, room.use, n_slots=room.n_slots, n_each=room.n_each)]


def give_turn(brain: Brain, job_id: str, unit: ComputingUnit) -> bool:
    """Start a job, whoever else waits and however its unit is; tell whether it was there to be started."""
    with brain.database.write() as transaction:
        job = _mark(brain, transaction, job_id)
    if job is None:
        return False
    _start_or_leave(brain, job, unit)
    return True


def _mark(brain: Brain, transaction: Transaction, job_id: str) -> Job | None:
    now = brain.now()
    before = transaction.jobs.get(job_id, for_change=True)
    if before is None or before.state is not JobState.QUEUED or before.cancel_requested_at is not None:
        return None
    after = before.becomes(
        JobState.DISPATCHED,
        attempt=before.attempt + 1,
        dispatched_at=now,
        deadline_at=now + timedelta(seconds=before.estimate.deadline_s),
        check_at=now + _FIRST_LOOK,
        waiting_reason=None,
    )
    is_written = write_change(
        brain, transaction, before, after, JobAction.DISPATCHED, reason="Its turn has come.", actor=BRAIN
    )
    return after if is_written else None


def _start_or_leave(brain: Brain, job: Job, unit: ComputingUnit) -> None:
    try:
        _start(brain, job, unit)
    except Exception:
        # Whatever is wrong with this one, the others have their turn; the reconciler comes back to it.
        _log.exception("%s could not be started", job.execution_name)


def _start(brain: Brain, job: Job, unit: ComputingUnit) -> None:
    try:
        link = brain.connect(unit)
        link.compute.start(execution_request(brain, link, job))
    except UnitUnavailable as error:
        # The start may have arrived all the same, so the attempt stays as it is and the reconciler asks the unit.
        _log.warning("%s: the unit could not be told to start it: %s", job.execution_name, error.message)
        with brain.database.write() as transaction:
            reason = f"The computing unit does not answer. {error.message}"
            transaction.jobs.note(job, check_at=job.check_at, waiting_reason=reason, claimed_at=None)
            transaction.unit_care.doubt(unit.id, now=brain.now())
        brain.unit_alarm.set()
