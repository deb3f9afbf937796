"""The support level that a client has bought, and an index of when clients bought last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the column, empty until somebody sets it, and the index."""
    op.add_column(
        "clients", sa.Column("level", sa.String(length=400), server_default="", nullable=False)
    )
    won = sa.text("status = 'won' AND deleted_at = 0")
    op.create_index(
        "ix_interests_bought",
        "interests",
        ["client_id", "closed_at"],
        sqlite_where=won,
        postgresql_where=won,
    )
