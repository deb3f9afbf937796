"""Rules of retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def upgrade() -> None:
    """Add a table; nothing that is there changes."""
    op.create_table(
        "retention_rules",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=400), server_default="", nullable=False),
        _number("account_id"),
        _number("days"),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _number("running_since"),
        _number("last_run_at"),
        sa.Column("last_counts", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_rules")),
        sa.UniqueConstraint(
            "subject", "account_id", name=op.f("uq_retention_rules_subject_account_id")
        ),
    )
