"""The one place that knows which database it is.

Both keep the same promise: a transaction that reads sees one moment, and transactions that write come one after the
other, so that what one of them reads is still true when it writes.

On SQLite a transaction that will write takes the write lock as it opens (`BEGIN IMMEDIATE`), because one that reads
first and writes later fails at once, whatever the timeout, if somebody wrote in between. Every connection keeps foreign
keys and appends to a write-ahead log.

On PostgreSQL it takes an advisory lock as it opens, which every Brain process on that database does; a transaction that
reads is `REPEATABLE READ, READ ONLY`. See docs/decisions/0008.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from mroptimum.errors import MissingExtra

LOCK_TIMEOUT_S = 30
"""How long a transaction waits for its turn to write."""
WRITE_LOCK = int.from_bytes(b"cloudmr", "big")
"""The number of the advisory lock."""
_WRITES = "cloudmr_writes"
"""Execution option of a connection whose transactions write."""
_MAX_CONNECTIONS = 64
"""More than the threads that serve requests."""
_MAX_SERVER_CONNECTIONS = 20
"""A server allows 100 in all by default; several Brains share them, and a thread waits a moment for a free one."""
_STUCK_S = 60
"""A transaction in which nothing is said for so long belongs to a process that hangs, and holds up all others."""
_SERVER_PATIENCE_S = 5.0
_FILE_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    }
)
_KIND_OF_FILE_TROUBLE = 0xFF
"""The bits of SQLite's error codes that say which kind it is; the others say more."""


def make_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…`. Raises `MissingExtra` where the driver is missing."""
    parsed = make_url(url)
    return _make_file_engine(parsed) if is_sqlite(url) else _make_server_engine(parsed)


def is_sqlite(url: str) -> bool:
    """Tell whether the database is a file of this machine."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_file(url: str) -> Path:
    """Return where an SQLite database lies."""
    database = make_url(url).database
    if not database or database == ":memory:":
        raise ValueError("an SQLite database needs a file")
    return Path(database)


def to_read(engine: Engine) -> Engine:
    """Return the engine as it opens transactions that only read."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def to_write(engine: Engine) -> Engine:
    """Return the engine as it opens transactions that may write."""
    return engine.execution_options(**{_WRITES: True})


def patience_s(engine: Engine) -> float:
    """Return for how long it is worth trying to reach the database: a server may start, a file is there or not."""
    return 0.0 if engine.dialect.name == "sqlite" else _SERVER_PATIENCE_S


def is_trouble(error: DBAPIError) -> bool:
    """Tell whether an error is the database's, which is out of reach, busy or full, and not the statement's."""
    if isinstance(error.orig, sqlite3.Error):
        # A driver's own complaint has no code; a mistake in a statement is an "operational" error here, too.
        return getattr(error.orig, "sqlite_errorcode", 0) & _KIND_OF_FILE_TROUBLE in _FILE_TROUBLE
    return isinstance(error, OperationalError) or error.connection_invalidated


def _make_file_engine(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": LOCK_TIMEOUT_S}, pool_size=_MAX_CONNECTIONS // 4, max_overflow=_MAX_CONNECTIONS
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_in_file)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would open deferred transactions by itself; `_begin_in_file` opens them instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_in_file(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _make_server_engine(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    options = {
        "lock_timeout": f"{LOCK_TIMEOUT_S}s",
        "idle_in_transaction_session_timeout": f"{_STUCK_S}s",
    }
    connect_args = {
        "connect_timeout": 10,
        "application_name": "cloudmr",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        # A server that is gone without a word is noticed in a minute instead of hours.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    try:
        engine = create_engine(
            url,
            connect_args=connect_args,
            pool_pre_ping=True,
            pool_size=_MAX_SERVER_CONNECTIONS // 2,
            max_overflow=_MAX_SERVER_CONNECTIONS // 2,
        )
    except ImportError as error:
        raise MissingExtra(
            "A database server needs the package psycopg, which is not installed.",
            "Install the part postgres: pip install 'mroptimum[postgres]'",
        ) from error
    event.listen(engine, "begin", _begin_at_server)
    return engine


def _begin_at_server(connection: Connection) -> None:
    if _writes(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITES, False))
