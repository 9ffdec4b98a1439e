"""A PostgreSQL server of the tests' own: in a folder that goes with it, reached by a socket there and not else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
from psycopg import sql

_SUPERUSER = "cloudmr"
_MAX_CONNECTIONS = 300
_START_TIMEOUT_S = 60
_SETTINGS = {"listen_addresses": "''", "max_connections": str(_MAX_CONNECTIONS)}
_OF_A_MOMENT = {
    # What is written here must outlive the server, which tests kill, and need not outlive the machine.
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class PostgresServer:
    """A server that runs, or is made to end and to run again."""

    def __init__(self, programs: Path, folder: Path, as_user: dict[str, Any], settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._programs = programs
        self._folder = folder
        self._as_user = as_user

    def url(self, database: str) -> str:
        """Return the address of a database there."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._folder}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, as its template is, and return its address."""
        self._tell(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._tell(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def start(self) -> None:
        """Have the server run; return when it answers."""
        settings = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        self._run(
            "pg_ctl", "start", "-w", "-t", str(_START_TIMEOUT_S), "-l", str(self._folder / "log"),
            "-o", f"{settings} -k {self._folder}", "-D", str(self._folder / "data"),
        )  # fmt: skip

    def stop(self, *, at_once: bool = True) -> None:
        """End the server: `at_once` as in a power failure, else when every transaction is rolled back."""
        mode = "immediate" if at_once else "fast"
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self._folder / "data"))

    def make(self) -> None:
        """Make the server's files."""
        # "C" sorts and compares as SQLite does, whatever the machine speaks.
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={_SUPERUSER}",
            "-D", str(self._folder / "data"),
        )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        # Standard streams into the void: the server would keep a pipe open for as long as it runs.
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            timeout=2 * _START_TIMEOUT_S,
            check=False,
            **self._as_user,
        )
        if done.returncode != 0:
            log = self._folder / "log"
            raise RuntimeError(f"{program} {arguments[0]} failed\n{log.read_text() if log.exists() else ''}")

    def _tell(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[PostgresServer]:
    """Run a new server while the block runs. It refuses to run as root, so root runs it as `postgres` or `nobody`.

    Where it `is_durable`, it has the settings it comes with: what was committed is on the disk.
    """
    programs = _programs()
    # Not below pytest's folder, which nobody else may enter; short, since a socket's path has at most 107 characters.
    folder = Path(mkdtemp(prefix="cloudmr-pg-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    server = PostgresServer(programs, folder, as_user, _SETTINGS | ({} if is_durable else _OF_A_MOMENT))
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of the newest server's programs."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        raise RuntimeError("PostgreSQL's programs are not installed; `make check` installs them, or says how")
    return max(folders, key=lambda folder: float(folder.parent.name))


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
