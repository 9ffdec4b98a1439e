from __future__ import annotations

import pytest

from bench import Bench
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.jobs import ResultPackage, get_job, job_history, job_log, job_result, list_jobs
from cloudmr.services.settle_job import settle_job


def result_of(bench: Bench, owner: Caller, job: Job) -> ResultPackage:
    return job_result(bench.brain, get_job(bench.brain, owner, job.id))


def test_the_list_is_ones_own_latest_first_in_pages_and_by_state(bench: Bench, ada: Caller, bob: Caller) -> None:
    jobs = [bench.job(ada) for _ in range(4)]
    bench.job(bob)
    cancel_job(bench.brain, ada, jobs[1].id)

    def ids(*, limit: int = 10, before: str | None = None, states: tuple[JobState, ...] = ()) -> list[str]:
        found = list_jobs(bench.brain, ada, JobFilter(states=states), limit=limit, before=before)
        return [view.job.id for view in found]

    latest_first = [job.id for job in reversed(jobs)]
    assert ids() == latest_first
    assert ids(limit=3) + ids(limit=3, before=latest_first[2]) == latest_first
    assert ids(states=(JobState.CANCELLED,)) == [jobs[1].id]
    assert set(ids(states=(JobState.QUEUED, JobState.CANCELLED))) == set(latest_first)


def test_the_history_is_what_is_new(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    view, events = job_history(bench.brain, ada, job.id)
    assert [event.number for event in events] == [1, 2]
    assert view.job.version == 2
    assert job_history(bench.brain, ada, job.id, after=1)[1] == events[1:]
    assert job_history(bench.brain, ada, job.id, after=2)[1] == []


def test_the_log_is_what_the_worker_says(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    assert list(job_log(bench.brain, get_job(bench.brain, ada, job.id)).lines) == []
    job = bench.running_job(ada)
    bench.unit.progress(job.execution_name, step="reading", sequence=1)
    view = get_job(bench.brain, ada, job.id)
    assert [line.message for line in job_log(bench.brain, view).lines] == ["reading"]
    bench.unit.is_reachable = False
    log = job_log(bench.brain, view)
    assert not log.is_available
    assert list(log.lines) == []


def test_a_result_is_one_file_and_its_parts(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    with pytest.raises(Conflict) as refused:
        result_of(bench, ada, job)
    assert refused.value.instance_code == "job_not_ended"
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    result = result_of(bench, ada, job)
    assert result.package is not None
    assert f"filename={job.id}.zip" in result.package.request.url
    assert [file.name for file in result.files] == ["info.json", "manifest.json"]
    assert "/objects/results/results/" in result.files[0].request.url


def test_a_failed_job_left_its_failure_package(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    settle_job(bench.brain, job.id)
    result = result_of(bench, ada, job)
    assert [file.name for file in result.files] == ["error.json", "manifest.json"]
    assert "/objects/failed/failed/" in result.files[0].request.url


def test_a_job_whose_worker_died_left_nothing(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.CPU_TIME)
    settle_job(bench.brain, job.id)
    result = result_of(bench, ada, job)
    assert result.package is None
    assert list(result.files) == []


def test_other_peoples_jobs_are_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.running_job(ada)
    for look in (get_job, job_history):
        with pytest.raises(NotFound):
            look(bench.brain, bob, job.id)
