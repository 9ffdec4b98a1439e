"""Bringing a database to the newest shape, and telling whether it has it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cloudmr.database.base import Database

CONNECTION = "connection"
"""Under this name `migrations/env.py` finds the connection to work on."""


def migrate(database: Database) -> None:
    """Bring a database, empty or of an earlier release, to the newest shape, in one transaction."""
    with database.connect_to_write() as connection:
        command.upgrade(_config(connection), "head")


def is_up_to_date(database: Database) -> bool:
    """Tell whether a database has the newest shape."""
    with database.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
        return set(present) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes[CONNECTION] = connection
    return config
