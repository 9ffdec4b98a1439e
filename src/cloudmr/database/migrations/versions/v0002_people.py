"""What people need beyond the first tables: names, personal and one-time tokens, limits, a wider audit, an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORD = sa.String(length=32)
ID = sa.String(length=32)


def upgrade() -> None:
    """Add columns, which every database does in place, then tables."""
    op.add_column("accounts", sa.Column("name", sa.String(length=255)))
    op.add_column("accounts", sa.Column("deleted_at", MOMENT))
    op.add_column("tokens", sa.Column("name", sa.String(length=255)))
    op.add_column("tokens", sa.Column("spent_at", MOMENT))
    op.add_column("audit_events", sa.Column("actor_id", ID))
    op.add_column("audit_events", sa.Column("target", sa.String(length=255)))
    op.add_column("audit_events", sa.Column("reason", sa.String(length=255)))
    # Before there were administrators, everybody acted for themselves.
    op.execute("UPDATE audit_events SET actor_id = account_id WHERE action <> 'session:refused'")

    op.create_table(
        "account_limits",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("n_monthly", sa.Integer(), nullable=True),
        sa.Column("n_running", sa.Integer(), nullable=True),
        sa.Column("n_queued", sa.Integer(), nullable=True),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_limits_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_limits")),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.CheckConstraint("purpose IN ('confirm', 'reset')", name=op.f("ck_one_time_tokens_purpose")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_one_time_tokens_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_one_time_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_one_time_tokens_account_id"), "one_time_tokens", ["account_id"])
    op.create_index(op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"])
    op.create_table(
        "outbox",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("target", sa.String(length=2048), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=255), nullable=False),
        sa.Column("not_after", MOMENT, nullable=True),
        sa.Column("secret_name", sa.String(length=255), nullable=True),
        sa.Column("posted_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("n_failed", sa.Integer(), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("failure", sa.String(length=255), nullable=True),
        sa.CheckConstraint("kind IN ('mail', 'webhook')", name=op.f("ck_outbox_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_outbox_account_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
    )
    op.create_index(op.f("ix_outbox_account_id"), "outbox", ["account_id"])
    op.create_index(op.f("ix_outbox_done_at_due_at"), "outbox", ["done_at", "due_at"])
