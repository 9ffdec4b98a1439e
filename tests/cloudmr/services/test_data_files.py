from __future__ import annotations

from dataclasses import replace

import pytest

from bench import Bench
from cloudmr.errors import Conflict, NotFound, UnitUnavailable
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.people import Caller
from cloudmr.services.brain import UnitLink
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.data_files import download_data, get_data, list_data, rename_data
from cloudmr.services.delete_data import delete_data
from cloudmr.services.purge import purge_data
from cloudmr.services.tidy import UNFINISHED_UPLOADS_KEPT, tidy
from cloudmr.services.upload_data import start_upload
from cloudmr.storage.base import Bucket


def is_stored(bench: Bench, data_file: DataFile) -> bool:
    return bench.storage.head(Bucket.DATA, data_file.key) is not None


def test_the_list_is_ones_own_latest_first_in_pages(bench: Bench, ada: Caller, bob: Caller) -> None:
    files = []
    for _ in range(3):
        bench.clock.advance(seconds=1)
        files.append(bench.data_file(ada))
    bench.data_file(bob)
    assert [view.data_file for view in list_data(bench.brain, ada, limit=10)] == files[::-1]
    page = list_data(bench.brain, ada, limit=2)
    rest = list_data(bench.brain, ada, limit=2, before=page[-1].data_file.id)
    assert [view.data_file for view in (*page, *rest)] == files[::-1]
    assert page[0].unit == bench.local_unit


def test_a_file_is_renamed(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    rename_data(bench.brain, ada, data_file.id, filename="knee.dat")
    assert get_data(bench.brain, ada, data_file.id).data_file == replace(data_file, filename="knee.dat")


def test_a_download_has_the_files_name(bench: Bench, ada: Caller) -> None:
    signed = download_data(bench.brain, ada, bench.data_file(ada, filename="knee 3T.dat").id)
    assert signed.method == "GET"
    assert "filename=knee+3T.dat" in signed.url


def test_what_is_not_complete_cannot_be_downloaded(bench: Bench, ada: Caller) -> None:
    started = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8)
    with pytest.raises(Conflict, match="not complete"):
        download_data(bench.brain, ada, started.view.data_file.id)


def test_a_file_deleted_for_good_is_gone_and_its_object_a_moment_later(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    delete_data(bench.brain, ada, [data_file.id], for_good=True)
    assert list_data(bench.brain, ada, limit=10) == []
    with pytest.raises(NotFound):
        get_data(bench.brain, ada, data_file.id)
    with pytest.raises(NotFound):
        delete_data(bench.brain, ada, [data_file.id], for_good=True)
    assert bench.brain.check_alarm.is_set()
    assert purge_data(bench.brain) == 1
    assert not is_stored(bench, data_file)
    assert purge_data(bench.brain) == 0


def test_a_file_that_a_job_reads_stays(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    job = bench.job(ada, data_file)
    with pytest.raises(Conflict) as refused:
        delete_data(bench.brain, ada, [data_file.id], for_good=True)
    assert refused.value.instance_code == "data_in_use"
    cancel_job(bench.brain, ada, job.id)
    delete_data(bench.brain, ada, [data_file.id], for_good=True)


def test_in_somebodys_own_unit_nothing_is_removed(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    own = bench.own_unit(ada)
    with bench.brain.database.write() as transaction:
        transaction.data_files.replace(data_file, replace(data_file, unit_id=own.id))
    delete_data(bench.brain, ada, [data_file.id], for_good=True)
    assert purge_data(bench.brain) == 1
    assert is_stored(bench, data_file)


def test_a_unit_that_is_away_is_purged_when_it_is_back(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    delete_data(bench.brain, ada, [data_file.id], for_good=True)

    def away(_: object) -> UnitLink:
        raise UnitUnavailable("Away.", "Wait.")

    assert purge_data(replace(bench.brain, connect=away)) == 0
    assert is_stored(bench, data_file)
    assert purge_data(bench.brain) == 1


def test_other_peoples_files_are_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    data_file = bench.data_file(ada)
    for attempt in (
        lambda: get_data(bench.brain, bob, data_file.id),
        lambda: rename_data(bench.brain, bob, data_file.id, filename="mine"),
        lambda: download_data(bench.brain, bob, data_file.id),
        lambda: delete_data(bench.brain, bob, [data_file.id]),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert get_data(bench.brain, ada, data_file.id).data_file == data_file


def test_uploads_that_nobody_finishes_are_given_up(bench: Bench, ada: Caller) -> None:
    old = start_upload(bench.brain, ada, filename="old.dat", size_bytes=8).view.data_file
    bench.clock.advance(seconds=UNFINISHED_UPLOADS_KEPT.total_seconds())
    young = start_upload(bench.brain, ada, filename="young.dat", size_bytes=8).view.data_file
    bench.clock.advance(seconds=1)
    tidy(bench.brain)
    assert get_data(bench.brain, ada, old.id).data_file.state is DataState.ABORTED
    assert get_data(bench.brain, ada, young.id).data_file.state is DataState.UPLOADING
