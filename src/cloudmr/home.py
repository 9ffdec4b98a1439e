"""The folder of all that a Brain on one machine keeps: its secret key, its unit's id, the lock on its database file."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from cloudmr.errors import Conflict, SettingsError

_SECRET_FILE = "secret-key"  # noqa: S105 - the file's name
_UNIT_ID_FILE = "unit-id"


def make_home(home: Path) -> None:
    """Make the folder, for its owner's eyes only. Raises `SettingsError` where that cannot be."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{home} cannot be used: {error.strerror}.", "Set CLOUDMR_HOME to a folder that can be written to."
        ) from error


def load_secret_key(home: Path) -> bytes:
    """Return the secret key kept in a home; it is made, whole, the first time."""
    return _kept(home / _SECRET_FILE, lambda: secrets.token_hex(32)).encode()


def load_unit_id(home: Path, new_id: Callable[[], str]) -> str:
    """Return the id of the unit that is this home; it is given the first time."""
    return _kept(home / _UNIT_ID_FILE, new_id)


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        # Whoever else makes one at the same time, exactly one of the two is linked into place and used by both.
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    keep_private(path)
    return path.read_text()


def keep_private(file: Path) -> None:
    """Have a file be there, and be its owner's alone, however open the folder around it is. Raises `OSError`."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # One that was there before may have been made with whatever the umask left.
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


@contextmanager
def only_brain(database: Path) -> Iterator[None]:
    """Hold a database file for one Brain process, for its owner's eyes only; the hold ends with the process.

    Raises `Conflict` (`brain_already_running`), `SettingsError` where there can be no such file.
    """
    with ExitStack() as stack:
        try:
            held = database.with_name(f"{database.name}.lock")
            keep_private(held)
            _hold(stack.enter_context(held.open("a")), database)
            # Only now: closing a file takes from this process every lock that its SQLite connections have there.
            keep_private(database)
            # SQLite makes these two with the database's mode; what an earlier Brain left keeps the one it had.
            for beside in (database.with_name(f"{database.name}{ending}") for ending in ("-wal", "-shm")):
                if beside.exists():
                    keep_private(beside)
        except OSError as error:
            raise SettingsError(
                f"The database {database} cannot be used: {error.strerror}.",
                "Set DATABASE_URL to a file in a folder that can be written to.",
            ) from error
        yield


def _hold(lock: IO[str], database: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(
            f"Another CloudMR Brain runs with {database}.",
            "Use that one, end it, or set CLOUDMR_HOME to another folder.",
            code="brain_already_running",
        ) from None
