"""What to do about a job, decided from what is known: nothing here looks or writes.

| the unit says        | and                              | the job                                     |
|----------------------|----------------------------------|---------------------------------------------|
| nothing              | the deadline is long past        | timed out; before that it waits             |
| never heard of it    | it was about to start            | is started again, under the same name       |
| never heard of it    | it was running                   | is tried once more                          |
| running              | cancelled, or past its deadline  | is told to stop, and asked about again      |
| running              |                                  | runs                                        |
| it ended             | a complete package is there      | succeeded, whatever else is said            |
| it ended             | a cancel was asked for           | cancelled                                   |
| it ended             | the worker says why              | failed, for that reason                     |
| it ended             | its time was up                  | timed out                                   |
| it ended             | it ran out of the most memory there is    | failed, for that cause         |
| it ended             | the worker died of no fault of the task's | is tried once more             |
| it ended             | there was no machine for it      | waits for one, as long as for its turn      |
| it ended             | otherwise                        | failed, for the cause the unit names        |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudmr.compute.base import ExecutionState
from cloudmr.model.estimates import after_running_out
from cloudmr.model.failures import NO_CAPACITY, RETRIED_CAUSES, JobFailure, failure_by_cause
from cloudmr.model.jobs import MAX_ATTEMPTS, Job, JobResult, JobState
from cloudmr.model.limits import Limits
from cloudmr.services.observe import Observation

CLAIM_PATIENCE = timedelta(seconds=60)
"""A claim may come before the unit itself says so; for so long the unit is asked again soon."""
_SOON = timedelta(seconds=2)
_UNCONFIRMED = "It was cancelled; the computing unit never confirmed its end."


@dataclass(frozen=True, kw_only=True)
class End:
    """The job has come to its end."""

    state: JobState
    reason: str
    failure: JobFailure | None = None
    result: JobResult | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The attempt came to nothing; the job goes back to the queue, with more memory if it ran out of it."""

    cause: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """The unit is told (again) to start the attempt."""

    check_at: datetime


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The unit is told (again) to stop the attempt."""

    check_at: datetime


@dataclass(frozen=True, kw_only=True)
class Run:
    """The unit works at it, which is news."""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing is to be done until the next look."""

    check_at: datetime
    reason: str | None = None


Verdict = End | Retry | Start | Stop | Run | Wait


def decide_queued(job: Job, *, now: datetime) -> Verdict:
    """Decide about a job that waits for its turn."""
    if job.cancel_requested_at is not None:
        return End(state=JobState.CANCELLED, reason="It was cancelled before its turn.")
    if now >= job.deadline_at:
        return _timed_out("not_started", job.waiting_reason)
    return Wait(check_at=job.deadline_at, reason=job.waiting_reason)


def decide_silent(job: Job, *, silence: str, now: datetime, limits: Limits) -> Verdict:
    """Decide about a job whose unit does not answer; `silence` is the unit's error in words."""
    if job.cancel_requested_at is not None and now >= job.cancel_requested_at + limits.silence:
        return End(state=JobState.CANCELLED, reason=_UNCONFIRMED)
    if now >= job.deadline_at + limits.silence:
        return _timed_out("unit_silent", silence)
    return Wait(check_at=now + limits.check_period, reason=f"The computing unit does not answer. {silence}")


def decide_observed(job: Job, seen: Observation, *, now: datetime, limits: Limits) -> Verdict:
    """Decide about a job that was given to its unit, from what was seen there."""
    if seen.execution.state is ExecutionState.RUNNING:
        return _of_running(job, now=now, limits=limits)
    if seen.result is not None:
        return End(state=JobState.SUCCEEDED, reason="Its results are complete.", result=seen.result)
    if job.cancel_requested_at is not None:
        return End(state=JobState.CANCELLED, reason="It was cancelled.")
    if seen.execution.state is ExecutionState.UNKNOWN and job.state is JobState.DISPATCHED:
        if now >= job.deadline_at:
            return _timed_out("not_started", job.waiting_reason)
        return Start(check_at=now + limits.check_period)
    return _of_ended(job, seen, now=now, limits=limits)


def _of_running(job: Job, *, now: datetime, limits: Limits) -> Verdict:
    if job.cancel_requested_at is not None:
        if now >= job.cancel_requested_at + limits.silence:
            return End(state=JobState.CANCELLED, reason=_UNCONFIRMED)
        return Stop(check_at=now + _SOON)
    if now >= job.deadline_at:
        if now >= job.deadline_at + limits.silence:
            return _timed_out("unit_silent", None)
        return Stop(check_at=now + _SOON)
    if job.state is JobState.DISPATCHED:
        return Run()
    is_claimed = job.claimed_at is not None and now < job.claimed_at + CLAIM_PATIENCE
    return Wait(check_at=min(now + (_SOON if is_claimed else limits.check_period), job.deadline_at))


def _of_ended(job: Job, seen: Observation, *, now: datetime, limits: Limits) -> Verdict:
    cause, detail = _cause(seen), seen.execution.detail
    is_stopped = seen.execution.state is ExecutionState.STOPPED
    if seen.execution.state is ExecutionState.TIMED_OUT or (is_stopped and now >= job.deadline_at):
        return _timed_out("deadline", detail)
    if cause == NO_CAPACITY and seen.failure is None and now < turn_by(job, limits):
        return Retry(cause=cause, reason=f"{failure_by_cause(cause, detail).message} It waits for one.")
    n_attempts = job.attempt - job.n_unstarted
    if cause in RETRIED_CAUSES and n_attempts < MAX_ATTEMPTS and not _is_at_most_memory(job, cause, limits):
        return Retry(cause=cause, reason=f"{failure_by_cause(cause, detail).message} It gets one more attempt.")
    failure = seen.failure or failure_by_cause(cause, detail)
    return End(state=JobState.FAILED, reason=failure.message, failure=failure)


def turn_by(job: Job, limits: Limits) -> datetime:
    """Return until when a job may wait for a machine."""
    return job.turn_by or job.created_at + limits.queue_wait


def _is_at_most_memory(job: Job, cause: str, limits: Limits) -> bool:
    """Tell whether a job ran out of the most memory that there is, and would do so again."""
    present = (job.platform, job.estimate)
    more = after_running_out(*present, most_local_bytes=limits.most_memory_bytes)
    return cause == "out_of_memory" and more == present


def _cause(seen: Observation) -> str:
    if seen.failure is not None:
        return seen.failure.code
    match seen.execution.state:
        case ExecutionState.SUCCEEDED:
            return "result_missing"
        case ExecutionState.STOPPED:
            return "stopped"
        case ExecutionState.UNKNOWN:
            return "lost"
        case _:
            return seen.execution.cause or "crashed"


def _timed_out(cause: str, detail: str | None) -> End:
    failure = failure_by_cause(cause, detail)
    return End(state=JobState.TIMED_OUT, reason=failure.message, failure=failure)
