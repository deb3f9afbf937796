"""The counts of a delivery are as short as they are: a row of it on PostgreSQL is 24 bytes narrower."""

from __future__ import annotations

from alembic import op

revision = "0053"
down_revision = "0052"

SHORT = {"lane": "SMALLINT", "attempts": "SMALLINT", "fence": "INTEGER", "charged": "SMALLINT"}


def upgrade() -> None:
    """Write the outbox anew, once; SQLite stores each number as short as it is."""
    if op.get_bind().dialect.name == "postgresql":
        changes = ", ".join(f"ALTER COLUMN {name} TYPE {kind}" for name, kind in SHORT.items())
        op.execute(f"ALTER TABLE deliveries {changes}")
