from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Inspector, inspect

from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.migrate import is_up_to_date, migrate
from cloudmr.database.tables import metadata
from cloudmr.errors import SettingsError
from databases import NewDatabase


@pytest.fixture
def database(empty_database: NewDatabase) -> Iterator[Database]:
    with closing(Database(make_engine(empty_database()))) as database:
        yield database


def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def constraints(engine: Engine) -> dict[str, Any]:
    """What `compare_metadata` does not look at."""
    inspector = inspect(engine)
    assert isinstance(inspector, Inspector)
    return {
        table: {
            "checks": {
                check["name"]: " ".join(check["sqltext"].split()) for check in inspector.get_check_constraints(table)
            },
            "primary": inspector.get_pk_constraint(table),
            "foreign": sorted(key["name"] or "" for key in inspector.get_foreign_keys(table)),
        }
        for table in metadata.tables
    }


def test_migrations_make_the_checks_that_the_code_knows(database: Database, empty_database: NewDatabase) -> None:
    migrate(database)
    fresh = make_engine(empty_database())
    metadata.create_all(fresh)
    assert constraints(database.engine) == constraints(fresh)
    assert "running>succeeded" in constraints(fresh)["job_events"]["checks"]["ck_job_events_transition"]
    fresh.dispose()


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert not is_up_to_date(database)
    for _ in range(2):
        migrate(database)
        assert is_up_to_date(database)


def test_a_database_of_a_later_release_is_left_alone(database: Database) -> None:
    migrate(database)
    with database.connect_to_write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not is_up_to_date(database)
    with pytest.raises(SettingsError) as refused:
        migrate(database)
    assert refused.value.instance_code == "database_too_new"


def test_a_migration_that_fails_leaves_nothing_behind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connect_to_write() as connection:
        connection.exec_driver_sql("CREATE TABLE jobs (id INTEGER)")
    with pytest.raises(Exception, match=r"jobs.* already exists"):
        migrate(database)
    assert inspect(database.engine).get_table_names() == ["jobs"]
