"""Tables of segments: named groups of people, by conditions or by hand."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word

segments = Table(
    "segments",
    metadata,
    key(),
    word("name"),
    word("name_folded"),
    word("kind", "dynamic"),
    data("definition"),
    flag("watched"),
    num("size"),
    num("counted_at"),
    num("created_at"),
    ref("user_id"),
    num("removed_at"),
    num("version", 1),
    Index("ix_segments_name", "removed_at", "name_folded"),
)

# Who is in a static segment; of a watched dynamic one, who was in it when it was last looked at.
segment_members = Table(
    "segment_members",
    metadata,
    Column("segment_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    num("since"),
    PrimaryKeyConstraint("segment_id", "contact_id"),
    Index("ix_segment_members_contact", "contact_id"),
    sqlite_with_rowid=False,
)
