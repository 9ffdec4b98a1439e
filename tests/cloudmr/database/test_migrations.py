from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Inspector, MetaData, insert, inspect

import cloudmr.database.migrate
from bench import NOON
from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.migrate import is_up_to_date, migrate
from cloudmr.database.tables import metadata
from cloudmr.errors import SettingsError
from cloudmr.model.jobs import JobState
from databases import NewDatabase

VERSIONS = Path(cloudmr.database.migrate.__file__).parent / "migrations" / "versions"


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


AT_FIRST: dict[str, dict[str, Any]] = {
    "accounts": {
        "id": "user_1",
        "email": "ada@example.org",
        "password_hash": "$argon2id$",
        "status": "active",
        "is_admin": False,
        "created_at": NOON,
    },
    "tokens": {
        "id": "token_1",
        "owner_id": "user_1",
        "session_id": "token_1",
        "secret_hash": "0" * 64,
        "scope": "account",
        "created_at": NOON,
        "expires_at": NOON,
    },
    "units": {
        "id": "unit_1",
        "app_name": "MR Optimum",
        "mode": "mode_1",
        "provider": "cloudmrhub",
        "alias": "here",
        "status": "ready",
        "is_default": False,
        "data_bucket": "data",
        "results_bucket": "results",
        "failed_bucket": "failed",
        "created_at": NOON,
    },
    "data_files": {
        "id": "data_1",
        "owner_id": "user_1",
        "unit_id": "unit_1",
        "filename": "meas.dat",
        "size_bytes": 8,
        "upload_id": "u",
        "state": "ready",
        "created_at": NOON,
        "completed_at": NOON,
    },
    "jobs": {
        "id": "job_1",
        "owner_id": "user_1",
        "unit_id": "unit_1",
        "app_name": "MR Optimum",
        "alias": "a job",
        "state": "succeeded",
        "version": 2,
        "attempt": 1,
        "document": "{}",
        "unit_reason": "It is the only one.",
        "created_at": NOON,
        "deadline_at": NOON,
        "check_at": NOON,
        "ended_at": NOON,
        "estimate_memory_bytes": 2**32,
        "estimate_cpu_time_s": 1,
        "estimate_disk_bytes": 2**40,
        "estimate_deadline_s": 1,
        "estimate_basis": "the size of the input files",
        "result_size_bytes": 1,
        "result_n_files": 1,
        "result_manifest_sha256": "0" * 64,
    },
    "job_inputs": {"job_id": "job_1", "data_id": "data_1", "place": 0},
    "job_events": {
        "job_id": "job_1",
        "number": 1,
        "at": NOON,
        "actor": "user_1",
        "action": "submitted",
        "reason": "It is the only one.",
        "new": "queued",
    },
    "audit_events": {"account_id": "user_1", "at": NOON, "action": "account:created"},
}
"""A row for each table of the first revision, as it was written then."""


def moment(value: Any, *, dialect: str) -> Any:
    """Return a value as the database of that kind keeps it."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) and dialect == "sqlite" else value


def test_what_was_written_at_first_is_read_today(database: Database) -> None:
    migrate(database, to="0001")
    with database.connect_to_write() as connection:
        then = MetaData()
        then.reflect(connection)
        for table, row in AT_FIRST.items():
            values = {name: moment(value, dialect=connection.dialect.name) for name, value in row.items()}
            connection.execute(insert(then.tables[table]).values(**values))
    migrate(database)
    with database.read() as transaction:
        account, unit = transaction.accounts.get("user_1"), transaction.units.get("unit_1")
        data_file, job = transaction.data_files.get("data_1"), transaction.jobs.get("job_1")
        assert account is not None
        assert (account.email, account.created_at) == ("ada@example.org", NOON)
        assert transaction.tokens.get("token_1") is not None
        assert unit is not None
        assert unit.is_this_machine
        assert data_file is not None
        assert data_file.size_bytes == 8
        assert job is not None
        assert (job.state, job.data_ids, job.estimate.disk_bytes) == (JobState.SUCCEEDED, ("data_1",), 2**40)
        assert [event.new for event in transaction.jobs.events("job_1")] == [JobState.QUEUED]
        assert len(transaction.accounts.audit_trail("user_1", limit=10)) == 1


def test_step_by_step_it_comes_to_the_same(database: Database, empty_database: NewDatabase) -> None:
    for revision in sorted(path.name[1:5] for path in VERSIONS.glob("v*.py")):
        migrate(database, to=revision)
    with closing(Database(make_engine(empty_database()))) as at_once:
        migrate(at_once)
        assert constraints(database.engine) == constraints(at_once.engine)
    assert is_up_to_date(database)
