from __future__ import annotations

from datetime import timedelta

import pytest

from bench import Bench
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.documents import results_prefix
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_job import delete_job, restore_job
from cloudmr.services.expire import expire
from cloudmr.services.jobs import get_job, job_result, list_jobs
from cloudmr.services.purge import purge_results
from cloudmr.services.rename_job import rename_job
from cloudmr.services.settle_job import settle_job
from cloudmr.storage.base import Bucket

UNDO = Limits().undo


def ended_job(bench: Bench, owner: Caller) -> Job:
    job = bench.running_job(owner)
    bench.succeed(job)
    return settle_job(bench.brain, job.id)


def kept(bench: Bench, job: Job) -> list[str]:
    return [info.key for info in bench.storage.list(Bucket.RESULTS, f"{results_prefix(job.id, job.attempt)}/")]


def test_a_deleted_job_is_hidden_and_comes_back(bench: Bench, ada: Caller) -> None:
    job = ended_job(bench, ada)
    deleted = delete_job(bench.brain, ada, job.id).job
    assert deleted.purge_after == bench.clock.now + UNDO
    assert delete_job(bench.brain, ada, job.id).job == deleted
    assert list_jobs(bench.brain, ada, limit=10) == []
    with pytest.raises(NotFound):
        get_job(bench.brain, ada, job.id)
    with pytest.raises(NotFound):
        cancel_job(bench.brain, ada, job.id)
    bench.clock.advance(seconds=(UNDO - timedelta(seconds=1)).total_seconds())
    assert purge_results(bench.brain) == 0
    restore_job(bench.brain, ada, job.id)
    assert job_result(bench.brain, get_job(bench.brain, ada, job.id)).package is not None
    bench.clock.advance(days=1)
    assert purge_results(bench.brain) == 0


def test_after_its_time_all_of_it_is_removed(bench: Bench, ada: Caller) -> None:
    job = ended_job(bench, ada)
    delete_job(bench.brain, ada, job.id)
    assert kept(bench, job)
    bench.clock.advance(seconds=UNDO.total_seconds())
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            restore_job(bench.brain, ada, job.id)
        assert refused.value.instance_code == "job_purged"
        purge_results(bench.brain)
    assert kept(bench, job) == []
    purged = bench.read(job)
    assert (purged.alias, purged.document) == ("", "{}")
    assert purge_results(bench.brain) == 0


def test_what_has_not_ended_is_not_deleted(bench: Bench, ada: Caller) -> None:
    for job in (bench.job(ada), bench.running_job(ada)):
        with pytest.raises(Conflict) as refused:
            delete_job(bench.brain, ada, job.id)
        assert refused.value.instance_code == "job_not_ended"
        assert "Cancel" in refused.value.next_step


def test_in_ones_own_unit_only_the_record_is_hidden(bench: Bench, ada: Caller) -> None:
    own = bench.own_unit(ada, is_default=True)
    job = ended_job(bench, ada)
    assert job.unit_id == own.id
    assert job.expires_at is None
    delete_job(bench.brain, ada, job.id)
    with bench.brain.database.read() as transaction:
        assert "stays in its computing unit" in transaction.jobs.events(job.id)[-1].reason
    bench.clock.advance(seconds=UNDO.total_seconds())
    assert purge_results(bench.brain) == 1
    assert kept(bench, job)


def test_results_are_kept_for_their_time_and_then_for_an_undo(bench: Bench, ada: Caller) -> None:
    job = ended_job(bench, ada)
    results_kept = Limits().results_kept
    assert results_kept is not None
    assert job.expires_at == bench.clock.now + results_kept
    bench.clock.advance(seconds=(results_kept - timedelta(seconds=1)).total_seconds())
    expire(bench.brain)
    assert bench.read(job) == job
    bench.clock.advance(seconds=1)
    expire(bench.brain)
    view = get_job(bench.brain, ada, job.id)
    with pytest.raises(Conflict, match="Restore the job before") as refused:
        job_result(bench.brain, view)
    assert refused.value.instance_code == "result_expired"
    restored = restore_job(bench.brain, ada, job.id).job
    assert restored.expires_at == bench.clock.now + results_kept
    assert job_result(bench.brain, get_job(bench.brain, ada, job.id)).package is not None
    bench.clock.advance(seconds=results_kept.total_seconds())
    expire(bench.brain)
    bench.clock.advance(seconds=UNDO.total_seconds())
    assert purge_results(bench.brain) == 1
    with pytest.raises(Conflict, match="and then removed"):
        job_result(bench.brain, get_job(bench.brain, ada, job.id))
    assert get_job(bench.brain, ada, job.id).job.alias == job.alias
    with bench.brain.database.read() as transaction:
        happened = [event.action for event in transaction.jobs.events(job.id)]
    assert happened[-4:] == [JobAction.EXPIRED, JobAction.RESTORED, JobAction.EXPIRED, JobAction.PURGED]


def test_other_peoples_jobs_are_not_deleted_restored_or_renamed(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = ended_job(bench, ada)
    with pytest.raises(NotFound):
        delete_job(bench.brain, bob, job.id)
    with pytest.raises(NotFound):
        rename_job(bench.brain, bob, job.id, alias="mine")
    delete_job(bench.brain, ada, job.id)
    with pytest.raises(NotFound):
        restore_job(bench.brain, bob, job.id)


def test_a_job_is_renamed_whenever(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    rename_job(bench.brain, ada, job.id, alias="  knee\n 3T ")
    rename_job(bench.brain, ada, job.id, alias="knee 3T")
    renamed = bench.read(job)
    assert (renamed.alias, renamed.version, renamed.state) == ("knee 3T", 2, JobState.QUEUED)
