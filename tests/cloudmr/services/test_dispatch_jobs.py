from __future__ import annotations

from dataclasses import replace

import pytest

from bench import BRAIN_URL, SECRET_KEY, Bench
from benches import MakeBench
from cloudmr.compute.base import ExecutionRequest
from cloudmr.model.callbacks import derive_secret, key_id_of
from cloudmr.model.jobs import JobState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.units import UnitStatus
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.settle_job import settle_job
from mortal_brain import MortalDatabase


def test_the_unit_is_told_where_to_fetch_and_report_and_with_what_key(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    assert (job.state, job.attempt) == (JobState.DISPATCHED, 1)
    key_id = key_id_of(SECRET_KEY)
    request = bench.unit.requests[f"{job.id}-1"]
    assert request == ExecutionRequest(
        job_id=job.id,
        attempt=1,
        document_url=f"{BRAIN_URL}/api/job/{job.id}/document?attempt=1",
        callback_url=f"{BRAIN_URL}/api/job/{job.id}/callback",
        progress_url=f"{BRAIN_URL}/api/job/{job.id}/progress",
        key_id=key_id,
        secret=derive_secret(SECRET_KEY, job_id=job.id, attempt=1, key_id=key_id),
        resources=request.resources,
    )
    assert request.resources.deadline_s == job.estimate.deadline_s
    assert (job.deadline_at - bench.clock.now).total_seconds() == job.estimate.deadline_s


def test_dispatching_again_starts_nothing_twice(bench: Bench, ada: Caller) -> None:
    bench.job(ada)
    assert [dispatch_jobs(bench.brain) for _ in range(3)] == [1, 0, 0]
    assert len(bench.unit.starts) == 1


def test_no_more_run_at_once_than_there_are_slots_and_everybody_has_a_turn(make_bench: MakeBench) -> None:
    bench = make_bench(limits=Limits(n_slots=3, n_running_each=2))
    ada, bob = bench.person(), bench.person()
    jobs = [bench.job(ada) for _ in range(3)] + [bench.job(bob)]
    assert dispatch_jobs(bench.brain) == 3
    assert [bench.read(job).state for job in jobs] == [
        JobState.DISPATCHED,
        JobState.DISPATCHED,
        JobState.QUEUED,
        JobState.DISPATCHED,
    ]
    bench.succeed(bench.read(jobs[3]))
    settle_job(bench.brain, jobs[3].id)
    assert dispatch_jobs(bench.brain) == 0, "one person has no more than two"
    bench.succeed(bench.read(jobs[0]))
    settle_job(bench.brain, jobs[0].id)
    assert dispatch_jobs(bench.brain) == 1


def test_the_least_recent_user_is_first(make_bench: MakeBench) -> None:
    bench = make_bench(limits=Limits(n_slots=1))
    ada, bob = bench.person(), bench.person()
    first, second, third = bench.job(ada), bench.job(ada), bench.job(bob)
    order: list[str] = []
    for _ in range(3):
        dispatch_jobs(bench.brain)
        [name] = set(bench.unit.requests) - set(order)
        order.append(name)
        job_id = name.rpartition("-")[0]
        bench.clock.advance(minutes=1)
        bench.succeed(next(bench.read(job) for job in (first, second, third) if job.id == job_id))
        settle_job(bench.brain, job_id)
    assert order == [f"{job.id}-1" for job in (first, third, second)]


@pytest.mark.parametrize("status", [UnitStatus.UNVERIFIED, UnitStatus.UNWELL, UnitStatus.GONE])
def test_a_unit_that_is_ill_gets_no_jobs_and_nobody_else_does(bench: Bench, ada: Caller, status: UnitStatus) -> None:
    unit = bench.own_unit(ada)
    started = bench.data_file(ada)
    with bench.brain.database.write() as transaction:
        transaction.data_files.replace(started, replace(started, unit_id=unit.id))
    job = bench.job(ada, started)
    assert job.unit_id == unit.id
    with bench.brain.database.write() as transaction:
        transaction.units.replace(replace(unit, status=status))
    assert dispatch_jobs(bench.brain) == 0
    waiting = bench.read(job)
    assert (waiting.state, waiting.unit_id) == (JobState.QUEUED, unit.id)
    assert waiting.waiting_reason == f"The computing unit my own is {status}; the job waits until it is ready."
    with bench.brain.database.write() as transaction:
        assert transaction.jobs.explain_waiting(unit.id, waiting.waiting_reason) == 0, "it is written once"
        transaction.units.replace(unit)
    assert dispatch_jobs(bench.brain) == 1
    assert bench.read(job).waiting_reason is None


def test_a_unit_that_is_away_does_not_hold_up_the_others(bench: Bench, ada: Caller) -> None:
    bench.unit.is_reachable = False
    job = bench.job(ada)
    assert dispatch_jobs(bench.brain) == 1
    waiting = bench.read(job)
    assert (waiting.state, waiting.attempt) == (JobState.DISPATCHED, 1)
    assert waiting.waiting_reason is not None


def test_a_slot_is_given_once_by_brains_that_dispatch_at_the_same_moment(make_bench: MakeBench) -> None:
    bench = make_bench(limits=Limits(n_slots=1), is_watched=False)
    ada, bob = bench.person(), bench.person()
    earlier = bench.running_job(ada)
    bench.succeed(earlier)
    settle_job(bench.brain, earlier.id)
    jobs = [bench.job(ada)]

    def moment(is_in_transaction: bool) -> None:
        if len(jobs) == 1 and not is_in_transaction:
            jobs.append(bench.job(bob))
            assert dispatch_jobs(bench.brain) == 1

    slow = replace(bench.brain, database=MortalDatabase(bench.database_url, moment))
    assert dispatch_jobs(slow) == 0
    slow.database.close()
    assert [bench.read(job).state for job in jobs] == [JobState.QUEUED, JobState.DISPATCHED]
