"""People say that they want advertising less often: at most one message in so many days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the days to the log of words, and the table that a claim reads; nobody wished it yet."""
    op.add_column(
        "consent_log", sa.Column("days", ID, server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "frequency_limits",
        sa.Column("contact_id", ID, autoincrement=False, nullable=False),
        sa.Column("days", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("log_id", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_frequency_limits")),
    )
