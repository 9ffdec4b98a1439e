"""The only door to an end state: the unit is asked, what it says is judged, and the judgement is written once.

A callback is a hint to come here early, the reconciler comes here anyway; whoever is first settles the job, everybody
after finds it settled. Between looking and writing nothing is locked: what was decided on is written only if the job
still is what it was, and else looked at again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cloudmr.errors import NotFound, UnitUnavailable
from cloudmr.model.costs import actual_of
from cloudmr.model.estimates import after_running_out
from cloudmr.model.events import BRAIN, JobAction
from cloudmr.model.failures import NO_CAPACITY
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.retention import results_expire_at
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.attempts import execution_request
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.observe import observe
from cloudmr.services.ownership import unit_of
from cloudmr.services.verdicts import (
    End,
    Retry,
    Run,
    Start,
    Stop,
    Verdict,
    Wait,
    decide_observed,
    decide_queued,
    decide_silent,
    turn_by,
)

_MAX_LOST_RACES = 10


def settle_job(brain: Brain, job_id: str, *, actor: str = BRAIN, is_claimed: bool = False) -> Job:
    """Bring a job as far as the facts allow, and return it as it then is. Raises `NotFound`.

    Safe to call at any moment, by anybody, any number of times at once. `actor` is written beside a change;
    `is_claimed` says that the unit just said that the attempt has ended.
    """
    for _ in range(_MAX_LOST_RACES):
        with brain.database.read() as transaction:
            job = transaction.jobs.get(job_id)
        if job is None:
            raise NotFound("job")
        if job.has_ended:
            return job
        if is_claimed and job.claimed_at is None:
            job = replace(job, claimed_at=brain.now())
        settled = _write(brain, job, _judge(brain, job), actor)
        if settled is not None:
            return settled
    raise RuntimeError(f"{job_id} changed {_MAX_LOST_RACES} times while it was looked at")


def _judge(brain: Brain, job: Job) -> Verdict:
    """Look and decide; what the unit is to be told, it is told here."""
    if job.state is JobState.QUEUED:
        return decide_queued(job, now=brain.now())
    with brain.database.read() as transaction:
        unit = unit_of(transaction, job)
    try:
        link = brain.connect(unit)
        verdict = decide_observed(job, observe(link, job), now=brain.now(), limits=brain.limits)
        if isinstance(verdict, Start):
            link.compute.start(execution_request(brain, link, job))
        elif isinstance(verdict, Stop):
            link.compute.stop(job.execution_name)
    except UnitUnavailable as error:
        _doubt(brain, unit)
        return decide_silent(job, silence=error.message, now=brain.now(), limits=brain.limits)
    return verdict


def _doubt(brain: Brain, unit: ComputingUnit) -> None:
    """Have a unit that did not answer looked at, unless it is known to be ill."""
    if unit.status is UnitStatus.READY:
        with brain.database.write() as transaction:
            is_news = transaction.unit_care.doubt(unit.id, now=brain.now())
        if is_news:
            brain.unit_alarm.set()


def _write(brain: Brain, job: Job, verdict: Verdict, actor: str) -> Job | None:
    """Write what was decided and return the job after it, None if somebody else changed it meanwhile."""
    match verdict:
        case End(state=state, reason=reason, failure=failure, result=result):
            now = brain.now()
            after = job.becomes(
                state,
                ended_at=now,
                waiting_reason=None,
                failure=failure,
                result=result,
                actual=actual_of(job, ended_at=now, result=result),
                expires_at=results_expire_at(job, now=now, limits=brain.limits),
            )
            settled = _change(brain, job, after, JobAction.ENDED, reason, actor)
            # It leaves a place to the next one.
            brain.dispatch_alarm.set()
            return settled
        case Retry(cause=cause, reason=reason):
            settled = _change(brain, job, _back_in_queue(brain, job, cause, reason), JobAction.RETRIED, reason, actor)
            brain.dispatch_alarm.set()
            return settled
        case Run():
            return _change(brain, job, begun(brain, job), JobAction.STARTED, "Its computing unit works at it.", actor)
        case Wait(check_at=check_at, reason=reason):
            return _note(brain, job, check_at, reason)
        case Start(check_at=check_at) | Stop(check_at=check_at):
            return _note(brain, job, check_at, None)


def begun(brain: Brain, job: Job) -> Job:
    """Return a dispatched job as it is once its unit works at it."""
    check_at = min(brain.now() + brain.limits.check_period, job.deadline_at)
    return job.becomes(JobState.RUNNING, started_at=brain.now(), check_at=check_at, waiting_reason=None)


def _back_in_queue(brain: Brain, job: Job, cause: str, reason: str) -> Job:
    wait_until, n_unstarted = brain.now() + brain.limits.queue_wait, job.n_unstarted
    if cause == NO_CAPACITY:
        wait_until, n_unstarted = turn_by(job, brain.limits), n_unstarted + 1
    platform, estimate = job.platform, job.estimate
    if cause == "out_of_memory":
        platform, estimate = after_running_out(platform, estimate, most_local_bytes=brain.limits.most_memory_bytes)
    return job.becomes(
        JobState.QUEUED,
        platform=platform,
        estimate=estimate,
        deadline_at=wait_until,
        check_at=wait_until,
        n_unstarted=n_unstarted,
        started_at=None,
        claimed_at=None,
        progress=None,
        waiting_reason=reason,
    )


def _change(brain: Brain, before: Job, after: Job, action: JobAction, reason: str, actor: str) -> Job | None:
    with brain.database.write() as transaction:
        is_written = write_change(brain, transaction, before, after, action, reason=reason, actor=actor)
    return after if is_written else None


def _note(brain: Brain, job: Job, check_at: datetime, reason: str | None) -> Job | None:
    with brain.database.write() as transaction:
        noted = transaction.jobs.note(job, check_at=check_at, waiting_reason=reason, claimed_at=job.claimed_at)
    return replace(job, check_at=check_at, waiting_reason=reason) if noted else None
