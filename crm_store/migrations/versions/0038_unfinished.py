"""The index of what a dialog's next delivery waits for leaves out what goes to many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

UNFINISHED = sa.text("dialog_id > 0 AND status IN ('queued', 'claimed', 'sending')")


def upgrade() -> None:
    """Make the index anew: a mailing's rows stood in it one behind the other, all of dialog 0."""
    op.drop_index("ix_deliveries_unfinished", "deliveries")
    op.create_index(
        "ix_deliveries_unfinished",
        "deliveries",
        ["dialog_id", "id"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
