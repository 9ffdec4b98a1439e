from __future__ import annotations

from pathlib import Path

import pytest

from bench import Bench, task_of
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.people import Caller
from cloudmr.services.add_data import add_data
from cloudmr.services.delete_data import delete_data
from cloudmr.services.jobs import frozen_document
from cloudmr.services.purge import purge_data
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.storage.base import Bucket

KEY = "uploads/study-7/meas.dat"


@pytest.fixture
def own(bench: Bench, ada: Caller) -> str:
    return bench.own_unit(ada).id


def put(bench: Bench, content: bytes = b"raw data", key: str = KEY) -> None:
    source = bench.folder / "outgoing"
    Path(source).write_bytes(content)
    bench.storage.put(Bucket.DATA, key, source)


def test_an_object_that_is_there_is_a_data_file_from_now_on(bench: Bench, ada: Caller, own: str) -> None:
    put(bench)
    size = AcquisitionSize(n_coils=16, n_x=256, n_y=128)
    data_file = add_data(bench.brain, ada, unit_id=own, key=KEY, acquisition=size).data_file
    assert (data_file.filename, data_file.size_bytes, data_file.key) == ("meas.dat", 8, KEY)
    assert data_file.checksum is not None
    assert (data_file.expires_at, data_file.acquisition) == (None, size)
    job = submit_job(bench.brain, ada, JobOrder(document={"task": task_of(data_file)}))
    assert job.unit_id == own
    [input_file] = frozen_document(job).inputs
    assert (input_file.key, input_file.checksum) == (KEY, data_file.checksum)


def test_an_object_is_added_once_until_it_is_deleted(bench: Bench, ada: Caller, own: str) -> None:
    put(bench)
    first = add_data(bench.brain, ada, unit_id=own, key=KEY).data_file
    with pytest.raises(Conflict, match=first.id):
        add_data(bench.brain, ada, unit_id=own, key=KEY)
    delete_data(bench.brain, ada, [first.id], for_good=True)
    assert purge_data(bench.brain) == 1
    assert bench.storage.head(Bucket.DATA, KEY) is not None
    second = add_data(bench.brain, ada, unit_id=own, key=KEY).data_file
    job = submit_job(bench.brain, ada, JobOrder(document={"task": task_of(second)}))
    assert job.data_ids == (second.id,)


def test_objects_of_shared_and_other_peoples_units_cannot_be_added(
    bench: Bench, ada: Caller, bob: Caller, own: str
) -> None:
    put(bench)
    with pytest.raises(NotAllowed) as refused:
        add_data(bench.brain, ada, unit_id=bench.local_unit.id, key=KEY)
    assert refused.value.instance_code == "not_your_unit"
    with pytest.raises(NotFound, match="computing unit"):
        add_data(bench.brain, bob, unit_id=own, key=KEY)


@pytest.mark.parametrize("key", ["uploads/", "results/a/manifest.json", "meas.dat", ""])
def test_only_what_lies_among_uploads_can_be_added(bench: Bench, ada: Caller, own: str, key: str) -> None:
    with pytest.raises(InvalidRequest):
        add_data(bench.brain, ada, unit_id=own, key=key)


def test_what_is_not_there_or_empty_cannot_be_added(bench: Bench, ada: Caller, own: str) -> None:
    with pytest.raises(NotFound, match="object"):
        add_data(bench.brain, ada, unit_id=own, key=KEY)
    put(bench, b"")
    with pytest.raises(InvalidRequest, match="empty"):
        add_data(bench.brain, ada, unit_id=own, key=KEY)
