"""Segments: who is in them now, what they are made of, and writing them.

A segment is a question, not a list: it is asked when it is used. Segments may be made of
segments; a circle is refused when it would be saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from crm_store.filter_sql import compile_sql
from crm_store.objects import NOUNS, visible_people
from crm_store.refusals import is_shut
from crm_store.rows import among, listed
from crm_store.segment_fields import columns, fields
from crm_store.sql import locked, unindexed, upsert, written
from crm_store.tables.people import addresses, contacts
from crm_store.tables.segments import segment_members, segments
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import FillSegment, RemoveSegment, SaveSegment
from hub.errors import Conflict, Invalid, NotFound
from hub.events import SegmentChanged
from hub.filters import Moment, Use, parse
from hub.ids import AddressId, ContactId, Micros
from hub.records.segments import Member, Segment
from hub.terms import fold

CONTACT = NOUNS["contact"]
KEPT_US = 30 * 86_400_000_000
"""So long a removed segment can be brought back with its people."""
FORGOTTEN_AT_ONCE = 50_000
PART = 61
"""An estimate asks one of so many: a prime, for ids are made in steps."""
AT_ONCE = 20_000
"""Above so many people in the house an estimate comes before what is counted."""


# -- asking --------------------------------------------------------------------------------


def all_segments(reader: Reader) -> list[Segment]:
    """Give every segment by name."""
    reader.viewer.need("contacts.view")
    rows = reader.conn.execute(
        select(segments)
        .where(segments.c.removed_at == 0)
        .order_by(segments.c.name_folded, segments.c.id)
    )
    return [_shown(reader, row) for row in rows]


def one(reader: Reader, segment_id: int) -> Segment:
    """Give a segment; raises NotFound."""
    reader.viewer.need("contacts.view")
    return _shown(reader, _row(reader.conn, segment_id))


def _shown(reader: Reader, row: Any) -> Segment:
    segment = record(row)
    # What the hub counted holds people whom a limited reader may not see.
    return replace(segment, size=0, counted_at=Micros(0)) if reader.viewer.is_limited else segment


def _row(conn: Any, segment_id: int) -> Row[Any]:
    row = conn.execute(
        select(segments).where(segments.c.id == segment_id, segments.c.removed_at == 0)
    ).first()
    if row is None:
        raise NotFound("there is no such segment")
    found: Row[Any] = row
    return found


def record(row: Any) -> Segment:
    """Make a segment of its row."""
    definition = row.definition or {}
    return Segment(
        id=row.id,
        name=row.name,
        static=row.kind == "static",
        filter=definition.get("filter") or {},
        any_of=tuple(int(one) for one in definition.get("any_of", ())),
        all_of=tuple(int(one) for one in definition.get("all_of", ())),
        not_in=tuple(int(one) for one in definition.get("not_in", ())),
        watched=row.watched,
        size=row.size,
        counted_at=Micros(row.counted_at),
        version=row.version,
    )


def members(reader: Reader, segment: Segment, *, part: bool = False) -> Select[Any]:
    """Give the question whose answer is the people of a segment that the reader may see.

    Of a `part` it is every sixty-first one, of which an estimate is made.
    """
    return select(contacts.c.id).where(
        contacts.c.deleted_at == 0,
        contacts.c.id % written(PART) == written(0) if part else true(),
        visible_people(reader.viewer),
        _inside(reader, segment, frozenset()),
    )


def _inside(reader: Reader, segment: Segment, above: frozenset[int]) -> ColumnElement[bool]:
    if segment.id in above:
        raise Conflict("this segment is made of itself", what="circle")
    above = above | {segment.id} if segment.id else above
    if segment.static:
        return exists().where(
            segment_members.c.segment_id == segment.id,
            segment_members.c.contact_id == contacts.c.id,
        )
    parts: list[ColumnElement[bool]] = []
    if segment.filter:
        known = fields(reader.conn, reader.segment_fields)
        tree = parse(segment.filter, known, Use.QUERY)
        moment = Moment(now=reader.now, me=reader.viewer.user_id)
        dialect, sql = reader.conn.dialect.name, columns(reader)
        parts.append(compile_sql(tree, known, sql, contacts.c.id, moment, dialect))
    parts += [_inside(reader, record(_row(reader.conn, n)), above) for n in segment.any_of]
    inside = or_(*parts) if parts else true()
    both = [_inside(reader, record(_row(reader.conn, n)), above) for n in segment.all_of]
    outside = [_inside(reader, record(_row(reader.conn, n)), above) for n in segment.not_in]
    return and_(inside, *both, *(~one for one in outside))


def count(reader: Reader, segment: Segment, *, part: bool = False) -> int:
    """Count the people of a segment, or of a `part` of it."""
    inner = members(reader, segment, part=part).subquery()
    return int(reader.conn.execute(select(func.count()).select_from(inner)).scalar_one())


def is_large(reader: Reader) -> bool:
    """Say whether there are so many people that counting a segment of them takes its time."""
    some = select(contacts.c.id).limit(AT_ONCE + 1).subquery()
    return int(reader.conn.execute(select(func.count()).select_from(some)).scalar_one()) > AT_ONCE


def address_of(contact: Any, channel: str, account_id: int = 0) -> Any:
    """Give the question for the address of a person on a channel: the first that takes something,
    over this account where one is named."""
    # A person has a few addresses, and a kind half of all there are.
    return (
        select(addresses.c.id)
        .where(addresses.c.contact_id == contact, unindexed(addresses.c.kind) == channel)
        .order_by(is_shut(account_id), addresses.c.id)
        .limit(1)
        .scalar_subquery()
    )


def audience(
    reader: Reader,
    segment: Segment,
    *,
    channel: str,
    account_id: int = 0,
    after: int = 0,
    limit: int = 500,
) -> list[Member]:
    """Give the people of a segment by id, each with his address of a channel; continued by key.

    Of several addresses it is the first that takes something, over this account where one is named.
    """
    limit = max(1, min(limit, 2_000))
    # Found first, and looked up after: asked for together with his name and address, PostgreSQL
    # walks through everybody who stands before the place where it goes on.
    found = (
        members(reader, segment)
        .add_columns(contacts.c.name, contacts.c.time_zone)
        .where(contacts.c.id > after)
        .order_by(contacts.c.id)
        .limit(limit)
        .subquery()
    )
    rows = reader.conn.execute(
        select(found, address_of(found.c.id, channel, account_id).label("address_id")).order_by(
            found.c.id
        )
    ).all()
    dialect = reader.conn.dialect.name
    given = {"b_ids": listed(dialect, [row.address_id for row in rows if row.address_id])}
    values: dict[int, str] = dict(reader.conn.execute(_values(dialect), given).all())
    return [
        Member(
            contact_id=ContactId(row.id),
            address_id=AddressId(row.address_id or 0),
            name=row.name,
            address=values.get(row.address_id or 0, ""),
            time_zone=row.time_zone,
        )
        for row in rows
    ]


@cache
def _values(dialect: str) -> Select[Any]:
    return select(addresses.c.id, addresses.c.value).where(among(dialect, addresses.c.id, "b_ids"))


# -- changing ------------------------------------------------------------------------------


def save_segment(uow: UnitOfWork, command: SaveSegment) -> int:
    """Write a segment; a filter that cannot be asked, and a circle, are refused."""
    name = command.name.strip()[:200]
    if not name:
        raise Invalid("give the segment a name", field="name")
    if command.filter:
        parse(command.filter, fields(uow.conn, uow.tx.segment_fields), Use.QUERY)
    definition = {
        "filter": dict(command.filter),
        "any_of": [str(one) for one in command.any_of],
        "all_of": [str(one) for one in command.all_of],
        "not_in": [str(one) for one in command.not_in],
    }
    values: dict[str, Any] = {
        "name": name,
        "name_folded": fold(name)[:400],
        "definition": definition,
        "watched": command.watched,
    }
    segment_id = command.segment_id
    if segment_id:
        row = locked_row(uow, segment_id)
        if command.version is not None and row.version != command.version:
            raise Conflict("somebody changed this segment meanwhile", what="version")
        _no_circle(uow, segment_id, (*command.any_of, *command.all_of, *command.not_in))
        uow.conn.execute(
            update(segments)
            .where(segments.c.id == segment_id)
            .values(version=segments.c.version + 1, **values)
        )
    else:
        segment_id = uow.new_id()
        _no_circle(uow, segment_id, (*command.any_of, *command.all_of, *command.not_in))
        uow.conn.execute(
            insert(segments).values(
                id=segment_id,
                kind="static" if command.static else "dynamic",
                created_at=uow.now,
                user_id=uow.viewer.user_id,
                **values,
            )
        )
    what = "changed" if command.segment_id else "created"
    uow.record(SegmentChanged(segment_id=segment_id, what=what))
    return segment_id


def locked_row(uow: UnitOfWork, segment_id: int) -> Row[Any]:
    """Give a segment's row, locked; raises NotFound."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(segments).where(segments.c.id == segment_id, segments.c.removed_at == 0),
        )
    ).first()
    if row is None:
        raise NotFound("there is no such segment")
    return row


def _no_circle(uow: UnitOfWork, segment_id: int, parts: Iterable[int]) -> None:
    """Refuse a segment that would be made of itself, and name the way round."""
    path: list[tuple[int, tuple[str, ...]]] = [(one, ()) for one in parts]
    seen: set[int] = set()
    while path:
        number, way = path.pop()
        if number == segment_id:
            words = " → ".join(way)
            raise Invalid(f"the segment would be made of itself: {words}", field="any_of")
        if number in seen:
            continue
        seen.add(number)
        found = record(_row(uow.conn, number))
        path += [(one, (*way, found.name)) for one in found.made_of]


def fill_segment(uow: UnitOfWork, command: FillSegment) -> int:
    """Put people in and take people out."""
    row = locked_row(uow, command.segment_id)
    if row.kind != "static":
        raise Invalid("a segment of conditions is not filled by hand", field="segment_id")
    changed = 0
    seen = visible_people(uow.viewer)
    if command.remove:
        mine = select(contacts.c.id).where(contacts.c.id.in_(command.remove), seen)
        changed += uow.conn.execute(
            delete(segment_members).where(
                segment_members.c.segment_id == row.id,
                segment_members.c.contact_id.in_(mine),
            )
        ).rowcount
    there = set(
        uow.conn.execute(
            select(contacts.c.id).where(
                contacts.c.id.in_(command.add), contacts.c.deleted_at == 0, seen
            )
        ).scalars()
    )
    known = set(
        uow.conn.execute(
            select(segment_members.c.contact_id).where(
                segment_members.c.segment_id == row.id,
                segment_members.c.contact_id.in_(command.add),
            )
        ).scalars()
    )
    fresh = sorted(there - known)
    enter(uow, row.id, fresh)
    if changed or fresh:
        uow.record(SegmentChanged(segment_id=row.id, what="filled"))
    return int(changed) + len(fresh)


def enter(uow: UnitOfWork, segment_id: int, people: Sequence[int]) -> None:
    """Put people into a segment; who is in it already stays so."""
    if people:
        uow.conn.execute(
            upsert(uow.dialect, segment_members).on_conflict_do_nothing(),
            [{"segment_id": segment_id, "contact_id": one, "since": uow.now} for one in people],
        )


def remove_segment(uow: UnitOfWork, command: RemoveSegment) -> None:
    """Put a segment away, or bring it back."""
    if command.restore:
        _restore(uow, command.segment_id)
        return
    row = locked_row(uow, command.segment_id)
    others = uow.conn.execute(select(segments).where(segments.c.removed_at == 0)).all()
    users = sorted(one.name for one in others if row.id in record(one).made_of)
    if users:
        raise Conflict(f"other segments are made of it: {', '.join(users)}", what="in_use")
    uow.conn.execute(update(segments).where(segments.c.id == row.id).values(removed_at=uow.now))
    uow.record(SegmentChanged(segment_id=row.id, what="removed"))


def _restore(uow: UnitOfWork, segment_id: int) -> None:
    back = select(segments).where(segments.c.id == segment_id, segments.c.removed_at > 0)
    row = uow.conn.execute(locked(uow.dialect, back)).first()
    if row is None:
        raise NotFound("there is no such segment")
    if row.removed_at < uow.now - KEPT_US:
        raise Conflict("it was removed too long ago: its people are not kept any more", what="age")
    for number in record(row).made_of:
        _row(uow.conn, number)
    uow.conn.execute(update(segments).where(segments.c.id == row.id).values(removed_at=0))
    uow.record(SegmentChanged(segment_id=row.id, what="restored"))


def forget_members(conn: Connection, now: int) -> None:
    """Let the people of segments go that cannot be brought back any more, some of each a turn."""
    removed = (segments.c.removed_at > 0) & (segments.c.removed_at < now - KEPT_US)
    for number in conn.execute(select(segments.c.id).where(removed)).scalars().all():
        member = segment_members.c.contact_id
        mine = segment_members.c.segment_id == number
        some = select(member).where(mine).order_by(member).limit(FORGOTTEN_AT_ONCE).subquery()
        last = conn.execute(select(func.max(some.c.contact_id))).scalar()
        if last is not None:
            conn.execute(delete(segment_members).where(mine, member <= last))
