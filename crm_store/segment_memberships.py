"""In which segments people are, as far as it is written down: nothing is counted for it.

A static segment holds its people; of a watched one those stand who were in it at its last look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, or_, select

from crm_store.rows import among, listed
from crm_store.segment_fields import beyond
from crm_store.segments import members, record
from crm_store.tables.people import contacts
from crm_store.tables.segments import segment_members, segments
from crm_store.viewer import Reader
from hub.records.segments import Segment


def segments_of(reader: Reader, people: Sequence[int]) -> list[Segment]:
    """Give the segments in which any of these people is, by name; whose they are is asked before.

    The last look at a watched one was the hub's: where it may depend on what this reader does not
    see, he is told what he would find himself.
    """
    reader.viewer.need("contacts.view")
    dialect = reader.conn.dialect.name
    rows = reader.conn.execute(_segments_of(dialect), {"people": listed(dialect, people)})
    found = [record(row) for row in rows]
    unsure = beyond(reader, [one.id for one in found if not one.static])
    return [one for one in found if one.id not in unsure or _finds(reader, one, people)]


def _finds(reader: Reader, segment: Segment, people: Sequence[int]) -> bool:
    inside = members(reader, segment).where(contacts.c.id.in_(people)).limit(1)
    return reader.conn.execute(inside).first() is not None


@cache
def _segments_of(dialect: str) -> Select[Any]:
    held = select(segment_members.c.segment_id).where(
        among(dialect, segment_members.c.contact_id, "people")
    )
    return (
        select(segments)
        .where(
            segments.c.id.in_(held),
            segments.c.removed_at == 0,
            or_(segments.c.kind == "static", segments.c.watched),
        )
        .order_by(segments.c.name_folded, segments.c.id)
    )
