"""How many messages a provider counts for what leaves: an SMS of several parts costs several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column to two tables; 0 says what was true of what is there: nobody counted, so one."""
    for name in ("deliveries", "many_steps"):
        op.add_column(
            name, sa.Column("charged", ID, server_default=sa.text("0"), nullable=False)
        )
