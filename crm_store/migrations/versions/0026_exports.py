"""Exports as jobs: what was asked for, how far it is, and the file until it expires."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def upgrade() -> None:
    """Add a table; nothing that is there changes."""
    op.create_table(
        "exports",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("user_id"),
        _word("kind"),
        _word("format", "csv"),
        _word("language", "en"),
        sa.Column("query", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("columns", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        _word("state", "waiting"),
        _word("error"),
        _number("rows_count"),
        _number("rows_done"),
        _word("blob_id"),
        _number("size"),
        _word("reach"),
        _number("created_at"),
        _number("finished_at"),
        _number("expires_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index("ix_exports_user_id", "exports", ["user_id", "id"])
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"])
