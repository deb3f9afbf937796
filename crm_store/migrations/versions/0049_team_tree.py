"""Teams stand under teams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the team above; every team stands at the top."""
    op.add_column("teams", sa.Column("parent_id", ID, server_default=sa.text("0"), nullable=False))
