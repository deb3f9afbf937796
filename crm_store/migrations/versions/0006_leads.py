"""Leads, what clients are described by, tags of objects, and which dialogs an object is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _data(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text("'{}'"), nullable=False)


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    for column in (
        _word("status", "prospect"),
        _number("team_id"),
        _word("source"),
        _word("source_folded"),
        _word("phone"),
        _word("phone_folded"),
        _word("email"),
        _word("email_folded"),
        _word("site"),
        _word("site_folded"),
        _word("region"),
        _word("region_folded"),
        _word("industry"),
        _word("industry_folded"),
        _number("birthday"),
        _words("notes"),
        _word("legal_name"),
        _word("legal_name_folded"),
        _word("inn"),
        _word("inn_folded"),
        _word("kpp"),
        _word("kpp_folded"),
        _word("ogrn"),
        _word("ogrn_folded"),
        _word("legal_address"),
        _word("legal_address_folded"),
        _words("bank"),
        _number("deleted_at"),
    ):
        op.add_column("clients", column)
    op.create_index("ix_clients_email_folded", "clients", ['email_folded'])
    op.create_index("ix_clients_owner_id", "clients", ['owner_id', 'id'])
    op.create_index("ix_clients_phone_folded", "clients", ['phone_folded'])
    op.create_table(
        "leads",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("title"),
        _word("title_folded"),
        _word("status", "new"),
        _number("owner_id"),
        _number("team_id"),
        _word("name"),
        _word("name_folded"),
        _word("company"),
        _word("company_folded"),
        _word("phone"),
        _word("phone_folded"),
        _word("email"),
        _word("email_folded"),
        _words("message"),
        _word("source"),
        _word("source_folded"),
        _word("channel"),
        _word("channel_folded"),
        _word("utm_source"),
        _word("utm_source_folded"),
        _word("utm_medium"),
        _word("utm_medium_folded"),
        _word("utm_campaign"),
        _word("utm_campaign_folded"),
        _word("utm_content"),
        _word("utm_content_folded"),
        _word("utm_term"),
        _word("utm_term_folded"),
        _number("contact_id"),
        _number("client_id"),
        _number("repeat_of"),
        _word("reason"),
        _word("reason_folded"),
        _number("closed_at"),
        _number("created_at"),
        _data("conversion"),
        _number("deleted_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    op.create_index("ix_leads_client_id", "leads", ['client_id'])
    op.create_index("ix_leads_contact_id", "leads", ['contact_id'])
    op.create_index("ix_leads_email_folded", "leads", ['email_folded'])
    op.create_index("ix_leads_owner_id", "leads", ['owner_id', 'id'])
    op.create_index("ix_leads_phone_folded", "leads", ['phone_folded'])
    op.create_index("ix_leads_status", "leads", ['deleted_at', 'status', 'id'])
    op.create_table(
        "object_tags",
        _word("kind"),
        sa.Column("object_id", ID, nullable=False),
        _word("tag_folded"),
        _word("tag"),
        sa.PrimaryKeyConstraint("kind", "object_id", "tag_folded", name=op.f("pk_object_tags")),
    )
    op.create_index("ix_object_tags_tag", "object_tags", ['kind', 'tag_folded', 'object_id'])
    op.create_table(
        "dialog_links",
        sa.Column("dialog_id", ID, nullable=False),
        _word("kind"),
        sa.Column("object_id", ID, nullable=False),
        _number("created_at"),
        sa.PrimaryKeyConstraint("dialog_id", "kind", "object_id", name=op.f("pk_dialog_links")),
    )
    op.create_index("ix_dialog_links_object", "dialog_links", ['kind', 'object_id'])
