"""What was passed of the ways to a person keeps how it left, and what was told of it later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; of ways that were passed before, nothing of it is known."""
    for name in ("address_id", "content_id", "sent_at", "told_at"):
        op.add_column(
            "many_steps", sa.Column(name, ID, server_default=sa.text("0"), nullable=False)
        )
    for name in ("told", "told_reason"):
        op.add_column(
            "many_steps", sa.Column(name, sa.String(length=400), server_default="", nullable=False)
        )
