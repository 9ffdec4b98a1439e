"""The one place that knows which database it is.

On SQLite every connection keeps foreign keys, waits for its turn, and appends to a write-ahead log; a transaction that
will write takes the write lock as it opens (`BEGIN IMMEDIATE`), because one that reads first and writes later fails at
once, whatever the timeout, if somebody wrote in between.
"""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection as SQLiteConnection

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from mroptimum.errors import MissingExtra

BUSY_TIMEOUT_S = 30
WRITES = "cloudmr_writes"
"""Execution option of a connection whose transactions write."""
_MAX_CONNECTIONS = 64
"""More than the threads that serve requests."""


def make_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///path` or a PostgreSQL URL. Raises `MissingExtra` where its driver is missing."""
    if not is_sqlite(url):
        return _make_server_engine(url)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=_MAX_CONNECTIONS // 4, max_overflow=_MAX_CONNECTIONS
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def is_sqlite(url: str) -> bool:
    """Tell whether the database is a file of this machine."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_file(url: str) -> Path:
    """Return where an SQLite database lies."""
    database = make_url(url).database
    if not database or database == ":memory:":
        raise ValueError("an SQLite database needs a file")
    return Path(database)


def _make_server_engine(url: str) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The database needs the package {error.name}.", f"Install it: pip install '{error.name}[binary]'"
        ) from error


def _prepare(connection: SQLiteConnection, _record: object) -> None:
    # The driver would open deferred transactions by itself; `_begin` opens them instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
