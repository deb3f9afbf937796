"""What people did is found by who did it: the audit asks the journal for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add an index; nothing that is there changes."""
    where = sa.text("actor_kind IN ('user', 'token')")
    op.create_index(
        "ix_journal_acts",
        "journal",
        ["actor_id", "id"],
        sqlite_where=where,
        postgresql_where=where,
    )
