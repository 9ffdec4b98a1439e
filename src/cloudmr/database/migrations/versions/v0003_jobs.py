"""What jobs need beyond the first tables: estimates and prices, an undo, retention, shares, notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
ID = sa.String(length=32)


def upgrade() -> None:
    """Add columns, which every database does in place, then tables."""
    op.add_column("data_files", sa.Column("object_key", sa.String(length=1024)))
    for name in ("expires_at", "purge_after", "cleaned_at"):
        op.add_column("data_files", sa.Column(name, MOMENT))
    for name in ("n_coils", "n_x", "n_y", "n_z", "n_slices", "n_repetitions"):
        op.add_column("data_files", sa.Column(f"acquisition_{name}", sa.Integer()))
    op.create_index(
        op.f("ix_data_files_purged_at_purge_after_expires_at"), "data_files", ["purged_at", "purge_after", "expires_at"]
    )
    # What was deleted before there was an undo goes as it would have gone.
    op.execute("UPDATE data_files SET purge_after = deleted_at WHERE state IN ('aborted', 'deleted')")

    for column in (
        sa.Column("kind", sa.String(length=64)),
        sa.Column("platform", WORD, nullable=False, server_default="local"),
        sa.Column("rerun_of", ID),
        sa.Column("forecast_seconds", sa.Float()),
        sa.Column("forecast_memory_bytes", sa.BigInteger()),
        sa.Column("forecast_output_bytes", sa.BigInteger()),
        sa.Column("forecast_price_microdollars", sa.BigInteger()),
        sa.Column("actual_seconds", sa.Float()),
        sa.Column("actual_price_microdollars", sa.BigInteger()),
        sa.Column("deleted_at", MOMENT),
        sa.Column("expires_at", MOMENT),
        sa.Column("purge_after", MOMENT),
        sa.Column("purged_at", MOMENT),
    ):
        op.add_column("jobs", column)
    for columns in (
        ["unit_id", "owner_id", "created_at"],
        ["unit_id", "state", "id"],
        ["owner_id", "state", "id"],
        ["state", "kind", "id"],
        ["purged_at", "purge_after", "expires_at"],
    ):
        op.create_index(op.f(f"ix_jobs_{'_'.join(columns)}"), "jobs", columns)

    op.create_table(
        "job_shares",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("(email IS NULL) <> (secret_hash IS NULL)", name=op.f("ck_job_shares_one_way")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_shares_job_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_job_shares_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_shares")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_job_shares_secret_hash")),
    )
    op.create_index(op.f("ix_job_shares_job_id"), "job_shares", ["job_id"])
    op.create_index(op.f("ix_job_shares_email"), "job_shares", ["email"])
    op.create_table(
        "notification_settings",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("mail", WORD, nullable=False),
        sa.Column("webhook", WORD, nullable=False),
        sa.Column("webhook_url", sa.String(length=2048), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("mail IN ('never', 'failure', 'always')", name=op.f("ck_notification_settings_mail")),
        sa.CheckConstraint("webhook IN ('never', 'failure', 'always')", name=op.f("ck_notification_settings_webhook")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notification_settings_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_notification_settings")),
    )
