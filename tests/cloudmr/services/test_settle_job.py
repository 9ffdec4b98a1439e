from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import Bench
from benches import MakeBench
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import NotFound
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.settle_job import settle_job


def actions(bench: Bench, job: Job) -> list[JobAction]:
    with bench.brain.database.read() as transaction:
        return [event.action for event in transaction.jobs.events(job.id)]


def test_a_complete_package_is_a_success(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.SUCCEEDED
    assert settled.ended_at == bench.clock.now
    assert settled.result is not None
    assert settled.result.n_files == 3


def test_a_claim_without_results_is_not_believed(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.SUCCEEDED)
    assert settle_job(bench.brain, job.id).state is JobState.QUEUED  # one more attempt
    dispatch_jobs(bench.brain)
    second = bench.read(job)
    bench.unit.end(second.execution_name, ExecutionState.SUCCEEDED)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.FAILED
    assert settled.failure is not None
    assert settled.failure.code == "result_missing"


def test_a_truncated_result_is_no_result(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.leave_results(job, info=b"short", said_size=1000)
    bench.unit.end(job.execution_name)
    assert settle_job(bench.brain, job.id).state is JobState.QUEUED


def test_a_claim_before_the_unit_says_so_is_asked_about_soon(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    settle_job(bench.brain, job.id)
    seen = settle_job(bench.brain, job.id, is_claimed=True)
    assert seen.state is JobState.RUNNING
    assert (seen.check_at - bench.clock.now).total_seconds() <= 2
    bench.clock.advance(seconds=61)
    later = settle_job(bench.brain, job.id, is_claimed=True)
    assert later.check_at - bench.clock.now == bench.brain.limits.check_period


def test_what_the_task_brought_about_is_told_in_its_own_words_and_never_retried(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.FAILED
    assert settled.failure is not None
    assert (settled.failure.code, settled.failure.next_step) == ("no_noise", "Give one.")


@pytest.mark.parametrize("cause", [Cause.KILLED, Cause.OUT_OF_MEMORY, Cause.UNHEARD])
def test_a_worker_that_died_is_followed_by_one_more_attempt(bench: Bench, ada: Caller, cause: Cause) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=cause)
    queued = settle_job(bench.brain, job.id)
    assert queued.state is JobState.QUEUED
    assert queued.deadline_at == bench.clock.now + bench.brain.limits.queue_wait
    dispatch_jobs(bench.brain)
    second = bench.read(job)
    assert (second.state, second.attempt) == (JobState.DISPATCHED, 2)
    bench.unit.end(second.execution_name, ExecutionState.FAILED, cause=cause)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.FAILED
    assert settled.failure is not None
    assert settled.failure.code == cause


def find_no_machine(bench: Bench, job: Job) -> Job:
    """Give a job its turn, and have its unit say that there is no machine for it."""
    dispatch_jobs(bench.brain)
    attempt = bench.read(job)
    detail = "ECS.AmazonECSException: You've reached the limit on the number of vCPUs."
    bench.unit.end(attempt.execution_name, ExecutionState.FAILED, cause=Cause.NO_CAPACITY, detail=detail)
    return settle_job(bench.brain, job.id)


def test_a_job_waits_for_a_machine_as_long_as_for_its_turn(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    for n_unstarted in range(1, 6):
        waiting = find_no_machine(bench, job)
        assert (waiting.state, waiting.attempt, waiting.n_unstarted) == (JobState.QUEUED, n_unstarted, n_unstarted)
        assert waiting.deadline_at == job.deadline_at
        assert waiting.waiting_reason is not None
        assert waiting.waiting_reason.endswith("You've reached the limit on the number of vCPUs. It waits for one.")
        bench.clock.advance(hours=1)
    dispatch_jobs(bench.brain)
    bench.succeed(bench.read(job))
    assert settle_job(bench.brain, job.id).state is JobState.SUCCEEDED


def test_a_job_does_not_wait_for_a_machine_for_ever(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    find_no_machine(bench, job)
    dispatch_jobs(bench.brain)
    bench.clock.now = job.deadline_at
    failed = find_no_machine(bench, job)
    assert failed.state is JobState.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "no_capacity"


def test_waits_for_a_machine_do_not_count_as_attempts(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    states = []
    for _ in range(2):
        for _ in range(3):
            find_no_machine(bench, job)
        dispatch_jobs(bench.brain)
        bench.unit.end(bench.read(job).execution_name, ExecutionState.FAILED, cause=Cause.KILLED)
        states.append(settle_job(bench.brain, job.id).state)
    assert states == [JobState.QUEUED, JobState.FAILED]


def test_a_job_that_waits_for_a_machine_can_be_cancelled(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    find_no_machine(bench, job)
    cancel_job(bench.brain, ada, job.id)
    assert settle_job(bench.brain, job.id).state is JobState.CANCELLED


def test_the_attempt_after_running_out_of_memory_gets_more(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.OUT_OF_MEMORY)
    settle_job(bench.brain, job.id)
    dispatch_jobs(bench.brain)
    first, second = (bench.unit.requests[f"{job.id}-{attempt}"].resources for attempt in (1, 2))
    assert second.memory_bytes == 2 * first.memory_bytes


@pytest.mark.parametrize("cause", [Cause.CPU_TIME, Cause.DISK_FULL, Cause.CRASHED])
def test_what_would_happen_again_is_not_retried(bench: Bench, ada: Caller, cause: Cause) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=cause, detail="Figures.")
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.FAILED
    assert settled.failure is not None
    assert settled.failure.code == cause
    assert settled.failure.message.endswith("Figures.")


def test_an_end_is_a_sink(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    settled = settle_job(bench.brain, job.id)
    bench.clock.advance(days=400)
    assert settle_job(bench.brain, job.id, is_claimed=True) == settled
    assert actions(bench, job).count(JobAction.ENDED) == 1


def test_a_job_that_its_unit_never_heard_of_is_started_again_under_the_same_name(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    bench.unit.is_reachable = False
    dispatch_jobs(bench.brain)
    waiting = bench.read(job)
    assert waiting.state is JobState.DISPATCHED
    assert waiting.waiting_reason is not None
    assert not bench.unit.starts
    bench.unit.is_reachable = True
    again = settle_job(bench.brain, job.id)
    assert bench.unit.starts == [f"{job.id}-1"]
    assert (again.state, again.attempt, again.waiting_reason) == (JobState.DISPATCHED, 1, None)
    assert settle_job(bench.brain, job.id).state is JobState.RUNNING


def test_a_job_that_its_unit_forgot_is_tried_once_more(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    settle_job(bench.brain, job.id)
    bench.unit.forget(job.execution_name)
    assert settle_job(bench.brain, job.id).state is JobState.QUEUED


def test_results_count_even_if_the_unit_forgot_the_execution(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.leave_results(job)
    bench.unit.forget(job.execution_name)
    assert settle_job(bench.brain, job.id).state is JobState.SUCCEEDED


def test_a_silent_unit_makes_the_job_wait_and_in_the_end_time_out(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.is_reachable = False
    waiting = settle_job(bench.brain, job.id)
    assert waiting.waiting_reason is not None
    assert "does not answer" in waiting.waiting_reason
    bench.clock.advance(seconds=job.estimate.deadline_s)
    assert not settle_job(bench.brain, job.id).has_ended
    bench.clock.advance(hours=1)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.TIMED_OUT
    assert settled.failure is not None
    assert settled.failure.code == "unit_silent"


def test_a_job_past_its_deadline_is_stopped_and_times_out(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.clock.advance(seconds=job.estimate.deadline_s)
    settle_job(bench.brain, job.id)
    assert bench.unit.stops == [job.execution_name]
    assert settle_job(bench.brain, job.id).state is JobState.TIMED_OUT


def test_a_unit_that_never_stops_cannot_keep_a_job_open_for_ever(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.ignores_stop = True
    bench.clock.advance(seconds=job.estimate.deadline_s)
    assert not settle_job(bench.brain, job.id).has_ended
    bench.clock.advance(hours=1)
    assert settle_job(bench.brain, job.id).state is JobState.TIMED_OUT


def test_a_job_stopped_at_the_unit_says_so(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.STOPPED, cause=Cause.STOPPED)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.FAILED
    assert settled.failure is not None
    assert settled.failure.code == "stopped"


def test_a_job_that_never_gets_its_turn_times_out(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    bench.clock.advance(days=7)
    settled = settle_job(bench.brain, job.id)
    assert settled.state is JobState.TIMED_OUT
    assert settled.failure is not None
    assert settled.failure.code == "not_started"


def test_a_job_that_does_not_exist_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        settle_job(bench.brain, "job_none")


@pytest.mark.parametrize("succeeds", [True, False])
def test_many_settlers_at_once_settle_once(make_bench: MakeBench, succeeds: bool) -> None:
    bench = make_bench(is_watched=False)
    ada = bench.person()
    job = bench.running_job(ada)
    if succeeds:
        bench.succeed(job)
    else:
        bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    n_settlers = 8
    together = threading.Barrier(n_settlers)

    def settle() -> Job:
        together.wait()
        return settle_job(bench.brain, job.id, is_claimed=True)

    with ThreadPoolExecutor(n_settlers) as threads:
        settled = [future.result() for future in [threads.submit(settle) for _ in range(n_settlers)]]
    expected = JobState.SUCCEEDED if succeeds else JobState.FAILED
    assert {job.state for job in settled} == {expected}
    assert {job.version for job in settled} == {bench.read(job).version}
    assert actions(bench, job).count(JobAction.ENDED) == 1
