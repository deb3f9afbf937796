"""Requests in work by their deadline: those without one were looked for among all that is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

IN_WORK = sa.text("solved_at = 0")


def upgrade() -> None:
    """Make an index of what is not solved."""
    op.create_index(
        "ix_requests_open_due",
        "requests",
        ["deleted_at", "due_at", "id"],
        sqlite_where=IN_WORK,
        postgresql_where=IN_WORK,
    )
