"""Find what is left to move without looking at all that was ever moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add an index; nothing that is there changes."""
    left = sa.text("state IN ('planned', 'returning')")
    op.create_index(
        "ix_work_moves_left", "work_moves", ["state"], sqlite_where=left, postgresql_where=left
    )
