"""What units need beyond the first tables: their preparation, findings and care; and regions of interest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
ID = sa.String(length=32)


def upgrade() -> None:
    """Add columns, which every database does in place, then tables."""
    for column in (
        sa.Column("external_id", sa.String(length=64)),
        sa.Column("image_uri", sa.String(length=512)),
        sa.Column("status_reason", sa.Text()),
        sa.Column("snr_verified_at", MOMENT),
        sa.Column("registration_token_id", ID),
        sa.Column("removed_at", MOMENT),
    ):
        op.add_column("units", column)
    op.create_index(
        "ix_units_one_default",
        "units",
        ["owner_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_index(op.f("ix_units_state_machine_arn"), "units", ["state_machine_arn"])

    op.create_table(
        "unit_preparations",
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("aws_account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("image_uri", sa.String(length=512), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_unit_preparations_owner_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_preparations")),
    )
    op.create_index(op.f("ix_unit_preparations_created_at"), "unit_preparations", ["created_at"])
    op.create_index(
        op.f("ix_unit_preparations_owner_id_aws_account_id_region"),
        "unit_preparations",
        ["owner_id", "aws_account_id", "region"],
    )

    op.create_table(
        "unit_care",
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("check_at", MOMENT, nullable=False),
        sa.Column("known_answer_at", MOMENT, nullable=False),
        sa.Column("doubted_at", MOMENT, nullable=True),
        sa.Column("ill_since", MOMENT, nullable=True),
        sa.Column("n_ill", sa.Integer(), nullable=False),
        sa.Column("wants_default", sa.Boolean(), nullable=False),
        sa.Column("known_answer_job_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_care_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_care")),
    )
    op.create_index(op.f("ix_unit_care_check_at"), "unit_care", ["check_at"])

    op.create_table(
        "unit_findings",
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("check", WORD, nullable=False),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('passed', 'doubtful', 'failed', 'refused', 'gone', 'unseen', 'awaited')",
            name=op.f("ck_unit_findings_outcome"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_findings_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "check", name=op.f("pk_unit_findings")),
    )

    op.create_table(
        "regions",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("purged_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_regions_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
    )
    op.create_index(op.f("ix_regions_job_id"), "regions", ["job_id"])
