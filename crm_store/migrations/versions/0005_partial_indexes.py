"""Let SQLite use the indexes of what waits: it compares truths as numbers (`held = 0`).

An index over `NOT held` is not taken for a question about `held = 0`, and each claim read every
delivery there ever was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INDEXES = (
    (
        "ix_deliveries_queue",
        "deliveries",
        ["account_id", "lane", "due_at", "id"],
        "status = 'queued' AND held = 0",
    ),
    ("ix_jobs_queue", "jobs", ["due_at", "id"], "state = 'queued' AND held = 0"),
    (
        "ix_webhook_deliveries_queue",
        "webhook_deliveries",
        ["due_at"],
        "state = 'queued' AND held = 0",
    ),
    ("ix_dialogs_waiting", "dialogs", ["waiting_since", "id"], "is_open = 1 AND waiting_since > 0"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, table, columns, where in INDEXES:
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=sa.text(where))
