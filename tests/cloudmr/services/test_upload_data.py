from __future__ import annotations

import base64
import errno
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bench import Bench
from cloudmr.errors import Conflict, InvalidRequest, LimitReached, NotFound
from cloudmr.model.data_files import DataState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.throttle import Tries
from cloudmr.model.units import Mode
from cloudmr.services.delete_data import delete_data
from cloudmr.services.purge import purge_data
from cloudmr.services.throttling import UPLOAD, try_key
from cloudmr.services.upload_data import (
    AnnouncedPart,
    abort_upload,
    complete_upload,
    list_parts,
    sign_parts,
    start_upload,
)
from cloudmr.storage.base import PART_SIZE_BYTES, Bucket
from cloudmr.storage.checksums import composite
from cloudmr.storage.local import LocalStorage

SHA256 = base64.b64encode(hashlib.sha256(b"raw data").digest()).decode()
PART = AnnouncedPart(number=1, sha256=SHA256)


def test_an_upload_from_start_to_end(bench: Bench, ada: Caller) -> None:
    started = start_upload(bench.brain, ada, filename=r"C:\Users\ada\meas.dat", size_bytes=8)
    data_file = started.view.data_file
    assert (data_file.filename, data_file.state, data_file.unit_id) == (
        "meas.dat",
        DataState.UPLOADING,
        bench.local_unit.id,
    )
    assert started.reason == "It is the shared unit."
    assert [part.method for part in sign_parts(bench.brain, ada, data_file.id, [PART])] == ["PUT"]
    assert list_parts(bench.brain, ada, data_file.id) == []
    bench.send_part(data_file, b"raw data")
    assert [part.sha256 for part in list_parts(bench.brain, ada, data_file.id)] == [SHA256]
    ready = complete_upload(bench.brain, ada, data_file.id).data_file
    assert ready.state is DataState.READY
    assert ready.completed_at == bench.clock.now
    assert ready.checksum == composite([hashlib.sha256(b"raw data").digest()])
    assert complete_upload(bench.brain, ada, data_file.id).data_file == ready


def test_no_name_of_a_file_stands_in_a_key(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada, filename="Doe_John_19700101.dat")
    assert data_file.key == f"uploads/{data_file.id}"


def test_an_upload_is_complete_only_with_every_byte(bench: Bench, ada: Caller) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=9).view.data_file
    bench.send_part(data_file, b"raw data")
    with pytest.raises(Conflict, match="8 of 9 bytes"):
        complete_upload(bench.brain, ada, data_file.id)
    bench.send_part(data_file, b"raw data!")
    assert complete_upload(bench.brain, ada, data_file.id).data_file.state is DataState.READY


def test_an_upload_whose_completion_was_interrupted_is_completed(bench: Bench, ada: Caller) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8).view.data_file
    bench.send_part(data_file, b"raw data")
    bench.storage.complete_upload(Bucket.DATA, data_file.key, data_file.upload_id)
    ready = complete_upload(bench.brain, ada, data_file.id).data_file
    assert ready.state is DataState.READY
    assert ready.checksum == composite([hashlib.sha256(b"raw data").digest()])


def test_an_upload_whose_completion_failed_in_its_middle_is_completed(
    bench: Bench, ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8).view.data_file
    bench.send_part(data_file, b"raw data")
    with monkeypatch.context() as full:
        full.setattr(LocalStorage, "_publish", no_room)
        with pytest.raises(OSError, match="No space"):
            complete_upload(bench.brain, ada, data_file.id)
    assert complete_upload(bench.brain, ada, data_file.id).data_file.state is DataState.READY


@pytest.mark.parametrize("number", [0, -1, 2])
def test_a_file_has_the_parts_that_its_size_says(bench: Bench, ada: Caller, number: int) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=PART_SIZE_BYTES).view.data_file
    with pytest.raises(InvalidRequest, match="no part"):
        sign_parts(bench.brain, ada, data_file.id, [PART, replace(PART, number=number)])


@pytest.mark.parametrize("size_bytes", [0, -1, 20 * 10**9 + 1])
def test_a_file_has_a_size_that_can_be(bench: Bench, ada: Caller, size_bytes: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        start_upload(bench.brain, ada, filename="meas.dat", size_bytes=size_bytes)
    assert refused.value.instance_code == "file_size"


def test_what_was_given_up_is_over_and_forgotten(bench: Bench, ada: Caller) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8).view.data_file
    bench.send_part(data_file, b"raw data")
    abort_upload(bench.brain, ada, data_file.id)
    abort_upload(bench.brain, ada, data_file.id)
    for refused in (
        lambda: complete_upload(bench.brain, ada, data_file.id),
        lambda: list_parts(bench.brain, ada, data_file.id),
        lambda: sign_parts(bench.brain, ada, data_file.id, [PART]),
    ):
        with pytest.raises(Conflict, match="has ended"):
            refused()
    assert purge_data(bench.brain) == 1
    assert purge_data(bench.brain) == 0
    assert list((bench.folder / "storage" / "uploads").iterdir()) == []


def test_a_complete_file_cannot_be_given_up(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    with pytest.raises(Conflict, match="has ended"):
        abort_upload(bench.brain, ada, data_file.id)


def test_other_peoples_uploads_are_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8).view.data_file
    for attempt in (
        lambda: sign_parts(bench.brain, bob, data_file.id, [PART]),
        lambda: list_parts(bench.brain, bob, data_file.id),
        lambda: complete_upload(bench.brain, bob, data_file.id),
        lambda: abort_upload(bench.brain, bob, data_file.id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_the_unit_is_chosen_before_the_first_byte(bench: Bench, ada: Caller, bob: Caller) -> None:
    own = bench.own_unit(ada, is_default=True)

    def unit_of(owner: Caller, **choice: object) -> str:
        return start_upload(bench.brain, owner, filename="m", size_bytes=8, **choice).view.unit.id  # type: ignore[arg-type]

    assert unit_of(ada) == own.id
    assert unit_of(ada, mode=Mode.MODE_1) == bench.local_unit.id
    assert unit_of(ada, unit_id=bench.local_unit.id) == bench.local_unit.id
    assert unit_of(bob) == bench.local_unit.id
    with pytest.raises(NotFound):
        unit_of(bob, unit_id=own.id)
    with pytest.raises(Conflict, match="no computing unit of mode_2"):
        unit_of(bob, mode=Mode.MODE_2)


def test_the_limit_is_the_operators(bench: Bench, ada: Caller) -> None:
    brain = replace(bench.brain, limits=Limits(max_upload_bytes=7))
    with pytest.raises(InvalidRequest, match="1 to 7"):
        start_upload(brain, ada, filename="meas.dat", size_bytes=8)


def test_a_person_has_so_much_room_in_the_shared_unit(bench: Bench, ada: Caller, bob: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(max_stored_bytes_each=20))
    ready = bench.data_file(ada, b"raw data")
    unfinished = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=12).view.data_file
    with pytest.raises(LimitReached, match="20 of 20 bytes") as refused:
        start_upload(bench.brain, ada, filename="meas.dat", size_bytes=1)
    assert refused.value.instance_code == "storage_full"
    assert "Delete data files" in refused.value.next_step
    start_upload(bench.brain, bob, filename="meas.dat", size_bytes=20)
    abort_upload(bench.brain, ada, unfinished.id)
    start_upload(bench.brain, ada, filename="meas.dat", size_bytes=12)
    delete_data(bench.brain, ada, [ready.id], for_good=True)
    start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8)


def test_room_in_a_unit_of_ones_own_is_ones_own_affair(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    brain = replace(bench.brain, limits=Limits(max_stored_bytes_each=10))
    for _ in range(2):
        start_upload(brain, ada, filename="meas.dat", size_bytes=11)
    start_upload(brain, ada, filename="meas.dat", size_bytes=10, mode=Mode.MODE_1)


def test_many_uploads_at_once_find_no_more_room_than_one_after_the_other(bench: Bench, ada: Caller) -> None:
    brain = replace(bench.brain, limits=Limits(max_stored_bytes_each=20))
    n_uploads = 6
    together = threading.Barrier(n_uploads)

    def begin(_: int) -> bool:
        together.wait()
        try:
            start_upload(brain, ada, filename="meas.dat", size_bytes=8)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(n_uploads) as threads:
        assert sum(threads.map(begin, range(n_uploads))) == 2
    assert len(list((bench.folder / "storage" / "uploads").iterdir())) == 2


def test_uploads_are_begun_at_a_rate(bench: Bench, ada: Caller, bob: Caller) -> None:
    with bench.brain.database.write() as transaction:
        transaction.tries.put(try_key("upload", ada.id), Tries(count=UPLOAD.limit - 1, since=bench.clock.now))
    start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8)
    with pytest.raises(LimitReached) as refused:
        start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8)
    assert refused.value.instance_code == "too_many_tries"
    start_upload(bench.brain, bob, filename="meas.dat", size_bytes=8)
    bench.clock.advance(seconds=refused.value.retry_after_s)
    start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8)
