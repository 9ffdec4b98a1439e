"""A unit's buckets are gone, its role is revoked, a clock or a key is changed: jobs wait with the reason, and end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from bench import Bench
from cloudmr.errors import CallbackRefused, UnitUnavailable
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.brain import UnitLink
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.reconcile_jobs import reconcile_jobs
from cloudmr.services.verify_unit import verify_units

ROUNDS = 5


@dataclass
class Trouble:
    """Something of a unit that may be gone."""

    is_there: bool = True

    def check(self) -> None:
        if not self.is_there:
            raise UnitUnavailable("The unit's bucket cannot be reached: NoSuchBucket.", "Check the unit's stack.")


def with_bucket_trouble(bench: Bench) -> Trouble:
    """Let a bench's buckets be gone when they are told to."""
    trouble = Trouble()

    class Buckets:
        def __getattr__(self, name: str) -> object:
            trouble.check()
            return getattr(bench.storage, name)

    _replace_links(bench, lambda link: replace(link, storage=Buckets()))  # type: ignore[arg-type]  # it is, while it is there
    return trouble


def with_role_trouble(bench: Bench) -> Trouble:
    """Let a bench's units refuse the Brain's role when they are told to."""
    trouble = Trouble()

    def checked(link: UnitLink) -> UnitLink:
        trouble.check()
        return link

    _replace_links(bench, checked)
    return trouble


def _replace_links(bench: Bench, change: Callable[[UnitLink], UnitLink]) -> None:
    connect = bench.brain.connect

    def connect_changed(unit: ComputingUnit) -> UnitLink:
        return change(connect(unit))

    bench.brain = replace(bench.brain, connect=connect_changed)


def pass_rounds(bench: Bench) -> None:
    """Do what the background does, for some minutes."""
    for _ in range(ROUNDS):
        verify_units(bench.brain)
        dispatch_jobs(bench.brain)
        reconcile_jobs(bench.brain)
        bench.clock.advance(minutes=3)


def ended(bench: Bench, job: Job) -> Job:
    """Return a job that has ended, and check that nothing changes it any more."""
    found = bench.read(job)
    assert found.has_ended
    pass_rounds(bench)
    assert bench.read(job) == found
    return found


def test_results_in_a_bucket_that_is_away_are_waited_for(bench: Bench) -> None:
    trouble = with_bucket_trouble(bench)
    job = bench.running_job(bench.person())
    bench.succeed(job)
    trouble.is_there = False
    pass_rounds(bench)
    waiting = bench.read(job)
    assert not waiting.has_ended
    assert "NoSuchBucket" in (waiting.waiting_reason or "")
    trouble.is_there = True
    pass_rounds(bench)
    assert ended(bench, job).state is JobState.SUCCEEDED


def test_a_bucket_that_is_gone_for_good_ends_the_job(bench: Bench) -> None:
    trouble = with_bucket_trouble(bench)
    job = bench.running_job(bench.person())
    bench.succeed(job)
    trouble.is_there = False
    bench.clock.now = job.deadline_at + bench.brain.limits.silence
    pass_rounds(bench)
    found = ended(bench, job)
    assert found.state is JobState.TIMED_OUT
    assert found.failure is not None
    assert found.failure.code == "unit_silent"
    assert "NoSuchBucket" in found.failure.message


def test_a_role_that_is_revoked_makes_jobs_wait_and_the_unit_ill(bench: Bench) -> None:
    trouble = with_role_trouble(bench)
    ada = bench.person()
    running, signal = bench.running_job(ada), bench.data_file(ada)
    trouble.is_there = False
    queued = bench.job(ada, signal)
    pass_rounds(bench)
    with bench.brain.database.read() as transaction:
        unit = transaction.units.get(bench.local_unit.id)
    assert unit is not None
    assert unit.status is UnitStatus.UNWELL
    for job in (running, queued):
        assert not bench.read(job).has_ended
        assert bench.read(job).waiting_reason
    trouble.is_there = True
    bench.succeed(running)
    bench.clock.advance(hours=1)
    pass_rounds(bench)
    assert ended(bench, running).state is JobState.SUCCEEDED
    bench.succeed(bench.read(queued))
    pass_rounds(bench)
    assert ended(bench, queued).state is JobState.SUCCEEDED


def test_a_role_that_is_revoked_for_good_ends_what_ran(bench: Bench) -> None:
    trouble = with_role_trouble(bench)
    job = bench.running_job(bench.person())
    trouble.is_there = False
    bench.clock.now = job.deadline_at + bench.brain.limits.silence
    pass_rounds(bench)
    assert ended(bench, job).state is JobState.TIMED_OUT


@pytest.mark.parametrize("is_callback_lost", [False, True])
def test_the_brains_clock_may_be_set_back(bench: Bench, is_callback_lost: bool) -> None:
    job = bench.running_job(bench.person())
    bench.clock.advance(hours=-1)
    bench.succeed(job)
    if is_callback_lost:
        bench.unit.outbox.lose()
        pass_rounds(bench)
        assert not bench.read(job).has_ended, "it is looked at when the clock is where it was"
        bench.clock.advance(hours=1)
        pass_rounds(bench)
    else:
        bench.unit.outbox.deliver_all()
    assert ended(bench, job).state is JobState.SUCCEEDED


def test_the_brains_clock_may_be_set_forward(bench: Bench) -> None:
    """A day too far, all deadlines have passed, and yet what has a result succeeds."""
    job = bench.running_job(bench.person())
    bench.leave_results(job)
    bench.unit.end(job.execution_name)
    bench.clock.advance(days=1)
    pass_rounds(bench)
    assert ended(bench, job).state is JobState.SUCCEEDED


def test_a_new_secret_key_makes_messages_worthless_and_loses_no_job(bench: Bench) -> None:
    job = bench.running_job(bench.person())
    bench.brain = replace(bench.brain, secret_key=b"another key, as long as it has to be")
    bench.succeed(job)
    with pytest.raises(CallbackRefused):
        bench.unit.outbox.deliver()
    pass_rounds(bench)
    assert ended(bench, job).state is JobState.SUCCEEDED
