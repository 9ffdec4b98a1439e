"""The folder of everything a Brain on one machine keeps, its secret key, and the lock on its database file."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudmr.errors import Conflict, SettingsError

_SECRET_FILE = "secret-key"  # noqa: S105 - the file's name


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
    path = home / _SECRET_FILE
    if not path.exists():
        # Whoever else makes one at the same time, exactly one of the two is linked into place and used by both.
        fresh = home / f".{_SECRET_FILE}.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


@contextmanager
def only_brain(database: Path) -> Iterator[None]:
    """Hold a database file for one Brain process; the hold ends with the process, however that ends.

    Raises `Conflict` (`brain_already_running`), `SettingsError` where there can be no such file.
    """
    try:
        lock = database.with_name(f"{database.name}.lock").open("a")
    except OSError as error:
        raise SettingsError(
            f"The database {database} cannot be used: {error.strerror}.",
            "Set DATABASE_URL to a file in a folder that can be written to.",
        ) from error
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"Another CloudMR Brain runs with {database}.",
                "Use that one, end it, or set CLOUDMR_HOME to another folder.",
                code="brain_already_running",
            ) from None
        yield
