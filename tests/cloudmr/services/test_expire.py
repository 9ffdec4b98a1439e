from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bench import Bench
from cloudmr.model.data_files import DataState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_data import restore_data
from cloudmr.services.expire import expire
from cloudmr.services.purge import purge_data
from cloudmr.storage.base import Bucket

KEPT = Limits().inputs_kept or timedelta()


def state(bench: Bench, data_id: str) -> DataState:
    with bench.brain.database.read() as transaction:
        found = transaction.data_files.get(data_id)
    assert found is not None
    return found.state


def test_a_data_file_is_kept_for_its_time_and_can_be_brought_back(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    assert data_file.expires_at == bench.clock.now + KEPT
    bench.clock.advance(seconds=KEPT.total_seconds())
    assert expire(bench.brain) == 1
    assert state(bench, data_file.id) is DataState.DELETED
    assert purge_data(bench.brain) == 0
    restore_data(bench.brain, ada, [data_file.id])
    assert expire(bench.brain) == 0


def test_a_file_that_an_open_job_reads_is_kept_longer(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    job = bench.job(ada, data_file)
    bench.clock.advance(seconds=KEPT.total_seconds())
    assert expire(bench.brain) == 0
    cancel_job(bench.brain, ada, job.id)
    assert expire(bench.brain) == 1


def test_nothing_expires_where_the_operator_says_so_or_in_ones_own_unit(bench: Bench, ada: Caller, bob: Caller) -> None:
    bench.own_unit(bob, is_default=True)
    assert bench.data_file(bob).expires_at is None
    bench.brain = replace(bench.brain, limits=Limits(inputs_kept=None))
    data_file = bench.data_file(ada)
    bench.clock.advance(days=10_000)
    assert expire(bench.brain) == 0
    assert bench.storage.head(Bucket.DATA, data_file.key) is not None
