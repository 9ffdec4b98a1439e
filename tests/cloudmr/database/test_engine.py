from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from bench import NOON, Bench
from cloudmr.database.base import Database
from cloudmr.database.engine import is_sqlite, make_engine, sqlite_file
from cloudmr.errors import DatabaseUnavailable
from cloudmr.model.throttle import Tries
from databases import NewDatabase, ServerDatabases, database_file
from mroptimum.errors import MissingExtra


def asked(database: Database, question: str) -> object:
    with database.engine.connect() as connection:
        return connection.execute(text(question)).scalar_one()


def test_sqlite_is_set_up_to_keep_its_promises(tmp_path: Path) -> None:
    with closing(Database(make_engine(database_file(tmp_path)))) as database:
        assert asked(database, "PRAGMA journal_mode") == "wal"
        assert asked(database, "PRAGMA foreign_keys") == 1
        assert asked(database, "PRAGMA synchronous") == 2
        assert asked(database, "PRAGMA busy_timeout") == 30_000


def test_postgresql_is_set_up_to_keep_its_promises(server_databases: ServerDatabases) -> None:
    url = server_databases.lend()
    with closing(Database(make_engine(url))) as database:
        assert asked(database, "SHOW lock_timeout") == "30s"
        assert asked(database, "SHOW idle_in_transaction_session_timeout") == "1min"
        assert asked(database, "SHOW application_name") == "cloudmr"
        with database.read() as transaction:
            connection = transaction.tries._connection
            assert connection.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "repeatable read"
            assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
        with database.connect_to_write() as connection:
            assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "off"
    server_databases.take_back(url)


def test_foreign_keys_hold(bench: Bench) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), bench.brain.database.connect_to_write() as connection:
        connection.exec_driver_sql("INSERT INTO job_inputs (job_id, data_id, place) VALUES ('j', 'd', 0)")


def test_read_then_write_from_many_threads_loses_nothing(bench: Bench) -> None:
    """Two Brains' worth of them; on SQLite, most deferred transactions would fail at once ("database is locked")."""
    n_threads, n_each = 8, 10
    together = threading.Barrier(n_threads)
    brains = [Database(make_engine(bench.database_url)) for _ in range(2)]

    def count(number: int) -> None:
        together.wait()
        for _ in range(n_each):
            with brains[number % 2].write() as transaction:
                tries = transaction.tries.get("k") or Tries(count=0, since=NOON)
                transaction.tries.put("k", Tries(count=tries.count + 1, since=NOON))

    with ThreadPoolExecutor(n_threads) as threads:
        for future in [threads.submit(count, number) for number in range(n_threads)]:
            future.result()
    for brain in brains:
        brain.close()
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


def test_whether_it_answers(empty_database: NewDatabase) -> None:
    with closing(Database(make_engine(empty_database()))) as database:
        assert database.is_answering()


def test_a_file_that_cannot_be_is_out_of_reach_at_once(tmp_path: Path) -> None:
    gone = Database(make_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}"))
    assert not gone.is_answering()
    with pytest.raises(DatabaseUnavailable), gone.read():
        pass


def test_a_mistake_in_a_statement_is_no_trouble_of_the_database(bench: Bench) -> None:
    with pytest.raises(DBAPIError, match="no_such_table"), bench.brain.database.connect_to_write() as connection:
        connection.exec_driver_sql("SELECT 1 FROM no_such_table")


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match="psycopg") as caught:
        make_engine("postgresql://brain@db/brain")
    assert "mroptimum[postgres]" in caught.value.next_step


def test_which_database_it_is() -> None:
    assert is_sqlite("sqlite:////var/lib/brain.sqlite")
    assert sqlite_file("sqlite:////var/lib/brain.sqlite") == Path("/var/lib/brain.sqlite")
    assert not is_sqlite("postgresql://brain@db/brain")
    for url in ("postgresql://brain@db/brain", "postgresql+psycopg://brain@db/brain"):
        engine = make_engine(url)
        assert engine.dialect.driver == "psycopg"
    for without_file in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ValueError, match="needs a file"):
            sqlite_file(without_file)
