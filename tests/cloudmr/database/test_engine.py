from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from bench import NOON, Bench
from cloudmr.database.base import Database
from cloudmr.database.engine import is_sqlite, make_engine, sqlite_file
from cloudmr.model.throttle import Tries


def pragma(database: Database, name: str) -> object:
    with database.engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_sqlite_is_set_up_to_keep_its_promises(bench: Bench) -> None:
    database = bench.brain.database
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "busy_timeout") == 30_000


def test_foreign_keys_hold(bench: Bench) -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), bench.brain.database.connect_to_write() as connection:
        connection.exec_driver_sql("INSERT INTO job_inputs (job_id, data_id, place) VALUES ('j', 'd', 0)")


def test_read_then_write_from_many_threads_loses_nothing(bench: Bench) -> None:
    """In deferred transactions most of these would fail at once with "database is locked"."""
    n_threads, n_each = 8, 10
    together = threading.Barrier(n_threads)

    def count() -> None:
        together.wait()
        for _ in range(n_each):
            with bench.brain.database.write() as transaction:
                tries = transaction.tries.get("k") or Tries(count=0, since=NOON)
                transaction.tries.put("k", Tries(count=tries.count + 1, since=NOON))

    with ThreadPoolExecutor(n_threads) as threads:
        for future in [threads.submit(count) for _ in range(n_threads)]:
            future.result()
    with bench.brain.database.read() as transaction:
        assert transaction.tries.get("k") == Tries(count=n_threads * n_each, since=NOON)


def test_a_transaction_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    def fail_half_way() -> None:
        with bench.brain.database.write() as transaction:
            transaction.tries.put("k", Tries(count=1, since=NOON))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    with bench.brain.database.read() as transaction:
        assert transaction.tries.get("k") is None


def test_a_reader_sees_one_moment_and_hinders_no_writer(bench: Bench) -> None:
    database = bench.brain.database
    with database.read() as reader:
        assert reader.tries.get("k") is None
        with database.write() as writer:
            writer.tries.put("k", Tries(count=1, since=NOON))
        assert reader.tries.get("k") is None
    with database.read() as reader:
        assert reader.tries.get("k") is not None


def test_moments_come_back_in_utc_and_nothing_else_is_stored(bench: Bench) -> None:
    moment = NOON + timedelta(microseconds=123456)
    with bench.brain.database.write() as transaction:
        transaction.tries.put("k", Tries(count=1, since=moment))
        found = transaction.tries.get("k")
    assert found is not None
    assert found.since == moment
    assert found.since.tzinfo is NOON.tzinfo
    for zone in (None, timezone(timedelta(hours=1))):
        with (
            pytest.raises(StatementError, match="only moments in UTC"),
            bench.brain.database.write() as transaction,
        ):
            transaction.tries.put("other", Tries(count=1, since=datetime(2026, 1, 1, tzinfo=zone)))


def test_whether_it_answers(tmp_path: Path) -> None:
    there = Database(make_engine(f"sqlite:///{tmp_path / 'brain.sqlite'}"))
    assert there.is_answering()
    there.close()
    gone = Database(make_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}"))
    assert not gone.is_answering()
    with pytest.raises(DBAPIError), gone.read():
        pass


def test_which_database_it_is() -> None:
    assert is_sqlite("sqlite:////var/lib/brain.sqlite")
    assert sqlite_file("sqlite:////var/lib/brain.sqlite") == Path("/var/lib/brain.sqlite")
    assert not is_sqlite("postgresql+psycopg://brain@db/brain")
    for without_file in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="needs a file"):
            sqlite_file(without_file)
