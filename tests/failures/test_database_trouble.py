"""The Brain's database is locked, full, restarted or away: nothing is half done, and everything goes on afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import event

from asgi import TestClient
from bench import NOON, Bench
from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.migrate import migrate
from cloudmr.errors import DatabaseUnavailable
from cloudmr.model.jobs import JobState
from cloudmr.model.throttle import Tries
from cloudmr.services.background import background
from cloudmr.services.readiness import is_ready
from databases import NewDatabase, database_file
from postgres_server import PostgresServer, postgres_server
from waiting import wait_until


def tries(database: Database) -> Tries | None:
    with database.read() as transaction:
        return transaction.tries.get("k")


def put_tries(database: Database, count: int = 1) -> None:
    with database.write() as transaction:
        transaction.tries.put("k", Tries(count=count, since=NOON))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for half a minute in tests."""
    monkeypatch.setattr("cloudmr.database.engine.LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr("cloudmr.database.engine._SERVER_PATIENCE_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_database_that_stays_locked_is_out_of_reach_for_writing_only(new_database: NewDatabase) -> None:
    url = new_database()
    with closing(Database(make_engine(url))) as holder, closing(Database(make_engine(url))) as database:
        with holder.write(), pytest.raises(DatabaseUnavailable):
            put_tries(database)
        with holder.write():
            assert tries(database) is None, "who reads waits for nobody"
        put_tries(database)
        assert tries(database) is not None


@pytest.mark.usefixtures("impatient")
def test_whoever_asks_meanwhile_is_told_to_come_back(bench: Bench, client: TestClient) -> None:
    with closing(Database(make_engine(bench.database_url))) as holder, holder.write():
        answer = client.post("/api/data/upload", json={"filename": "m", "size": 1})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "sqlite" not in answer.text.lower()
    assert "psycopg" not in answer.text.lower()
    assert client.post("/api/data/upload", json={"filename": "m", "size": 1}).status_code == 201


def test_a_full_disk_takes_nothing_by_halves(tmp_path: Path) -> None:
    with closing(Database(make_engine(database_file(tmp_path)))) as database:
        with database.engine.connect() as connection:
            n_pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        database.engine.dispose()

        def have_no_room(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {n_pages}")

        event.listen(database.engine, "connect", have_no_room)

        def fill() -> None:
            with database.write() as transaction:
                for number in range(10_000):
                    transaction.tries.put(f"{number:064}", Tries(count=1, since=NOON))

        with pytest.raises(DatabaseUnavailable):
            fill()
        with database.read() as transaction:
            assert transaction.tries.get(f"{0:064}") is None
        event.remove(database.engine, "connect", have_no_room)
        database.engine.dispose()
        put_tries(database)
        assert tries(database) is not None


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Return a server that no other test is disturbed by."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def at_own_server(own_server: PostgresServer, request: pytest.FixtureRequest) -> str:
    url = own_server.create(f"db_{request.node.name[:40]}")
    with closing(Database(make_engine(url))) as database:
        migrate(database)
    return url


@pytest.fixture
def patience_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough for a server to start on a busy machine."""
    monkeypatch.setattr("cloudmr.database.engine._SERVER_PATIENCE_S", 60.0)


@pytest.mark.usefixtures("patience_s")
def test_a_restart_is_waited_for(own_server: PostgresServer, at_own_server: str) -> None:
    with closing(Database(make_engine(at_own_server))) as database, ThreadPoolExecutor(8) as threads:
        put_tries(database)
        own_server.stop()
        asked = [threads.submit(tries, database) for _ in range(7)]
        asked.append(threads.submit(put_tries, database, 2))
        own_server.start()
        for answer in asked:
            answer.result()
        assert tries(database) == Tries(count=2, since=NOON)


@pytest.mark.usefixtures("patience_s")
def test_what_was_under_way_is_undone_and_may_be_repeated(own_server: PostgresServer, at_own_server: str) -> None:
    with closing(Database(make_engine(at_own_server))) as database:

        def interrupted() -> None:
            with database.write() as transaction:
                transaction.tries.put("k", Tries(count=1, since=NOON))
                own_server.stop()
                own_server.start()

        with pytest.raises(DatabaseUnavailable):
            interrupted()
        assert tries(database) is None
        put_tries(database)
        assert tries(database) == Tries(count=1, since=NOON)


def test_while_it_is_away_the_brain_says_so_and_goes_on_afterwards(
    own_server: PostgresServer, at_own_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudmr.database.engine._SERVER_PATIENCE_S", 0.0)
    bench = Bench(tmp_path / "bench", database_url=at_own_server, is_watched=False)
    ada = bench.person()
    assert is_ready(bench.brain)
    with background(bench.brain):
        own_server.stop()
        assert not is_ready(bench.brain)
        with pytest.raises(DatabaseUnavailable):
            bench.job(ada)
        own_server.start()
        assert is_ready(bench.brain)
        job = bench.job(ada)
        wait_until(lambda: bench.read(job).state is JobState.DISPATCHED, what="the job's turn")
    bench.close()


def test_a_brain_that_hangs_in_mid_transaction_stops_the_others_for_a_minute_at_most(
    at_own_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudmr.database.engine._STUCK_S", 0.2)
    with closing(Database(make_engine(at_own_server))) as hanging:
        with ExitStack() as stack, closing(Database(make_engine(at_own_server))) as other:
            transaction = stack.enter_context(hanging.write())
            transaction.tries.put("k", Tries(count=1, since=NOON))
            put_tries(other, 2)
            assert tries(other) == Tries(count=2, since=NOON)
            with pytest.raises(DatabaseUnavailable):
                stack.close()
        assert tries(hanging) == Tries(count=2, since=NOON)
