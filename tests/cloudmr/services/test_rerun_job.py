from __future__ import annotations

import pytest

from bench import Bench
from cloudmr.errors import NotFound
from cloudmr.model.people import Caller
from cloudmr.services.delete_data import delete_data
from cloudmr.services.jobs import frozen_document
from cloudmr.services.rerun_job import rerun_job
from cloudmr.services.settle_job import settle_job


def test_the_same_document_is_a_new_job_that_says_of_which(bench: Bench, ada: Caller) -> None:
    first = bench.running_job(ada)
    bench.succeed(first)
    settle_job(bench.brain, first.id)
    again = rerun_job(bench.brain, ada, first.id, idempotency_key="again")
    assert again.id != first.id
    assert again.rerun_of == first.id
    old, new = frozen_document(first), frozen_document(again)
    assert (new.task, new.output, new.inputs, new.alias) == (old.task, old.output, old.inputs, old.alias)
    assert rerun_job(bench.brain, ada, first.id, idempotency_key="again") == again
    with bench.brain.database.read() as transaction:
        assert first.id in transaction.jobs.events(again.id)[0].reason


def test_without_its_data_a_job_cannot_be_run_again(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    job = bench.job(ada, data_file)
    settled = bench.running_job(ada)
    assert settled.id != job.id
    bench.succeed(bench.read(job))
    settle_job(bench.brain, job.id)
    delete_data(bench.brain, ada, [data_file.id])
    with pytest.raises(NotFound, match="data file"):
        rerun_job(bench.brain, ada, job.id)


def test_other_peoples_jobs_are_not_run_again(bench: Bench, ada: Caller, bob: Caller) -> None:
    with pytest.raises(NotFound):
        rerun_job(bench.brain, bob, bench.job(ada).id)
