"""My day asks for what is mine and near, and not for all that ever was mine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

INDEXES = {
    "ix_messages_calls": ("messages", "direction = 'call'", "dialog_id", "id"),
    "ix_requests_owner_due": ("requests", "solved_at = 0", "owner_id", "due_at", "id"),
    "ix_interests_owner_step": ("interests", "", "owner_id", "status", "next_step_at", "id"),
    "ix_meetings_owner_at": ("meetings", "", "owner_id", "at", "id"),
    "ix_tasks_author_id": ("tasks", "", "author_id", "status", "deleted_at", "id"),
    "ix_meetings_owner_step": ("meetings", "", "owner_id", "next_step_at", "id"),
}


def upgrade() -> None:
    """Make the indexes; SQLite took the one of statuses for tasks to check, of everybody."""
    op.drop_index("ix_tasks_author_id", "tasks")
    for name, (table, part, *columns) in INDEXES.items():
        where = sa.text(part) if part else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
