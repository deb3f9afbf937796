"""The address of a file is kept whole: vendors' are longer than 400 characters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Lift the limit where there is one: SQLite never kept to it."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("attachments", "reference", type_=sa.Text())
