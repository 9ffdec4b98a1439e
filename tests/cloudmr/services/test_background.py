from __future__ import annotations

import logging
import threading

import pytest

from bench import Bench
from benches import MakeBench
from cloudmr.compute.base import ExecutionState
from cloudmr.model.jobs import JobState
from cloudmr.services.background import background
from cloudmr.services.reconcile_jobs import reconcile_jobs, recover_jobs
from waiting import wait_until


@pytest.fixture
def busy(make_bench: MakeBench) -> Bench:
    return make_bench(is_watched=False)


def test_jobs_are_dispatched_and_settled_without_being_asked_for(busy: Bench) -> None:
    ada = busy.person()
    with background(busy.brain):
        job = busy.job(ada)
        wait_until(lambda: busy.read(job).state is JobState.DISPATCHED, what="the job's turn")
        name = f"{job.id}-1"
        wait_until(lambda: busy.unit.describe(name).state is ExecutionState.RUNNING, what="the unit's start")
        busy.succeed(busy.read(job))
        busy.clock.advance(minutes=3)
        busy.brain.check_alarm.set()
        wait_until(lambda: busy.read(job).state is JobState.SUCCEEDED, what="the job's end")
    assert not [thread for thread in threading.enumerate() if thread.name == "cloudmr-background"]


def test_what_a_former_brain_left_open_is_taken_up_at_once(busy: Bench) -> None:
    job = busy.running_job(busy.person())
    busy.succeed(job)
    busy.restart()
    with background(busy.brain):
        wait_until(lambda: busy.read(job).state is JobState.SUCCEEDED, what="the job's end")


def test_work_that_fails_is_done_again(busy: Bench, caplog: pytest.LogCaptureFixture) -> None:
    calls = []

    def failing() -> None:
        calls.append(1)
        raise RuntimeError("this time")

    with caplog.at_level(logging.CRITICAL + 1), background(busy.brain, chores=[failing]):
        wait_until(lambda: calls, what="the chore")
        job = busy.job(busy.person())
        wait_until(lambda: busy.read(job).state is JobState.DISPATCHED, what="the job's turn")


def test_of_several_brains_one_does_the_chores(make_bench: MakeBench) -> None:
    first = make_bench(is_watched=False)
    second = make_bench(is_watched=False, database_url=first.database_url)
    done = []
    with background(first.brain, chores=[lambda: done.append(first)]):
        wait_until(lambda: done, what="the chore")
        with background(second.brain, chores=[lambda: done.append(second)]):
            job = first.job(first.person())
            wait_until(lambda: first.read(job).state is JobState.DISPATCHED, what="the job's turn")
    assert done == [first]


def test_a_job_that_cannot_be_looked_at_hinders_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada = bench.person()
    odd, plain = bench.running_job(ada), bench.running_job(ada)
    bench.succeed(plain)
    bench.unit.forget(odd.execution_name)
    monkeypatch.setattr(bench.unit, "describe", _failing_for(bench, odd.execution_name))
    bench.clock.advance(minutes=1)
    assert reconcile_jobs(bench.brain) == 2
    assert bench.read(plain).state is JobState.SUCCEEDED
    assert not bench.read(odd).has_ended
    assert odd.id in caplog.text
    assert reconcile_jobs(bench.brain) == 0, "it is due again only after a while"
    bench.clock.advance(minutes=3)
    assert reconcile_jobs(bench.brain) == 1


def _failing_for(bench: Bench, odd_name: str) -> object:
    describe = bench.unit.describe

    def look(name: str) -> object:
        if name == odd_name:
            raise OSError("a disk that is gone")
        return describe(name)

    return look


def test_only_what_is_due_is_looked_at(bench: Bench) -> None:
    ada = bench.person()
    bench.running_job(ada)
    assert reconcile_jobs(bench.brain) == 0
    assert recover_jobs(bench.brain) == 1
    assert reconcile_jobs(bench.brain) == 1
    assert reconcile_jobs(bench.brain) == 0
    bench.clock.advance(seconds=bench.brain.limits.check_period.total_seconds())
    assert reconcile_jobs(bench.brain) == 1
