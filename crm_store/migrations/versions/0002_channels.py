"""What channels of messengers need: their memory, catalogue, windows, albums, early changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text("0"), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _data(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text(f"'{default}'"), nullable=False)


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    for column in (
        _data("memory", "{}"),
        _word("connected_to"),
        _words("webhook_state"),
        _words("quota"),
        _number("inspected_at"),
        _number("templates_at"),
        _words("templates_error"),
    ):
        op.add_column("accounts", column)
    op.add_column("dialogs", _number("window_until"))
    op.create_table(
        "templates",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        _word("category"),
        _words("header"),
        _word("media"),
        _words("body"),
        _words("footer"),
        _data("variables", "[]"),
        _data("examples", "{}"),
        _data("buttons", "[]"),
        _word("state", "approved"),
        _words("reason"),
        _words("reference"),
        _number("changed_at"),
        sa.PrimaryKeyConstraint("account_id", "name", "language", name=op.f("pk_templates")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message_aliases",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        _number("message_id"),
        sa.PrimaryKeyConstraint("account_id", "external_id", name=op.f("pk_message_aliases")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_message_aliases_message", "message_aliases", ["message_id"])
    op.create_table(
        "parked_arrivals",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("account_id"),
        _word("external_id"),
        _word("kind"),
        _data("payload", "{}"),
        _number("parked_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_arrivals")),
    )
    op.create_index(
        "ix_parked_arrivals_external", "parked_arrivals", ["account_id", "external_id"]
    )
