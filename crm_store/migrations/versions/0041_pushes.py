"""Notices reach a browser whose tab is closed: the key pair, the browsers, and what waits for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _num(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text("0"), nullable=False)


def _key(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, ID, autoincrement=False, nullable=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(400), server_default="", nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    """Make the tables: nobody is called yet."""
    op.create_table(
        "push_keys",
        _key(),
        _word("public"),
        _words("secret"),
        _num("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_keys")),
    )
    op.create_table(
        "push_devices",
        _key(),
        _num("user_id"),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("endpoint_hash", sa.String(64), nullable=False),
        _words("sealed"),
        _word("name"),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _num("created_at"),
        _num("pushed_at"),
        _word("last_error"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_devices")),
        sa.UniqueConstraint("endpoint_hash", name=op.f("uq_push_devices_endpoint_hash")),
    )
    op.create_index("ix_push_devices_user", "push_devices", ["user_id"])
    op.create_index("ix_push_devices_login", "push_devices", ["login"])
    op.create_table(
        "pushes",
        _key("device_id"),
        _key("notice_id"),
        _num("due_at"),
        _num("attempts"),
        _num("created_at"),
        sa.PrimaryKeyConstraint("device_id", "notice_id", name=op.f("pk_pushes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pushes_due", "pushes", ["due_at"])
