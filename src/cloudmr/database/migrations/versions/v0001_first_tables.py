"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORD = sa.String(length=32)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('pending', 'active', 'suspended')", name=op.f("ck_accounts_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    op.create_table(
        "tries",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tries")),
    )
    op.create_index(op.f("ix_tries_since"), "tries", ["since"])
    op.create_table(
        "audit_events",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", WORD, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("token_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_audit_events_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_account_id"), "audit_events", ["account_id"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", WORD, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_tokens_owner_id")),
        sa.CheckConstraint(
            "scope IN ('account', 'refresh', 'read', 'job:write', 'unit:register')", name=op.f("ck_tokens_scope")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"])
    op.create_index(op.f("ix_tokens_owner_id"), "tokens", ["owner_id"])
    op.create_index(op.f("ix_tokens_session_id"), "tokens", ["session_id"])
    op.create_table(
        "units",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("app_name", sa.String(length=64), nullable=False),
        sa.Column("mode", WORD, nullable=False),
        sa.Column("provider", WORD, nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("data_bucket", sa.String(length=63), nullable=False),
        sa.Column("results_bucket", sa.String(length=63), nullable=False),
        sa.Column("failed_bucket", sa.String(length=63), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("region", sa.String(length=32), nullable=True),
        sa.Column("aws_account_id", sa.String(length=12), nullable=True),
        sa.Column("state_machine_arn", sa.String(length=2048), nullable=True),
        sa.Column("cross_account_role_arn", sa.String(length=2048), nullable=True),
        sa.Column("last_checked_at", MOMENT, nullable=True),
        sa.CheckConstraint("(mode = 'mode_2') = (owner_id IS NOT NULL)", name=op.f("ck_units_owner")),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_units_owner_id")),
        sa.CheckConstraint("mode IN ('mode_1', 'mode_2')", name=op.f("ck_units_mode")),
        sa.CheckConstraint("provider IN ('cloudmrhub', 'user')", name=op.f("ck_units_provider")),
        sa.CheckConstraint("status IN ('ready', 'unverified', 'unwell', 'gone')", name=op.f("ck_units_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
    )
    op.create_index(op.f("ix_units_owner_id"), "units", ["owner_id"])
    op.create_table(
        "data_files",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("unit_id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("upload_id", sa.String(length=1024), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("checksum", sa.String(length=128), nullable=True),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.CheckConstraint("state <> 'ready' OR completed_at IS NOT NULL", name=op.f("ck_data_files_completed")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_data_files_size")),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_data_files_owner_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_data_files_unit_id")),
        sa.CheckConstraint("state IN ('uploading', 'ready', 'aborted', 'deleted')", name=op.f("ck_data_files_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_files")),
    )
    op.create_index(op.f("ix_data_files_owner_id_state"), "data_files", ["owner_id", "state"])
    op.create_index(op.f("ix_data_files_state_purged_at"), "data_files", ["state", "purged_at"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("unit_id", sa.String(length=32), nullable=False),
        sa.Column("app_name", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("unit_reason", sa.String(length=255), nullable=False),
        sa.Column("waiting_reason", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deadline_at", MOMENT, nullable=False),
        sa.Column("check_at", MOMENT, nullable=False),
        sa.Column("dispatched_at", MOMENT, nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("cancel_requested_at", MOMENT, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("request_sha256", sa.String(length=64), nullable=True),
        sa.Column("estimate_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("estimate_cpu_time_s", sa.Integer(), nullable=False),
        sa.Column("estimate_disk_bytes", sa.BigInteger(), nullable=False),
        sa.Column("estimate_deadline_s", sa.Integer(), nullable=False),
        sa.Column("estimate_basis", sa.String(length=255), nullable=False),
        sa.Column("progress_sequence", sa.BigInteger(), nullable=True),
        sa.Column("progress_step", sa.String(length=64), nullable=True),
        sa.Column("progress_done", sa.BigInteger(), nullable=True),
        sa.Column("progress_total", sa.BigInteger(), nullable=True),
        sa.Column("progress_message", sa.Text(), nullable=True),
        sa.Column("progress_at", MOMENT, nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("failure_next_step", sa.Text(), nullable=True),
        sa.Column("result_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("result_n_files", sa.Integer(), nullable=True),
        sa.Column("result_manifest_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('cancelled', 'failed', 'succeeded', 'timed_out'))",
            name=op.f("ck_jobs_ended"),
        ),
        sa.CheckConstraint(
            "(failure_code IS NOT NULL) = (state IN ('failed', 'timed_out'))", name=op.f("ck_jobs_failure")
        ),
        sa.CheckConstraint("(result_manifest_sha256 IS NOT NULL) = (state = 'succeeded')", name=op.f("ck_jobs_result")),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_jobs_owner_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_jobs_unit_id")),
        sa.CheckConstraint(
            "state IN ('queued', 'dispatched', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')",
            name=op.f("ck_jobs_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("owner_id", "idempotency_key", name=op.f("uq_jobs_owner_id_idempotency_key")),
    )
    op.create_index(op.f("ix_jobs_owner_id_id"), "jobs", ["owner_id", "id"])
    op.create_index(op.f("ix_jobs_state_check_at"), "jobs", ["state", "check_at"])
    op.create_index(op.f("ix_jobs_unit_id_owner_id_dispatched_at"), "jobs", ["unit_id", "owner_id", "dispatched_at"])
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=32), nullable=False),
        sa.Column("action", WORD, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old", sa.String(length=16), nullable=True),
        sa.Column("new", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "(COALESCE(old, '') || '>' || COALESCE(new, '')) IN ('>', '>queued', 'queued>cancelled', "
            "'queued>dispatched', 'queued>failed', 'queued>timed_out', 'dispatched>cancelled', "
            "'dispatched>failed', 'dispatched>queued', 'dispatched>running', 'dispatched>succeeded', "
            "'dispatched>timed_out', 'running>cancelled', 'running>failed', 'running>queued', "
            "'running>succeeded', 'running>timed_out')",
            name=op.f("ck_job_events_transition"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_job_events")),
    )
    op.create_table(
        "job_inputs",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("data_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["data_id"], ["data_files.id"], name=op.f("fk_job_inputs_data_id")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_inputs_job_id")),
        sa.PrimaryKeyConstraint("job_id", "data_id", name=op.f("pk_job_inputs")),
    )
    op.create_index(op.f("ix_job_inputs_data_id"), "job_inputs", ["data_id"])
