"""Every accepted job reaches exactly one end, whenever the Brain dies and whatever happens to callbacks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from bench import Bench, Died, task_of
from benches import MakeBench
from cloudmr.compute.base import ExecutionState
from cloudmr.model.documents import results_prefix
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import END_STATES, TRANSITIONS, Job, JobState
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.reconcile_jobs import reconcile_jobs, recover_jobs
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.storage.base import Bucket

MANY_ROUNDS = 12


def finish(bench: Bench, job: Job) -> None:
    """Let whatever runs at the unit come to its end, whether the Brain lives or not."""
    for name in list(bench.unit.requests):
        if bench.unit.describe(name).state is ExecutionState.RUNNING:
            _, _, attempt = name.rpartition("-")
            bench.leave_results(replace(bench.read(job), attempt=int(attempt)))
            bench.unit.end(name)


def until_the_end(bench: Bench, job: Job) -> Job:
    """Do what the background does, round after round."""
    for _ in range(MANY_ROUNDS):
        dispatch_jobs(bench.brain)
        reconcile_jobs(bench.brain)
        finish(bench, job)
        bench.clock.advance(minutes=3)
        if bench.read(job).has_ended:
            break
    return bench.read(job)


def whole_life(bench: Bench, job: Job) -> None:
    """Everything that happens to a job in its life, callbacks included."""
    dispatch_jobs(bench.brain)
    bench.unit.progress(job.id + "-1", step="reconstruct", sequence=1)
    bench.unit.outbox.deliver_all()
    reconcile_jobs(bench.brain)
    finish(bench, job)
    bench.unit.outbox.deliver_all()
    bench.clock.advance(minutes=3)
    reconcile_jobs(bench.brain)


def check_history(bench: Bench, job: Job) -> None:
    """An unbroken chain of changes that exist, with one end, and one event for each version."""
    with bench.brain.database.read() as transaction:
        events = transaction.jobs.events(job.id)
    steps = [(event.old, event.new) for event in events if event.new is not None]
    assert steps[0] == (None, JobState.QUEUED)
    for (_, before), (old, new) in itertools.pairwise(steps):
        assert old is before is not None
        assert new in TRANSITIONS[old]
    assert [event.number for event in events] == list(range(1, bench.read(job).version + 1))
    assert [event.action for event in events].count(JobAction.ENDED) == 1
    assert steps[-1][1] is bench.read(job).state in END_STATES


def count_moments(make_bench: MakeBench, life: Callable[[Bench, Job], None]) -> int:
    bench = make_bench()
    job = bench.job(bench.person())
    bench.fate.n_moments = 0
    life(bench, job)
    return bench.fate.n_moments


def test_the_brain_may_die_at_any_moment(make_bench: MakeBench) -> None:
    n_moments = count_moments(make_bench, whole_life)
    assert n_moments >= 10
    for moment in range(1, n_moments + 1):
        bench = make_bench()
        job = bench.job(bench.person())
        bench.fate.n_moments, bench.fate.dies_at = 0, moment
        with pytest.raises(Died):
            whole_life(bench, job)
        bench.fate.dies_at = None
        bench.restart()
        recover_jobs(bench.brain)
        ended = until_the_end(bench, job)
        assert ended.state is JobState.SUCCEEDED, f"died at moment {moment}"
        assert ended.attempt == 1, f"died at moment {moment}"
        assert set(bench.unit.requests) == {f"{job.id}-1"}
        check_history(bench, job)


def cancelled_life(bench: Bench, job: Job) -> None:
    dispatch_jobs(bench.brain)
    with bench.brain.database.read() as transaction:
        account = transaction.accounts.get(job.owner_id)
    assert account is not None
    cancel_job(bench.brain, Caller(id=account.id, is_admin=False, token_id=""), job.id)
    reconcile_jobs(bench.brain)


def test_the_brain_may_die_at_any_moment_of_a_cancel(make_bench: MakeBench) -> None:
    n_moments = count_moments(make_bench, cancelled_life)
    for moment in range(1, n_moments + 1):
        bench = make_bench()
        job = bench.job(bench.person())
        bench.fate.n_moments, bench.fate.dies_at = 0, moment
        with pytest.raises(Died):
            cancelled_life(bench, job)
        bench.fate.dies_at = None
        bench.restart()
        recover_jobs(bench.brain)
        was_asked = bench.read(job).cancel_requested_at is not None
        ended = until_the_end(bench, job)
        assert ended.state is (JobState.CANCELLED if was_asked else JobState.SUCCEEDED), f"died at moment {moment}"
        check_history(bench, job)


def test_a_submission_that_was_not_answered_may_be_repeated(make_bench: MakeBench) -> None:
    for moment in range(1, 3):
        bench = make_bench()
        ada = bench.person()
        order = JobOrder(document={"task": task_of(bench.data_file(ada))}, idempotency_key="once")
        bench.fate.n_moments, bench.fate.dies_at = 0, moment
        try:
            submit_job(bench.brain, ada, order)
        except Died:
            assert moment == 1
        bench.fate.dies_at = None
        bench.restart()
        first, second = submit_job(bench.brain, ada, order), submit_job(bench.brain, ada, order)
        assert first.id == second.id
        with bench.brain.database.read() as transaction:
            assert len(transaction.jobs.of_owner(ada.id, limit=10)) == 1


def lose(bench: Bench) -> None:
    bench.unit.outbox.lose()


def double(bench: Bench) -> None:
    bench.unit.outbox.double()
    bench.unit.outbox.double()
    bench.unit.outbox.deliver_all()


def hold_back(bench: Bench) -> None:
    """Deliver it only after everything is over."""


@pytest.mark.parametrize("treatment", [lose, double, hold_back])
@pytest.mark.parametrize("succeeds", [True, False])
def test_callbacks_may_go_astray(bench: Bench, treatment: Callable[[Bench], None], succeeds: bool) -> None:
    job = bench.running_job(bench.person())
    if succeeds:
        bench.succeed(job)
    else:
        bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    treatment(bench)
    bench.clock.advance(minutes=1)
    reconcile_jobs(bench.brain)
    expected = JobState.SUCCEEDED if succeeds else JobState.FAILED
    assert bench.read(job).state is expected
    bench.unit.outbox.deliver_all()
    bench.clock.advance(minutes=10)
    reconcile_jobs(bench.brain)
    assert bench.read(job).state is expected
    check_history(bench, job)


def test_only_one_attempt_counts_even_if_both_leave_results(bench: Bench) -> None:
    """The unit loses sight of an attempt, which works on, while a second one is made."""
    job = bench.running_job(bench.person())
    reconcile_jobs(bench.brain)
    first = bench.read(job)
    bench.clock.advance(minutes=1)
    reconcile_jobs(bench.brain)
    request = bench.unit.requests[first.execution_name]
    bench.unit.forget(first.execution_name)
    bench.clock.advance(minutes=1)
    reconcile_jobs(bench.brain)
    dispatch_jobs(bench.brain)
    second = bench.read(job)
    assert second.attempt == 2
    bench.leave_results(first)
    bench.unit.start(request)
    bench.unit.end(first.execution_name)
    bench.unit.outbox.deliver_all()
    assert not bench.read(job).has_ended, "the first attempt no longer counts"
    bench.succeed(second)
    bench.unit.outbox.deliver_all()
    ended = bench.read(job)
    assert (ended.state, ended.attempt) == (JobState.SUCCEEDED, 2)
    assert bench.storage.head(Bucket.RESULTS, f"{results_prefix(job.id, 1)}/manifest.json") is not None
    check_history(bench, job)


def test_a_unit_that_is_away_for_a_while_costs_nothing_but_time(bench: Bench) -> None:
    job = bench.job(bench.person())
    bench.unit.is_reachable = False
    for _ in range(5):
        dispatch_jobs(bench.brain)
        reconcile_jobs(bench.brain)
        bench.clock.advance(minutes=3)
    assert not bench.read(job).has_ended
    bench.unit.is_reachable = True
    ended = until_the_end(bench, job)
    assert (ended.state, ended.attempt) == (JobState.SUCCEEDED, 1)
    check_history(bench, job)
