"""The index of what a repeated request is known by leaves out what goes to many.

Each writing of a row that goes to many wrote it too, on PostgreSQL, and nobody asks for these. On
SQLite it was part of the table, which is therefore made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"

NAME = "uq_deliveries_idempotency_key"
TO_ONE = sa.text("send_id = 0")


def upgrade() -> None:
    """Make an index of the constraint."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("deliveries", recreate="always") as table:
            table.drop_constraint(NAME, type_="unique")
    else:
        op.drop_constraint(NAME, "deliveries", type_="unique")
    op.create_index(
        NAME,
        "deliveries",
        ["idempotency_key"],
        unique=True,
        sqlite_where=TO_ONE,
        postgresql_where=TO_ONE,
    )
