"""When a task was seen to be overdue; those that are so already are not told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column and the index by which what falls due is found."""
    op.add_column("tasks", sa.Column("overdue_at", ID, server_default=sa.text("0"), nullable=False))
    # Only open tasks whose date is still to come may become overdue from now on.
    newest = "(SELECT coalesce(max(at), 0) FROM journal)"
    op.execute(f"UPDATE tasks SET overdue_at = due_at WHERE due_at > 0 AND due_at <= {newest}")
    where = sa.text("due_at > 0 AND overdue_at = 0")
    op.create_index(
        "ix_tasks_due", "tasks", ["due_at"], sqlite_where=where, postgresql_where=where
    )
