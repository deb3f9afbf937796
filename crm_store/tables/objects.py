"""Tables of what we work on. Their columns are made from the descriptions in hub/nouns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from crm_store.tables.base import ID, addresses, data, flag, key, metadata, num, ref, word, words
from hub.kinds import Kind
from hub.nouns import LEADS
from hub.properties import Property, PropertyType


def columns_of(kind: Kind) -> list[Column[Any]]:
    """Give the columns of a kind's properties: of a line also its folded twin, of tags none."""
    return [column for one in kind.properties for column in _columns(one)]


def _columns(prop: Property) -> list[Column[Any]]:
    match prop.type:
        case PropertyType.LINE:
            return [word(prop.name), word(f"{prop.name}_folded")]
        case PropertyType.TEXT:
            return [words(prop.name)]
        case PropertyType.CHOICE:
            return [word(prop.name, prop.choices[0].value)]
        case PropertyType.FLAG:
            return [flag(prop.name)]
        case PropertyType.REF:
            return [ref(prop.name)]
        case PropertyType.TAGS:
            return []
        case PropertyType.ADDRESSES:
            return [addresses(prop.name), words(f"{prop.name}_folded")]
    return [num(prop.name)]


leads = Table(
    "leads",
    metadata,
    key(),
    *columns_of(LEADS),
    # What a conversion changed, so that it can be taken back.
    data("conversion"),
    num("deleted_at"),
    num("version", 1),
    Index("ix_leads_status", "deleted_at", "status", "id"),
    Index("ix_leads_newest", "deleted_at", "id"),
    # Sorted by the time to the first response; whoever waits for one has 0 in it.
    Index("ix_leads_response", "deleted_at", "first_response_us", "id"),
    Index("ix_leads_owner_id", "owner_id", "id"),
    Index("ix_leads_contact_id", "contact_id"),
    Index("ix_leads_client_id", "client_id"),
    Index("ix_leads_phone_folded", "phone_folded"),
    Index("ix_leads_email_folded", "email_folded"),
)

object_tags = Table(
    "object_tags",
    metadata,
    word("kind"),
    Column("object_id", ID, nullable=False),
    word("tag_folded"),
    word("tag"),
    PrimaryKeyConstraint("kind", "object_id", "tag_folded"),
    Index("ix_object_tags_tag", "kind", "tag_folded", "object_id"),
)

dialog_links = Table(
    "dialog_links",
    metadata,
    Column("dialog_id", ID, nullable=False),
    word("kind"),
    Column("object_id", ID, nullable=False),
    num("created_at"),
    PrimaryKeyConstraint("dialog_id", "kind", "object_id"),
    Index("ix_dialog_links_object", "kind", "object_id"),
)
