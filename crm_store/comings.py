"""Comings: who entered and who left a watched segment since it was last looked at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete, exists, func, literal, select, update

from crm_store.segments import enter, locked_row, members, record
from crm_store.tables.people import contacts
from crm_store.tables.segments import segment_members, segments
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import RefreshSegment
from hub.events import SegmentEntered, SegmentLeft
from hub.ids import ContactId

BATCH = 5_000


def refresh_segment(uow: UnitOfWork, command: RefreshSegment) -> tuple[int, int, int]:
    """Compare who is in now with who was: one fact for each who came or went, a batch at a time.

    Each batch begins behind the last one, so that a look walks once through the segment, however
    large it is.
    """
    row = locked_row(uow, command.segment_id)
    reader = Reader(
        conn=uow.conn,
        viewer=uow.viewer,
        now=uow.now,
        nouns=uow.tx.nouns,
        segment_fields=uow.tx.segment_fields,
    )
    segment = record(row)
    if segment.static:
        return 0, 0, 0
    now_in, after = members(reader, segment), command.after
    member = segment_members.c.contact_id
    known = exists().where(segment_members.c.segment_id == row.id, member == contacts.c.id)
    came = _some(uow, now_in.where(contacts.c.id > after, ~known).order_by(contacts.c.id))
    was_in = select(member).where(segment_members.c.segment_id == row.id, member > after)
    inside = now_in.where(contacts.c.id == member).correlate(segment_members).exists()
    went = _some(uow, was_in.where(~inside).order_by(member))
    # As far as both have been looked through; the rest is for the next turn.
    following = min((one[-1] for one in (came, went) if len(one) == BATCH), default=0)
    if following:
        came = [one for one in came if one <= following]
        went = [one for one in went if one <= following]
    enter(uow, row.id, came)
    if went:
        uow.conn.execute(
            delete(segment_members).where(
                segment_members.c.segment_id == row.id, segment_members.c.contact_id.in_(went)
            )
        )
    first = not row.counted_at
    if not following:
        size = select(func.count()).where(segment_members.c.segment_id == literal(row.id))
        uow.conn.execute(
            update(segments)
            .where(segments.c.id == row.id)
            .values(size=size.scalar_subquery(), counted_at=uow.now)
        )
    # Whoever is in it at the first look did not come in just now.
    if not first:
        for number in came:
            uow.record(SegmentEntered(contact_id=ContactId(number), segment_id=row.id))
        for number in went:
            uow.record(SegmentLeft(contact_id=ContactId(number), segment_id=row.id))
    return len(came), len(went), following


def _some(uow: UnitOfWork, people: Select[Any]) -> list[int]:
    return list(uow.conn.execute(people.limit(BATCH)).scalars())
