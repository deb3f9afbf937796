"""Topics that people subscribe to, and subscriptions that wait to be confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("true"), nullable=False)


def upgrade() -> None:
    """Add two tables; nothing that is there changes."""
    op.create_table(
        "topics",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        _word("label_en"),
        _word("label_ru"),
        _word("about_en"),
        _word("about_ru"),
        _flag("confirm"),
        _flag("public"),
        _number("account_id"),
        _number("valid_hours", 72),
        _number("most_letters", 3),
        _word("subject_en"),
        _word("subject_ru"),
        _words("text_en"),
        _words("text_ru"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("name", name=op.f("uq_topics_name")),
    )
    op.create_table(
        "confirmations",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("contact_id"),
        _number("address_id"),
        sa.Column("topic", sa.String(length=100), nullable=False),
        _word("state", "waiting"),
        _word("language"),
        _word("how"),
        _words("evidence"),
        _word("ip"),
        _number("asked_at"),
        _number("expires_at"),
        _number("letters"),
        _number("letter_at"),
        _number("tries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("address_id", "topic", name=op.f("uq_confirmations_address_id_topic")),
    )
    op.create_index("ix_confirmations_contact_id", "confirmations", ["contact_id"])
