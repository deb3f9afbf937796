"""Custom fields: what an organisation adds to its cards, and the values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default="", nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "custom_fields",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("kind"),
        _word("name"),
        _word("type"),
        _word("label"),
        _word("label_ru"),
        _word("help"),
        sa.Column("choices", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        _word("group_name"),
        _number("position"),
        _flag("required"),
        _flag("personal"),
        _flag("listed"),
        _number("archived_at"),
        _number("created_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_custom_fields_kind_name")),
    )
    op.create_table(
        "custom_values",
        _word("kind"),
        sa.Column("object_id", ID, nullable=False),
        sa.Column("field_id", ID, nullable=False),
        _word("item"),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        _word("folded"),
        _number("number"),
        sa.PrimaryKeyConstraint(
            "kind", "object_id", "field_id", "item", name=op.f("pk_custom_values")
        ),
    )
    op.create_index(
        "ix_custom_values_number", "custom_values", ["field_id", "number", "object_id"]
    )
    op.create_index(
        "ix_custom_values_folded", "custom_values", ["field_id", "folded", "object_id"]
    )
