"""Segments: named groups of people, by conditions or by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "segments",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("name"),
        _word("name_folded"),
        _word("kind", "dynamic"),
        sa.Column("definition", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("watched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _number("size"),
        _number("counted_at"),
        _number("created_at"),
        _number("user_id"),
        _number("removed_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
    )
    op.create_index("ix_segments_name", "segments", ["removed_at", "name_folded"])
    op.create_table(
        "segment_members",
        sa.Column("segment_id", ID, autoincrement=False, nullable=False),
        sa.Column("contact_id", ID, autoincrement=False, nullable=False),
        _number("since"),
        sa.PrimaryKeyConstraint("segment_id", "contact_id", name=op.f("pk_segment_members")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_members_contact", "segment_members", ["contact_id"])
