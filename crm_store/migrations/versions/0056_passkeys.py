"""Colleagues sign in with passkeys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, empty."""

    def number(name: str) -> sa.Column[int]:
        return sa.Column(name, ID, server_default="0", nullable=False)

    def word(name: str) -> sa.Column[str]:
        return sa.Column(name, sa.String(400), server_default="", nullable=False)

    op.create_table(
        "passkeys",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        number("user_id"),
        word("name"),
        word("domain"),
        sa.Column("credential", sa.String(1400), nullable=False),
        sa.Column("public_key", sa.Text(), server_default="", nullable=False),
        number("sign_count"),
        sa.Column("transports", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("synced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        number("created_at"),
        number("last_used_at"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential", name="uq_passkeys_credential"),
    )
    op.create_index("ix_passkeys_user", "passkeys", ["user_id"])
