"""Retrainings, the step of a job, and accounts of an identity provider."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "training",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("choice", sa.String(length=16), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chosen_by", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_training_project", "training", ["project"], unique=False)
    # columns and indices alone: SQLite would copy a table for a constraint, and drop what refers to
    # the old one with it
    op.add_column("job", sa.Column("step", sa.JSON(), nullable=True))
    op.add_column("account", sa.Column("subject", sa.Text(), nullable=True))
    op.create_index("account_subject", "account", ["subject"], unique=True)
