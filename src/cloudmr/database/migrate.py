"""Bringing a database to the newest shape, and telling whether it has it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cloudmr.database.base import Database
from cloudmr.errors import SettingsError

CONNECTION = "connection"
"""Under this name `migrations/env.py` finds the connection to work on."""


def migrate(database: Database, *, to: str = "head") -> None:
    """Bring a database, empty or of an earlier release, to the newest shape (or revision `to`), in one transaction.

    Raises `SettingsError` (`database_too_new`) for one of a later release.
    """
    with database.connect_to_write() as connection:
        _check_known(connection)
        command.upgrade(_config(connection), to)


def is_up_to_date(database: Database) -> bool:
    """Tell whether a database has the newest shape. Raises `DatabaseUnavailable`."""
    with database.connect_to_read() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
        return set(present) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def _check_known(connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
    if not known.issuperset(MigrationContext.configure(connection).get_current_heads()):
        raise SettingsError(
            "The database has the shape of a later release.",
            "Install that release, or set DATABASE_URL (or CLOUDMR_HOME) to another database.",
            code="database_too_new",
        )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes[CONNECTION] = connection
    return config
