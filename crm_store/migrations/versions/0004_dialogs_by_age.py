"""Walk the list of all dialogs, closed ones too, by an index: it was sorted anew for each page."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_dialogs_last", "dialogs", ["last_at", "id"])
