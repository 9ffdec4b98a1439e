from __future__ import annotations

import pytest

from bench import Bench
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.settle_job import settle_job


def test_a_job_that_waits_for_its_turn_is_cancelled_at_once(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    assert cancel_job(bench.brain, ada, job.id).state is JobState.CANCELLED
    assert dispatch_jobs(bench.brain) == 0
    assert not bench.unit.starts


def test_a_job_that_runs_is_stopped_first(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    assert not cancel_job(bench.brain, ada, job.id).has_ended
    assert bench.unit.stops == [job.execution_name]
    assert settle_job(bench.brain, job.id).state is JobState.CANCELLED


def test_a_job_that_finished_before_it_could_be_stopped_has_succeeded(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    assert cancel_job(bench.brain, ada, job.id).state is JobState.SUCCEEDED


def test_a_cancel_reaches_a_unit_that_comes_back(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.is_reachable = False
    assert not cancel_job(bench.brain, ada, job.id).has_ended
    bench.unit.is_reachable = True
    settle_job(bench.brain, job.id)
    assert settle_job(bench.brain, job.id).state is JobState.CANCELLED


@pytest.mark.parametrize("is_reachable", [True, False])
def test_a_unit_that_never_stops_cannot_keep_it_open(bench: Bench, ada: Caller, is_reachable: bool) -> None:
    job = bench.running_job(ada)
    bench.unit.ignores_stop = True
    bench.unit.is_reachable = is_reachable
    assert not cancel_job(bench.brain, ada, job.id).has_ended
    bench.clock.advance(hours=1)
    assert settle_job(bench.brain, job.id).state is JobState.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_retried(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.ignores_stop = True
    cancel_job(bench.brain, ada, job.id)
    bench.unit.end(job.execution_name)
    assert settle_job(bench.brain, job.id).state is JobState.CANCELLED


def test_asking_twice_asks_once(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    cancelled = cancel_job(bench.brain, ada, job.id)
    assert cancel_job(bench.brain, ada, job.id) == cancelled
    with bench.brain.database.read() as transaction:
        actions = [event.action for event in transaction.jobs.events(job.id)]
    assert actions == [JobAction.SUBMITTED, JobAction.CANCEL_REQUESTED, JobAction.ENDED]


def test_what_has_ended_cannot_be_cancelled(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    with pytest.raises(Conflict) as refused:
        cancel_job(bench.brain, ada, job.id)
    assert refused.value.instance_code == "job_ended"


def test_other_peoples_jobs_are_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.job(ada)
    with pytest.raises(NotFound):
        cancel_job(bench.brain, bob, job.id)
    assert bench.read(job).cancel_requested_at is None
