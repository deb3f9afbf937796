"""Meetings, and calls noted by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def upgrade() -> None:
    """Add a table; nothing that is there changes."""
    op.create_table(
        "meetings",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("title"),
        _word("title_folded"),
        _word("form", "meeting"),
        _number("at"),
        _number("minutes"),
        _word("place"),
        _word("place_folded"),
        _word("participants"),
        _word("participants_folded"),
        _number("contact_id"),
        _number("client_id"),
        _number("owner_id"),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        _word("next_step"),
        _word("next_step_folded"),
        _number("next_step_at"),
        _number("created_at"),
        _number("deleted_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
    )
    op.create_index("ix_meetings_at", "meetings", ["at", "id"])
    op.create_index("ix_meetings_client_id", "meetings", ["client_id", "at", "id"])
    op.create_index("ix_meetings_contact_id", "meetings", ["contact_id", "at", "id"])
    op.create_index("ix_meetings_owner_id", "meetings", ["owner_id", "id"])
