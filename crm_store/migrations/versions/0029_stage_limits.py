"""How many interests a stage holds at most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column; no stage has a limit until somebody sets one."""
    op.add_column(
        "stages", sa.Column("wip_limit", ID, server_default=sa.text("0"), nullable=False)
    )
