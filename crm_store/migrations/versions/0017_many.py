"""Consent and suppression, and what is sent to many: narrow rows in the ordinary outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str, default: str = "false") -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _data(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text(f"'{default}'"), nullable=False)


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, ID, autoincrement=False, nullable=False)


def upgrade() -> None:
    """Add tables and columns; nothing that is there changes."""
    _consents()
    _many()
    for name in ("send_id", "contact_id", "content_id"):
        op.add_column("deliveries", _number(name))
    for name, columns in (
        ("uq_deliveries_person", ["contact_id", "send_id"]),
        ("uq_deliveries_address", ["send_id", "address_id"]),
    ):
        op.create_index(
            name,
            "deliveries",
            columns,
            unique=True,
            sqlite_where=sa.text("send_id > 0"),
            postgresql_where=sa.text("send_id > 0"),
        )
    op.drop_index("ix_deliveries_message", "deliveries")
    op.create_index(
        "ix_deliveries_message",
        "deliveries",
        ["message_id"],
        sqlite_where=sa.text("message_id > 0"),
        postgresql_where=sa.text("message_id > 0"),
    )


def _consents() -> None:
    op.create_table(
        "consent_log",
        _id(),
        _number("contact_id"),
        _word("channel"),
        _word("topic"),
        _word("state"),
        _number("at"),
        _word("how"),
        _words("evidence"),
        _word("ip"),
        _number("user_id"),
        _number("noted_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_log")),
    )
    op.create_index("ix_consent_log_contact", "consent_log", ["contact_id", "id"])
    op.create_table(
        "consents",
        _id("contact_id"),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        _word("state"),
        _number("at"),
        _number("log_id"),
        sa.PrimaryKeyConstraint("contact_id", "channel", "topic", name=op.f("pk_consents")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "suppressions",
        _id("address_id"),
        sa.Column("reason", sa.String(length=40), nullable=False),
        _number("count", 1),
        _number("at"),
        _word("text"),
        _number("user_id"),
        sa.PrimaryKeyConstraint("address_id", "reason", name=op.f("pk_suppressions")),
        sqlite_with_rowid=False,
    )


def _many() -> None:
    op.create_table(
        "many_sends",
        _id(),
        _number("mailing_id"),
        _number("occurrence"),
        _number("step"),
        _word("title"),
        _word("topic"),
        _flag("advertising", "true"),
        _flag("need_consent", "true"),
        _word("state", "running"),
        _number("quiet_from"),
        _number("quiet_until"),
        _number("cap_count"),
        _number("cap_days"),
        _number("per_minute"),
        _number("domain_per_minute"),
        _number("created_at"),
        _number("user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_many_sends")),
        sa.UniqueConstraint(
            "mailing_id", "occurrence", "step", name=op.f("uq_many_sends_mailing_id_occurrence_step")
        ),
    )
    op.create_table(
        "many_contents",
        _id(),
        _number("send_id"),
        _word("variant"),
        _word("subject"),
        _words("text"),
        _words("html"),
        _word("template"),
        _word("template_language"),
        _data("template_values"),
        _data("buttons", "[]"),
        _data("attachments", "[]"),
        _word("sender_name"),
        _data("links", "[]"),
        _flag("tracks_clicks"),
        _flag("tracks_opens"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_many_contents")),
    )
    op.create_index("ix_many_contents_send", "many_contents", ["send_id"])
    op.create_table(
        "many_touches",
        _id("delivery_id"),
        _id("n"),
        _number("first_at"),
        _number("last_at"),
        _number("count", 1),
        _flag("machine"),
        sa.PrimaryKeyConstraint("delivery_id", "n", name=op.f("pk_many_touches")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "buckets",
        sa.Column("name", sa.String(length=200), nullable=False),
        _number("level"),
        _number("at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_buckets")),
    )
