"""Tables of custom fields: what an organisation adds to its cards, and the values, typed.

Personal data: `custom_values`; see crm_store/erasure.py. A value that is not set has no row.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from crm_store.tables.base import ID, data, flag, key, metadata, num, word, words

custom_fields = Table(
    "custom_fields",
    metadata,
    key(),
    word("kind"),
    word("name"),
    word("type"),
    word("label"),
    word("label_ru"),
    word("help"),
    data("choices", "[]"),
    word("group_name"),
    num("position"),
    flag("required"),
    flag("personal"),
    flag("listed"),
    num("archived_at"),
    num("created_at"),
    num("version", 1),
    UniqueConstraint("kind", "name"),
)

custom_values = Table(
    "custom_values",
    metadata,
    word("kind"),
    Column("object_id", ID, nullable=False),
    Column("field_id", ID, nullable=False),
    word("item"),
    words("text"),
    word("folded"),
    num("number"),
    PrimaryKeyConstraint("kind", "object_id", "field_id", "item"),
    Index("ix_custom_values_number", "field_id", "number", "object_id"),
    Index("ix_custom_values_folded", "field_id", "folded", "object_id"),
)
