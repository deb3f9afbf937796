"""Saved views of every kind's list, with their columns, for one team too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; nothing that is there changes."""
    with op.batch_alter_table("views") as batch:
        batch.add_column(sa.Column("kind", sa.String(400), nullable=False, server_default=""))
        batch.add_column(sa.Column("columns", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
        batch.add_column(sa.Column("team_id", ID, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("views") as batch:
        batch.drop_column("team_id")
        batch.drop_column("columns")
        batch.drop_column("kind")
