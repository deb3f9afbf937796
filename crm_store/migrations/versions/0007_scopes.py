"""Roles say whose work they reach, by subject and by account; custom roles know their origin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; the roles that are there go on reaching everything."""
    for name in ("scopes", "account_scopes"):
        column = sa.Column(name, sa.JSON(), server_default=sa.text("'{}'"), nullable=False)
        op.add_column("roles", column)
    op.add_column(
        "roles", sa.Column("based_on", sa.String(length=400), server_default="", nullable=False)
    )
    op.add_column(
        "roles", sa.Column("known", sa.JSON(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("roles", sa.Column("version", ID, server_default=sa.text("1"), nullable=False))
