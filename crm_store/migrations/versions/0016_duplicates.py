"""Cards that may be one, addresses told in messages, and who is no client."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text("0"), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "duplicate_keys",
        _word("kind"),
        sa.Column("key", ID, nullable=False),
        sa.Column("object_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "object_id", name=op.f("pk_duplicate_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_duplicate_keys_object", "duplicate_keys", ["kind", "object_id"])
    op.create_table(
        "duplicates",
        _word("kind"),
        sa.Column("a_id", ID, nullable=False),
        sa.Column("b_id", ID, nullable=False),
        _number("score"),
        sa.Column("reasons", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        _word("state", "open"),
        _number("found_at"),
        _number("decided_at"),
        _number("decided_by"),
        sa.PrimaryKeyConstraint("kind", "a_id", "b_id", name=op.f("pk_duplicates")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_duplicates_state", "duplicates", ["kind", "state", "score", "b_id"])
    op.create_index("ix_duplicates_b", "duplicates", ["kind", "b_id"])
    op.create_table(
        "said_addresses",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("dialog_id"),
        _number("message_id"),
        _word("kind"),
        _word("value"),
        _word("normal"),
        _word("state", "open"),
        _number("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_said_addresses")),
        sa.UniqueConstraint("dialog_id", "normal", name=op.f("uq_said_addresses_dialog_id_normal")),
    )
    op.create_index("ix_said_addresses_message", "said_addresses", ["message_id"])
    op.create_table(
        "set_aside",
        sa.Column("address_id", ID, autoincrement=False, nullable=False),
        _word("reason"),
        _number("at"),
        _number("user_id"),
        sa.PrimaryKeyConstraint("address_id", name=op.f("pk_set_aside")),
    )
