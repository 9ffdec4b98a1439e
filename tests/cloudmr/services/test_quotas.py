from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench import Bench
from cloudmr.errors import LimitReached
from cloudmr.model.allowances import Allowance
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_data import delete_data, restore_data
from cloudmr.services.delete_job import delete_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.quotas import get_quota, monthly_use
from cloudmr.services.settle_job import settle_job


def test_a_month_is_counted_in_both_modes(bench: Bench, ada: Caller) -> None:
    bench.job(ada)
    own = bench.own_unit(ada, is_default=True)
    first = bench.running_job(ada)
    assert first.unit_id == own.id
    bench.unit.progress(first.execution_name, step="reading", sequence=1)
    bench.unit.outbox.deliver()
    bench.clock.advance(seconds=600)
    bench.succeed(first)
    actual = settle_job(bench.brain, first.id).actual
    assert actual is not None
    assert actual.price_microdollars > 0
    bench.job(ada)
    use = monthly_use(bench.brain, ada)
    assert (use.shared.n_this_month, use.n_own, use.own_microdollars) == (1, 2, actual.price_microdollars)
    bench.clock.now = use.shared.month_ends_at
    after = monthly_use(bench.brain, ada)
    assert (after.shared.n_this_month, after.n_own, after.own_microdollars) == (0, 0, 0)


def test_what_was_used_is_beside_what_there_is(bench: Bench, ada: Caller, bob: Caller) -> None:
    data_file = bench.data_file(ada, b"raw data")
    jobs = [bench.job(ada, data_file) for _ in range(4)]
    dispatch_jobs(bench.brain)
    cancel_job(bench.brain, ada, jobs[3].id)
    bench.job(bob)
    use = get_quota(bench.brain, ada)
    assert (use.n_this_month, use.n_running, use.n_queued, use.stored_bytes) == (4, 2, 1, 8)
    assert use.month_ends_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert use.limits == Limits()


def test_a_month_has_so_many_jobs_whatever_became_of_them(bench: Bench, ada: Caller, bob: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(n_monthly_each=2))
    data_file = bench.data_file(ada)
    for _ in range(2):
        job = bench.job(ada, data_file)
        cancel_job(bench.brain, ada, job.id)
        delete_job(bench.brain, ada, job.id)
    with pytest.raises(LimitReached, match="2 of 2 jobs this month") as refused:
        bench.job(ada, data_file)
    assert refused.value.instance_code == "monthly_jobs"
    assert "2026-12-01 00:00 UTC" in refused.value.next_step
    assert "mode 2" in refused.value.next_step
    bench.job(bob)
    bench.clock.advance(seconds=refused.value.retry_after_s)
    bench.job(ada, data_file)


def test_an_administrator_gives_one_person_more(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(n_monthly_each=1))
    with bench.brain.database.write() as transaction:
        transaction.allowances.put(ada.id, Allowance(n_monthly=2, n_running=1), at=bench.clock.now)
    data_file = bench.data_file(ada)
    for _ in range(2):
        bench.job(ada, data_file)
    assert dispatch_jobs(bench.brain) == 1
    with pytest.raises(LimitReached, match="2 of 2"):
        bench.job(ada, data_file)


def test_ones_own_unit_counts_for_nothing(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(n_monthly_each=0, n_queued_each=0, max_stored_bytes_each=0))
    bench.own_unit(ada, is_default=True)
    bench.job(ada)
    assert get_quota(bench.brain, ada).n_this_month == 0


def test_what_can_be_brought_back_still_takes_room(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(max_stored_bytes_each=8))
    first = bench.data_file(ada, b"raw data")
    delete_data(bench.brain, ada, [first.id])
    with pytest.raises(LimitReached, match="8 of 8 bytes"):
        bench.data_file(ada, b"raw data")
    restore_data(bench.brain, ada, [first.id])
    delete_data(bench.brain, ada, [first.id], for_good=True)
    bench.data_file(ada, b"raw data")
