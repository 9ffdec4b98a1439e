"""Databases for tests, of both kinds: each with all tables, and nothing in them.

A test that asks for `new_database`, or for a `bench` or `make_bench` that does, runs twice: on SQLite and PostgreSQL.
`pytest -k sqlite` and `pytest -k postgresql` choose one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine

from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.migrate import migrate
from cloudmr.database.tables import metadata
from postgres_server import PostgresServer, postgres_server

NewDatabase = Callable[[], str]
"""Makes a database and returns its address."""
KINDS = ("sqlite", "postgresql")
_TEMPLATE = "with_tables"


@cache
def _file_with_tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "brain.sqlite"
        with closing(Database(make_engine(f"sqlite:///{path}"))) as database:
            migrate(database)
        return path.read_bytes()


def database_file(folder: Path) -> str:
    """Make an SQLite database in a folder and return its address."""
    path = folder / "brain.sqlite"
    path.write_bytes(_file_with_tables())
    return f"sqlite:///{path}"


@dataclass
class ServerDatabases:
    """Databases at a server, lent to tests: what comes back is emptied and lent again, much faster than a new one."""

    server: PostgresServer
    _spare: list[str] = field(default_factory=list)
    _engines: dict[str, Engine] = field(default_factory=dict)

    def lend(self) -> str:
        return self._spare.pop() if self._spare else self.server.create(f"test_{next(_NUMBERS)}", template=_TEMPLATE)

    def engine(self, url: str) -> Engine:
        """Return a database's engine, the same each time: it knows the statements that were made with it."""
        if url not in self._engines:
            self._engines[url] = make_engine(url)
        return self._engines[url]

    def take_back(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}")
            for table in reversed(metadata.sorted_tables):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        self._spare.append(url)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a server that all tests share."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def server_databases(postgres: PostgresServer) -> ServerDatabases:
    with closing(Database(make_engine(postgres.create(_TEMPLATE)))) as database:
        migrate(database)
    return ServerDatabases(postgres)


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes databases with all tables and nothing in them, for the time of the test."""
    if database_kind == "sqlite":
        yield lambda: database_file(_new_folder(tmp_path))
        return
    databases: ServerDatabases = request.getfixturevalue("server_databases")
    lent: list[str] = []

    def lend() -> str:
        lent.append(databases.lend())
        return lent[-1]

    yield lend
    for url in lent:
        databases.take_back(url)


@pytest.fixture
def empty_database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes databases without tables, for the time of the test."""
    if database_kind == "sqlite":
        yield lambda: f"sqlite:///{_new_folder(tmp_path) / 'brain.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{next(_NUMBERS)}")
        return server.create(made[-1])

    yield make
    for name in made:
        server.drop(name)


def _new_folder(parent: Path) -> Path:
    folder = parent / f"database-{next(_NUMBERS)}"
    folder.mkdir()
    return folder


_NUMBERS = count(1)
