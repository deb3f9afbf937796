"""Letters tell colleagues of notices that they have not seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (
    ("ix_notices_letter_due", "notices", ["letter_at", "user_id"], "letter_at > 0"),
    ("ix_notices_letter", "notices", ["letter_id"], "letter_id > 0"),
    ("ix_deliveries_user", "deliveries", ["user_id", "id"], "user_id > 0"),
)


def upgrade() -> None:
    """Add the columns and their partial indexes: nobody asked for such a letter yet."""
    for table, name in (
        ("notices", "letter_at"),
        ("notices", "letter_id"),
        ("deliveries", "user_id"),
    ):
        op.add_column(table, sa.Column(name, ID, server_default=sa.text("0"), nullable=False))
    for index, table, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(index, table, columns, sqlite_where=where, postgresql_where=where)
