from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bench import NOON
from cloudmr.compute.base import Cause, Execution, ExecutionState
from cloudmr.model.estimates import estimate
from cloudmr.model.failures import JobFailure
from cloudmr.model.jobs import END_STATES, TRANSITIONS, Job, JobResult, JobState
from cloudmr.model.limits import Limits
from cloudmr.services.observe import Observation
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
)

LIMITS = Limits()
JOB = Job(
    id="job_1",
    owner_id="user_1",
    unit_id="unit_1",
    app_name="MR Optimum",
    alias="knee",
    state=JobState.DISPATCHED,
    version=2,
    attempt=1,
    document="{}",
    data_ids=(),
    estimate=estimate([]),
    unit_reason="It was asked for.",
    created_at=NOON,
    deadline_at=NOON + timedelta(hours=6),
    check_at=NOON,
    turn_by=NOON + timedelta(hours=50),
)
RESULT = JobResult(size_bytes=1, n_files=1, manifest_sha256="0" * 64)
FAILURE = JobFailure(code="no_noise", message="There is no noise scan.", next_step="Give one.")


def every_situation() -> Iterator[tuple[Job, Observation, timedelta]]:
    """All that can be seen of a job that was given to its unit, at moments before and after each of its limits."""
    for state, attempt, is_cancelled, execution_state, cause, has_result, has_failure, hours in itertools.product(
        (JobState.DISPATCHED, JobState.RUNNING),
        (1, 2),
        (False, True),
        ExecutionState,
        (None, *Cause),
        (False, True),
        (False, True),
        (0.0, 5.9, 6.0, 6.9, 7.0, 100.0),
    ):
        job = replace(JOB, state=state, attempt=attempt, cancel_requested_at=NOON if is_cancelled else None)
        execution = Execution(name=job.execution_name, state=execution_state, cause=cause)
        result, failure = RESULT if has_result else None, FAILURE if has_failure else None
        yield job, Observation(execution=execution, result=result, failure=failure), timedelta(hours=hours)


def next_states(verdict: Verdict) -> set[JobState]:
    match verdict:
        case End(state=state):
            return {state}
        case Retry():
            return {JobState.QUEUED}
        case Run():
            return {JobState.RUNNING}
        case _:
            return set()


def test_every_verdict_is_a_step_that_exists_and_says_what_belongs_to_it() -> None:
    for job, seen, after in every_situation():
        verdict = decide_observed(job, seen, now=NOON + after, limits=LIMITS)
        assert next_states(verdict) <= TRANSITIONS[job.state]
        if isinstance(verdict, End):
            assert verdict.state in END_STATES
            assert verdict.reason
            assert (verdict.result is not None) == (verdict.state is JobState.SUCCEEDED)
            assert (verdict.failure is not None) == (verdict.state in {JobState.FAILED, JobState.TIMED_OUT})


def test_nothing_succeeds_without_results_and_nothing_with_results_fails() -> None:
    for job, seen, after in every_situation():
        verdict = decide_observed(job, seen, now=NOON + after, limits=LIMITS)
        is_over = seen.execution.state is not ExecutionState.RUNNING
        succeeded = isinstance(verdict, End) and verdict.state is JobState.SUCCEEDED
        assert succeeded == (is_over and seen.result is not None)


def test_nothing_stays_open_for_ever() -> None:
    for job, seen, after in every_situation():
        if after < timedelta(hours=100):
            continue
        verdict = decide_observed(job, seen, now=NOON + after, limits=LIMITS)
        assert isinstance(verdict, End | Retry)
        assert not (isinstance(verdict, Retry) and job.attempt == 2)


def test_only_the_asked_for_is_cancelled() -> None:
    for job, seen, after in every_situation():
        verdict = decide_observed(job, seen, now=NOON + after, limits=LIMITS)
        if isinstance(verdict, End) and verdict.state is JobState.CANCELLED:
            assert job.cancel_requested_at is not None
        if job.cancel_requested_at is not None:
            assert not isinstance(verdict, Retry | Start | Run)


def test_what_the_task_brought_about_is_never_tried_twice() -> None:
    for job, seen, after in every_situation():
        if seen.failure is not None and seen.execution.state is ExecutionState.FAILED:
            assert not isinstance(decide_observed(job, seen, now=NOON + after, limits=LIMITS), Retry)


def test_only_a_unit_itself_can_say_that_there_is_no_machine() -> None:
    execution = Execution(name="job_1-2", state=ExecutionState.FAILED, cause=Cause.NO_CAPACITY)
    by_unit = Observation(execution=execution, result=None, failure=None)
    said = JobFailure(code=Cause.NO_CAPACITY, message="There is no machine.", next_step="Wait.")
    by_worker = replace(by_unit, failure=said)
    assert isinstance(decide_observed(JOB, by_unit, now=NOON, limits=LIMITS), Retry)
    assert isinstance(decide_observed(JOB, by_worker, now=NOON, limits=LIMITS), End)


@pytest.mark.parametrize("code", ["out_of_memory", "killed"])
def test_a_worker_that_could_say_what_it_died_of_is_tried_again_all_the_same(code: str) -> None:
    seen = Observation(
        execution=Execution(name="job_1-1", state=ExecutionState.FAILED, cause=Cause.TASK_FAILED),
        failure=replace(FAILURE, code=code),
    )
    assert isinstance(decide_observed(JOB, seen, now=NOON, limits=LIMITS), Retry)
    last = decide_observed(replace(JOB, attempt=2), seen, now=NOON, limits=LIMITS)
    assert isinstance(last, End)
    assert last.failure == seen.failure


def test_who_ran_out_of_the_most_memory_there_is_is_not_tried_again() -> None:
    seen = Observation(
        execution=Execution(name="job_1-1", state=ExecutionState.FAILED, cause=Cause.OUT_OF_MEMORY),
    )
    had = JOB.estimate.memory_bytes
    end = decide_observed(JOB, seen, now=NOON, limits=replace(LIMITS, most_memory_bytes=had))
    assert isinstance(end, End)
    assert end.failure is not None
    assert end.failure.code == "out_of_memory"
    assert isinstance(decide_observed(JOB, seen, now=NOON, limits=replace(LIMITS, most_memory_bytes=had + 1)), Retry)


def test_an_unfulfilled_stop_is_repeated() -> None:
    running = Observation(execution=Execution(name="job_1-1", state=ExecutionState.RUNNING))
    verdict = decide_observed(JOB, running, now=JOB.deadline_at, limits=LIMITS)
    assert isinstance(verdict, Stop)
    assert JOB.deadline_at < verdict.check_at <= JOB.deadline_at + timedelta(seconds=2)


def test_the_next_look_is_never_after_the_deadline() -> None:
    running = Observation(execution=Execution(name="job_1-1", state=ExecutionState.RUNNING))
    now = JOB.deadline_at - timedelta(seconds=5)
    verdict = decide_observed(replace(JOB, state=JobState.RUNNING), running, now=now, limits=LIMITS)
    assert isinstance(verdict, Wait)
    assert verdict.check_at == JOB.deadline_at


def test_a_silent_unit_is_given_an_hour_beyond_the_deadline() -> None:
    def silent(after: timedelta) -> Verdict:
        return decide_silent(JOB, silence="No route.", now=JOB.deadline_at + after, limits=LIMITS)

    patient = silent(timedelta(minutes=59))
    assert isinstance(patient, Wait)
    assert patient.reason == "The computing unit does not answer. No route."
    over = silent(timedelta(hours=1))
    assert isinstance(over, End)
    assert over.state is JobState.TIMED_OUT


def test_a_queued_job_waits_is_cancelled_or_times_out() -> None:
    queued = replace(JOB, state=JobState.QUEUED, attempt=0, waiting_reason="The unit is ill.")
    waits = decide_queued(queued, now=NOON)
    assert waits == Wait(check_at=queued.deadline_at, reason="The unit is ill.")
    cancelled = decide_queued(replace(queued, cancel_requested_at=NOON), now=NOON)
    assert isinstance(cancelled, End)
    assert cancelled.state is JobState.CANCELLED
    late = decide_queued(queued, now=queued.deadline_at)
    assert isinstance(late, End)
    assert late.failure is not None
    assert late.failure.message.endswith("The unit is ill.")
