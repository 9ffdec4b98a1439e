from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bench import Bench, task_of
from benches import MakeBench
from cloudmr.errors import Conflict, InvalidRequest, LimitReached, NotFound
from cloudmr.model.data_files import DataFile
from cloudmr.model.documents import FrozenDocument
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.units import Mode
from cloudmr.services.delete_data import delete_data
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.services.upload_data import start_upload
from mroptimum.errors import TaskError


def n_jobs(bench: Bench, owner: Caller) -> int:
    with bench.brain.database.read() as transaction:
        return len(transaction.jobs.of_owner(owner.id, limit=100))


def test_a_job_is_accepted_with_what_was_decided(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    job = bench.job(ada, data_file, alias="knee")
    assert (job.state, job.version, job.attempt) == (JobState.QUEUED, 1, 0)
    assert (job.alias, job.unit_id, job.data_ids) == ("knee", bench.local_unit.id, (data_file.id,))
    assert job.unit_reason == "The data are there."
    assert bench.brain.dispatch_alarm.is_set()
    assert bench.read(job) == job


def test_the_document_is_frozen_as_it_was_accepted(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada, b"12345678")
    document = FrozenDocument.model_validate_json(bench.job(ada, data_file).document)
    assert document.schema_version == 1
    assert document.task["options"]["reconstructor"]["options"]["signal"]["options"]["key"] == data_file.key
    assert document.output == {"coilsensitivity": False, "gfactor": True, "matlab": False}
    [file] = document.inputs
    assert (file.data_id, file.bucket, file.size_bytes) == (data_file.id, "data", 8)


def test_a_file_used_twice_is_one_input(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    task = task_of(data_file)
    options = task["options"]["reconstructor"]["options"]
    options["noise"] = options["signal"]
    job = submit_job(bench.brain, ada, JobOrder(document={"task": task}))
    assert job.data_ids == (data_file.id,)


def test_a_name_is_made_where_none_is_given(bench: Bench, ada: Caller) -> None:
    assert bench.job(ada).alias == "AC RSS"
    assert bench.job(ada, alias=" \x00 ").alias == "AC RSS"


def test_every_problem_of_a_task_is_named_and_nothing_is_kept(bench: Bench, ada: Caller) -> None:
    task = task_of(bench.data_file(ada)) | {"name": "xy", "colour": "red"}
    with pytest.raises(TaskError, match=r"(?s)(?=.*colour)(?=.*name)"):
        submit_job(bench.brain, ada, JobOrder(document={"task": task}))
    assert n_jobs(bench, ada) == 0


def test_other_peoples_files_are_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    with pytest.raises(NotFound):
        bench.job(bob, bench.data_file(ada))


@pytest.mark.parametrize(
    "key",
    ["uploads/data_01m81j18g0j1218zet8qksc3hx", "results/job_1/1/manifest.json", "uploads/../etc", "x", "uploads/"],
)
def test_a_key_that_is_no_data_file_is_not_there(bench: Bench, ada: Caller, key: str) -> None:
    task = task_of(bench.data_file(ada))
    task["options"]["reconstructor"]["options"]["signal"]["options"]["key"] = key
    with pytest.raises(NotFound):
        submit_job(bench.brain, ada, JobOrder(document={"task": task}))


def test_the_bucket_must_be_the_units(bench: Bench, ada: Caller) -> None:
    task = task_of(bench.data_file(ada), bucket="somebody-elses")
    with pytest.raises(InvalidRequest) as refused:
        submit_job(bench.brain, ada, JobOrder(document={"task": task}))
    assert refused.value.instance_code == "wrong_bucket"


def test_a_file_of_the_callers_own_machine_must_be_uploaded_first(bench: Bench, ada: Caller) -> None:
    task = task_of(bench.data_file(ada))
    task["options"]["reconstructor"]["options"]["signal"]["options"] = {"type": "local", "filename": "/tmp/x.dat"}
    with pytest.raises(InvalidRequest) as refused:
        submit_job(bench.brain, ada, JobOrder(document={"task": task}))
    assert refused.value.instance_code == "file_not_uploaded"


def test_a_file_must_be_complete(bench: Bench, ada: Caller) -> None:
    started = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=10)
    with pytest.raises(Conflict) as refused:
        bench.job(ada, started.view.data_file)
    assert refused.value.instance_code == "data_not_ready"


def test_a_deleted_file_is_not_there(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    delete_data(bench.brain, ada, [data_file.id])
    with pytest.raises(NotFound):
        bench.job(ada, data_file)


def moved(bench: Bench, data_file: DataFile, unit_id: str) -> DataFile:
    after = replace(data_file, unit_id=unit_id)
    with bench.brain.database.write() as transaction:
        assert transaction.data_files.replace(data_file, after)
    return after


def test_a_job_runs_where_its_data_are_whatever_the_default(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    own = bench.own_unit(ada, is_default=True)
    assert bench.job(ada, data_file).unit_id == bench.local_unit.id
    assert bench.job(ada, moved(bench, data_file, own.id)).unit_id == own.id


def test_asking_for_another_unit_than_that_of_the_data_is_refused(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    unit = bench.own_unit(ada)
    for order in ({"unit_id": unit.id}, {"mode": Mode.MODE_2}):
        with pytest.raises(Conflict) as refused:
            bench.job(ada, data_file, **order)
        assert refused.value.instance_code == "data_in_other_unit"


def test_another_application_is_refused(bench: Bench, ada: Caller) -> None:
    with pytest.raises(InvalidRequest, match="application"):
        bench.job(ada, app_name="Another")


def test_the_same_key_and_order_are_the_same_job(bench: Bench, ada: Caller, bob: Caller) -> None:
    data_file = bench.data_file(ada)
    first = bench.job(ada, data_file, idempotency_key="k")
    assert bench.job(ada, data_file, idempotency_key="k") == first
    assert n_jobs(bench, ada) == 1
    assert bench.job(bob, idempotency_key="k").id != first.id
    assert bench.job(ada, data_file).id != first.id


def test_the_same_key_for_another_order_is_refused(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    bench.job(ada, data_file, idempotency_key="k")
    with pytest.raises(Conflict) as refused:
        bench.job(ada, data_file, idempotency_key="k", alias="other")
    assert refused.value.instance_code == "idempotency_key_reused"


def test_a_double_click_is_one_job(make_bench: MakeBench) -> None:
    bench = make_bench(is_watched=False)
    ada = bench.person()
    order = JobOrder(document={"task": task_of(bench.data_file(ada))}, idempotency_key="k")
    n_clicks = 8
    together = threading.Barrier(n_clicks)

    def click() -> Job:
        together.wait()
        return submit_job(bench.brain, ada, order)

    with ThreadPoolExecutor(n_clicks) as threads:
        jobs = [future.result() for future in [threads.submit(click) for _ in range(n_clicks)]]
    assert len({job.id for job in jobs}) == 1
    assert n_jobs(bench, ada) == 1


def test_too_many_waiting_jobs_are_refused_with_the_limit_and_the_way_out(make_bench: MakeBench) -> None:
    bench = make_bench(limits=Limits(n_queued_each=2))
    ada, bob = bench.person(), bench.person()
    for _ in range(2):
        bench.job(ada)
    with pytest.raises(LimitReached, match="2 jobs waiting") as refused:
        bench.job(ada)
    assert "mode 2" in refused.value.next_step
    assert refused.value.retry_after_s > 0
    bench.job(bob)
