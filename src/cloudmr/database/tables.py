"""The tables. Rules that must hold whoever writes (transitions, ends, one key a submission) are constraints here."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cloudmr.database.columns import ID_LENGTH, SHA256_LENGTH, RowNumber, UtcDateTime, word_of
from cloudmr.model.audit import AuditAction
from cloudmr.model.data_files import DataState
from cloudmr.model.events import JobAction
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.jobs import END_STATES, TRANSITIONS, JobState
from cloudmr.model.messages import MessageKind
from cloudmr.model.notifications import NotifyOn
from cloudmr.model.one_time import Purpose
from cloudmr.model.people import AccountStatus
from cloudmr.model.platforms import Platform
from cloudmr.model.tokens import Scope
from cloudmr.model.units import Mode, Provider, UnitStatus

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


_IS_DEFAULT = text("is_default")


def _one_of(states: frozenset[JobState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


def transition_check() -> str:
    """Return the CHECK of an event's `old` and `new`: no change, a submission, or a step that exists.

    Both are joined to one text first, since a comparison with NULL would be neither true nor false, and pass.
    """
    steps = [">", f">{JobState.QUEUED}"]
    steps += [f"{old}>{new}" for old, following in TRANSITIONS.items() for new in sorted(following)]
    allowed = ", ".join(f"'{step}'" for step in steps)
    return f"(COALESCE(old, '') || '>' || COALESCE(new, '')) IN ({allowed})"


accounts = Table(
    "accounts",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("status", word_of(AccountStatus, name="status"), nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("name", String(255)),
    Column("deleted_at", UtcDateTime),
)

account_limits = Table(
    "account_limits",
    metadata,
    Column("account_id", String(ID_LENGTH), ForeignKey("accounts.id"), primary_key=True),
    Column("n_monthly", Integer),
    Column("n_running", Integer),
    Column("n_queued", Integer),
    Column("stored_bytes", BigInteger),
    Column("changed_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("session_id", String(ID_LENGTH), nullable=False, index=True),
    Column("secret_hash", String(SHA256_LENGTH), nullable=False, unique=True),
    Column("scope", word_of(Scope, name="scope"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("name", String(255)),
    Column("spent_at", UtcDateTime),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("account_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("purpose", word_of(Purpose, name="purpose"), nullable=False),
    Column("secret_hash", String(SHA256_LENGTH), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

tries = Table(
    "tries",
    metadata,
    Column("key", String(SHA256_LENGTH), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", UtcDateTime, nullable=False, index=True),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("account_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("action", word_of(AuditAction, name="action", is_closed=False), nullable=False),
    Column("address", String(64)),
    Column("token_id", String(ID_LENGTH)),
    Column("actor_id", String(ID_LENGTH)),
    Column("target", String(255)),
    Column("reason", String(255)),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("account_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", word_of(MessageKind, name="kind"), nullable=False),
    Column("target", String(2048), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("dedupe_key", String(255), nullable=False, unique=True),
    Column("not_after", UtcDateTime),
    Column("secret_name", String(255)),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("n_failed", Integer, nullable=False),
    Column("done_at", UtcDateTime),
    Column("failure", String(255)),
    Index(None, "done_at", "due_at"),
)

units = Table(
    "units",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), index=True),
    Column("app_name", String(64), nullable=False),
    Column("mode", word_of(Mode, name="mode"), nullable=False),
    Column("provider", word_of(Provider, name="provider"), nullable=False),
    Column("alias", String(255), nullable=False),
    Column("status", word_of(UnitStatus, name="status"), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("data_bucket", String(63), nullable=False),
    Column("results_bucket", String(63), nullable=False),
    Column("failed_bucket", String(63), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("region", String(32)),
    Column("aws_account_id", String(12)),
    Column("state_machine_arn", String(2048)),
    Column("cross_account_role_arn", String(2048)),
    Column("last_checked_at", UtcDateTime),
    Column("external_id", String(64)),
    Column("image_uri", String(512)),
    Column("status_reason", Text),
    Column("snr_verified_at", UtcDateTime),
    Column("registration_token_id", String(ID_LENGTH)),
    Column("removed_at", UtcDateTime),
    CheckConstraint("(mode = 'mode_2') = (owner_id IS NOT NULL)", name="owner"),
    # Everybody has one default at most, whoever sets it at the same time.
    Index("ix_units_one_default", "owner_id", unique=True, sqlite_where=_IS_DEFAULT, postgresql_where=_IS_DEFAULT),
    Index(None, "state_machine_arn"),
)

unit_preparations = Table(
    "unit_preparations",
    metadata,
    Column("unit_id", String(ID_LENGTH), primary_key=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False),
    Column("aws_account_id", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("external_id", String(64), nullable=False),
    Column("image_uri", String(512), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("registered_at", UtcDateTime),
    Index(None, "owner_id", "aws_account_id", "region"),
)

unit_care = Table(
    "unit_care",
    metadata,
    Column("unit_id", String(ID_LENGTH), ForeignKey("units.id"), primary_key=True),
    Column("check_at", UtcDateTime, nullable=False, index=True),
    Column("known_answer_at", UtcDateTime, nullable=False),
    Column("doubted_at", UtcDateTime),
    Column("ill_since", UtcDateTime),
    Column("n_ill", Integer, nullable=False),
    Column("wants_default", Boolean, nullable=False),
    Column("known_answer_job_id", String(ID_LENGTH)),
)

unit_findings = Table(
    "unit_findings",
    metadata,
    Column("unit_id", String(ID_LENGTH), ForeignKey("units.id"), primary_key=True),
    Column("check", word_of(Check, name="check", is_closed=False), primary_key=True),
    Column("outcome", word_of(Outcome, name="outcome"), nullable=False),
    Column("message", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

regions = Table(
    "regions",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("job_id", String(ID_LENGTH), ForeignKey("jobs.id"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("purged_at", UtcDateTime),
)

data_files = Table(
    "data_files",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False),
    Column("unit_id", String(ID_LENGTH), ForeignKey("units.id"), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("upload_id", String(1024), nullable=False),
    Column("state", word_of(DataState, name="state"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("checksum", String(128)),
    Column("completed_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    Column("purged_at", UtcDateTime),
    Column("object_key", String(1024)),
    Column("expires_at", UtcDateTime),
    Column("purge_after", UtcDateTime),
    Column("cleaned_at", UtcDateTime),
    Column("acquisition_n_coils", Integer),
    Column("acquisition_n_x", Integer),
    Column("acquisition_n_y", Integer),
    Column("acquisition_n_z", Integer),
    Column("acquisition_n_slices", Integer),
    Column("acquisition_n_repetitions", Integer),
    CheckConstraint("size_bytes >= 0", name="size"),
    CheckConstraint("state <> 'ready' OR completed_at IS NOT NULL", name="completed"),
    Index(None, "owner_id", "state"),
    Index(None, "state", "purged_at"),
    Index(None, "purged_at", "purge_after", "expires_at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False),
    Column("unit_id", String(ID_LENGTH), ForeignKey("units.id"), nullable=False),
    Column("app_name", String(64), nullable=False),
    Column("alias", String(255), nullable=False),
    Column("state", word_of(JobState, name="state"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("unit_reason", String(255), nullable=False),
    Column("waiting_reason", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("check_at", UtcDateTime, nullable=False),
    Column("dispatched_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("claimed_at", UtcDateTime),
    Column("idempotency_key", String(255)),
    Column("request_sha256", String(SHA256_LENGTH)),
    Column("estimate_memory_bytes", BigInteger, nullable=False),
    Column("estimate_cpu_time_s", Integer, nullable=False),
    Column("estimate_disk_bytes", BigInteger, nullable=False),
    Column("estimate_deadline_s", Integer, nullable=False),
    Column("estimate_basis", String(255), nullable=False),
    Column("progress_sequence", BigInteger),
    Column("progress_step", String(64)),
    Column("progress_done", BigInteger),
    Column("progress_total", BigInteger),
    Column("progress_message", Text),
    Column("progress_at", UtcDateTime),
    Column("failure_code", String(64)),
    Column("failure_message", Text),
    Column("failure_next_step", Text),
    Column("result_size_bytes", BigInteger),
    Column("result_n_files", Integer),
    Column("result_manifest_sha256", String(SHA256_LENGTH)),
    Column("kind", String(64)),
    Column("platform", word_of(Platform, name="platform", is_closed=False), nullable=False, server_default="local"),
    Column("rerun_of", String(ID_LENGTH)),
    Column("forecast_seconds", Float),
    Column("forecast_memory_bytes", BigInteger),
    Column("forecast_output_bytes", BigInteger),
    Column("forecast_price_microdollars", BigInteger),
    Column("actual_seconds", Float),
    Column("actual_price_microdollars", BigInteger),
    Column("deleted_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("purge_after", UtcDateTime),
    Column("purged_at", UtcDateTime),
    Column("turn_by", UtcDateTime),
    Column("n_unstarted", Integer, nullable=False, server_default="0"),
    UniqueConstraint("owner_id", "idempotency_key"),
    CheckConstraint(f"(ended_at IS NOT NULL) = (state IN ({_one_of(END_STATES)}))", name="ended"),
    CheckConstraint("(result_manifest_sha256 IS NOT NULL) = (state = 'succeeded')", name="result"),
    CheckConstraint("(failure_code IS NOT NULL) = (state IN ('failed', 'timed_out'))", name="failure"),
    Index(None, "owner_id", "id"),
    Index(None, "state", "check_at"),
    Index(None, "unit_id", "owner_id", "dispatched_at"),
    Index(None, "unit_id", "owner_id", "created_at"),
    Index(None, "unit_id", "state", "id"),
    Index(None, "owner_id", "state", "id"),
    Index(None, "state", "kind", "id"),
    Index(None, "purged_at", "purge_after", "expires_at"),
)

job_inputs = Table(
    "job_inputs",
    metadata,
    Column("job_id", String(ID_LENGTH), ForeignKey("jobs.id"), primary_key=True),
    Column("data_id", String(ID_LENGTH), ForeignKey("data_files.id"), primary_key=True, index=True),
    Column("place", Integer, nullable=False),
)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", String(ID_LENGTH), ForeignKey("jobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(ID_LENGTH), nullable=False),
    Column("action", word_of(JobAction, name="action", is_closed=False), nullable=False),
    Column("reason", Text, nullable=False),
    Column("old", String(16)),
    Column("new", String(16)),
    CheckConstraint(transition_check(), name="transition"),
)

job_shares = Table(
    "job_shares",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("job_id", String(ID_LENGTH), ForeignKey("jobs.id"), nullable=False, index=True),
    Column("owner_id", String(ID_LENGTH), ForeignKey("accounts.id"), nullable=False),
    Column("email", String(254), index=True),
    Column("secret_hash", String(SHA256_LENGTH), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    CheckConstraint("(email IS NULL) <> (secret_hash IS NULL)", name="one_way"),
)

notification_settings = Table(
    "notification_settings",
    metadata,
    Column("account_id", String(ID_LENGTH), ForeignKey("accounts.id"), primary_key=True),
    Column("mail", word_of(NotifyOn, name="mail"), nullable=False),
    Column("webhook", word_of(NotifyOn, name="webhook"), nullable=False),
    Column("webhook_url", String(2048)),
    Column("changed_at", UtcDateTime, nullable=False),
)

chores = Table(
    "chores",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
)
