"""How long a job may wait for a machine, and how often there was none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, which every database does in place."""
    op.add_column("jobs", sa.Column("turn_by", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("n_unstarted", sa.Integer(), nullable=False, server_default="0"))
