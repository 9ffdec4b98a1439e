from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bench import Bench
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.data_files import DataState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.services.data_files import list_data
from cloudmr.services.delete_data import delete_data, restore_data
from cloudmr.services.purge import purge_data
from cloudmr.services.upload_data import start_upload
from cloudmr.storage.base import Bucket

UNDO = Limits().undo


def test_what_was_deleted_comes_back_within_its_time(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    [deleted] = delete_data(bench.brain, ada, [data_file.id])
    assert deleted.data_file.purge_after == bench.clock.now + UNDO
    assert list_data(bench.brain, ada, limit=10) == []
    assert [view.data_file.id for view in list_data(bench.brain, ada, limit=10, is_deleted=True)] == [data_file.id]
    bench.clock.advance(seconds=(UNDO - timedelta(seconds=1)).total_seconds())
    assert purge_data(bench.brain) == 0
    [restored] = restore_data(bench.brain, ada, [data_file.id])
    kept = Limits().inputs_kept
    assert kept is not None
    assert restored.data_file == replace(data_file, expires_at=bench.clock.now + kept)
    bench.clock.advance(days=1)
    assert purge_data(bench.brain) == 0
    assert bench.storage.head(Bucket.DATA, data_file.key) is not None
    bench.job(ada, data_file)


def test_after_its_time_it_is_gone_for_good(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    delete_data(bench.brain, ada, [data_file.id])
    bench.clock.advance(seconds=UNDO.total_seconds())
    assert list_data(bench.brain, ada, limit=10, is_deleted=True) == []
    for _ in range(2):  # before it is purged, and after
        with pytest.raises(Conflict) as refused:
            restore_data(bench.brain, ada, [data_file.id])
        assert refused.value.instance_code == "data_purged"
        purge_data(bench.brain)
    assert bench.storage.head(Bucket.DATA, data_file.key) is None


def test_all_are_deleted_or_none(bench: Bench, ada: Caller, bob: Caller) -> None:
    mine = [bench.data_file(ada) for _ in range(2)]
    foreign = bench.data_file(bob)
    with pytest.raises(NotFound):
        delete_data(bench.brain, ada, [mine[0].id, foreign.id])
    bench.job(ada, mine[1])
    with pytest.raises(Conflict, match=mine[1].id):
        delete_data(bench.brain, ada, [file.id for file in mine])
    assert len(list_data(bench.brain, ada, limit=10)) == 2
    assert len(delete_data(bench.brain, ada, [mine[0].id, mine[0].id])) == 1


def test_all_are_restored_or_none(bench: Bench, ada: Caller, bob: Caller) -> None:
    mine, foreign = bench.data_file(ada), bench.data_file(bob)
    delete_data(bench.brain, ada, [mine.id])
    delete_data(bench.brain, bob, [foreign.id])
    with pytest.raises(NotFound):
        restore_data(bench.brain, ada, [mine.id, foreign.id])
    assert list_data(bench.brain, ada, limit=10) == []


def test_what_is_there_stays_when_it_is_restored(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    [view] = restore_data(bench.brain, ada, [data_file.id])
    assert view.data_file == data_file


def test_an_unfinished_upload_is_deleted_for_good(bench: Bench, ada: Caller) -> None:
    data_file = start_upload(bench.brain, ada, filename="meas.dat", size_bytes=8).view.data_file
    delete_data(bench.brain, ada, [data_file.id])
    with pytest.raises(Conflict):
        restore_data(bench.brain, ada, [data_file.id])
    assert purge_data(bench.brain) == 1
    assert list((bench.folder / "storage" / "uploads").iterdir()) == []


def test_deleting_and_restoring_are_in_the_trail(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada)
    delete_data(bench.brain, ada, [data_file.id])
    restore_data(bench.brain, ada, [data_file.id])
    with bench.brain.database.read() as transaction:
        trail = transaction.accounts.audit_trail(ada.id, limit=2)
    assert [(event.action, event.target) for event in trail] == [
        (AuditAction.DATA_RESTORED, data_file.id),
        (AuditAction.DATA_DELETED, data_file.id),
    ]


def test_in_ones_own_unit_a_record_comes_back_as_well(bench: Bench, ada: Caller) -> None:
    own = bench.own_unit(ada)
    data_file = bench.data_file(ada)
    with bench.brain.database.write() as transaction:
        transaction.data_files.replace(data_file, replace(data_file, unit_id=own.id, expires_at=None))
    delete_data(bench.brain, ada, [data_file.id])
    [view] = restore_data(bench.brain, ada, [data_file.id])
    assert (view.data_file.state, view.data_file.expires_at) == (DataState.READY, None)
