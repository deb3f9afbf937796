"""People are let in from certain networks only, where the organisation wants it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"


def upgrade() -> None:
    """Add the list, empty: from everywhere, as before."""
    column = sa.Column("networks", sa.JSON(), server_default="[]", nullable=False)
    op.add_column("brands", column)
