"""What was earned after a send to many: leads and interests within a window after a touch.

A touch is a click or an answer of a person's. An interest that several mailings touched within
the window belongs to each of them (`any`), to the earliest (`first`) or to the latest (`last`).
What came of those who were kept out is asked by people, so that both sides are counted alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    select,
    true,
    union_all,
)

from crm_store.many_cuts import cut
from crm_store.many_went import over_of_touch, went_of
from crm_store.rows import numbered, numbers
from crm_store.sums import sum_of
from crm_store.tables.interests import interests
from crm_store.tables.many import many_touches
from crm_store.tables.objects import leads
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import contacts
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.records.many_results import TOUCHES, Earned

DAY_US = 86_400_000_000
_KINDS = ("leads", "interests", "won")


def touched(send_ids: Sequence[int]) -> Select[Any]:
    """Give the people who touched sends: they followed a link or answered."""
    return (
        select(deliveries.c.contact_id)
        .join(many_touches, many_touches.c.delivery_id == deliveries.c.id)
        .where(
            deliveries.c.send_id.in_(send_ids),
            TO_MANY,
            ~many_touches.c.machine,
            many_touches.c.n != 0,
        )
    )


def things_of(
    reader: Reader, send_ids: Sequence[int], number: str, *, days: int, touch: str
) -> Subquery:
    """Give what was made after touches of sends, with whose it is and the delivery it belongs to.

    What is a client's is everybody's of that client who touched a send: `place` is 1 in one row of
    each thing, which is the one to count and to sum. `over` is the account of the touch that it is
    owed to.
    """
    if touch not in TOUCHES:
        raise Invalid("a touch is any, first or last", field="touch")
    made = _made(number, touched(send_ids))
    own = deliveries.c.send_id.in_(send_ids)
    at = many_touches.c.first_at
    mine = case((own, at))
    each = (
        select(
            made.c.id,
            made.c.person,
            made.c.at,
            made.c.amount,
            made.c.currency,
            func.max(case((own, deliveries.c.id), else_=0)).label("delivery_id"),
            func.min(mine).label("mine_first"),
            func.max(mine).label("mine_last"),
            func.min(at).label("first"),
            func.max(at).label("last"),
        )
        .select_from(made)
        .join(deliveries, (deliveries.c.contact_id == made.c.person) & (TO_MANY))
        .join(many_touches, many_touches.c.delivery_id == deliveries.c.id)
        .where(
            ~many_touches.c.machine,
            many_touches.c.n != 0,
            at <= made.c.at,
            at >= made.c.at - days * DAY_US,
        )
        .group_by(made.c.id, made.c.person, made.c.at, made.c.amount, made.c.currency)
        .subquery("each")
    )
    thing = each.c.id
    placed = select(
        each,
        func.row_number()
        .over(order_by=each.c.delivery_id.desc(), partition_by=thing)
        .label("place"),
        func.min(each.c.mine_first).over(partition_by=thing).label("thing_mine_first"),
        func.max(each.c.mine_last).over(partition_by=thing).label("thing_mine_last"),
        func.min(each.c.first).over(partition_by=thing).label("thing_first"),
        func.max(each.c.last).over(partition_by=thing).label("thing_last"),
    ).subquery("placed")
    belongs: dict[str, ColumnElement[bool]] = {
        "any": true(),
        "first": placed.c.thing_mine_first == placed.c.thing_first,
        "last": placed.c.thing_mine_last == placed.c.thing_last,
    }
    things = select(placed).where(placed.c.delivery_id > 0, belongs[touch]).subquery("owed")
    over = (
        select(over_of_touch())
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(
            many_touches.c.delivery_id == things.c.delivery_id,
            ~many_touches.c.machine,
            many_touches.c.n != 0,
            at <= things.c.at,
            at >= things.c.at - days * DAY_US,
        )
        .order_by(at if touch == "first" else at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(*things.c, over.label("over")).subquery("things")


def earned(
    reader: Reader,
    send_ids: Sequence[int],
    *,
    days: int = 30,
    touch: str = "any",
    by: str = "",
    offset_us: int = 0,
) -> list[Earned]:
    """Give what was made after touches of sends, in each part of a cut."""
    found: dict[str, dict[str, Any]] = {}
    went = went_of(reader, send_ids, by_way=bool(by))
    for number in _KINDS:
        things = things_of(reader, send_ids, number, days=days, touch=touch)
        source, key = cut(
            reader, things.join(went.rows, went.by_way(things)), by, offset_us, went.rows
        )
        rows = select(
            key.label("key"),
            things.c.id,
            things.c.person,
            things.c.amount,
            things.c.currency,
            things.c.place,
        )
        _add(found, number, reader.conn.execute(_counted(rows.select_from(source))))
    if not by:
        found.setdefault("", {})
    return [_record(key, one) for key, one in sorted(found.items())]


def won_after(reader: Reader, send_ids: Sequence[int], *, days: int) -> Earned:
    """Give what everybody who got a send won within so many days of it, touched or not."""
    found: dict[str, dict[str, Any]] = {}
    gone = select(deliveries.c.contact_id).where(
        deliveries.c.send_id.in_(send_ids), TO_MANY, deliveries.c.sent_at > 0
    )
    for number in _KINDS:
        made = _made(number, gone)
        rows = (
            _placed(made)
            .join(deliveries, deliveries.c.contact_id == made.c.person)
            .where(
                deliveries.c.send_id.in_(send_ids),
                TO_MANY,
                deliveries.c.sent_at > 0,
                made.c.at >= deliveries.c.sent_at,
                made.c.at <= deliveries.c.sent_at + days * DAY_US,
            )
        )
        _add(found, number, reader.conn.execute(_counted(rows)))
    return _record("", found.get("", {}))


def won_since(reader: Reader, moments: Sequence[tuple[int, int]], *, days: int) -> Earned:
    """Give what people won within so many days of moments of their own: those who were kept out."""
    found: dict[str, dict[str, Any]] = {}
    dialect = reader.conn.dialect.name
    given = numbers(dialect, ("person", "since"))
    values = numbered(dialect, ("person", "since"), moments)
    people = select(contacts.c.id).where(contacts.c.id.in_(select(given.c.person)))
    for number in _KINDS:
        made = _made(number, people)
        rows = (
            _placed(made)
            .join(given, given.c.person == made.c.person)
            .where(made.c.at >= given.c.since, made.c.at <= given.c.since + days * DAY_US)
        )
        _add(found, number, reader.conn.execute(_counted(rows), values))
    return _record("", found.get("", {}))


def _placed(made: Subquery) -> Select[Any]:
    """Give things, one row of each with `place` 1, although a chain met its people several times."""
    place = func.row_number().over(partition_by=made.c.id, order_by=made.c.person)
    return select(
        cast("", String).label("key"),
        made.c.id,
        made.c.person,
        made.c.amount,
        made.c.currency,
        place.label("place"),
    ).select_from(made)


def _counted(rows: Select[Any]) -> Select[Any]:
    """Count things by key and currency, each thing and each of its people once."""
    thing = rows.subquery("thing")
    turn = func.row_number().over(
        partition_by=(thing.c.key, thing.c.person), order_by=(thing.c.id, thing.c.place)
    )
    one = select(thing, turn.label("turn")).subquery("one")
    return (
        select(
            one.c.key,
            one.c.currency,
            func.count(case((one.c.place == 1, one.c.id))).label("n"),
            func.count(case((one.c.turn == 1, one.c.person))).label("people"),
            sum_of(one.c.amount, one.c.place == 1).label("total"),
        )
        .group_by(one.c.key, one.c.currency)
        .order_by(one.c.key, one.c.currency)
    )


def _made(number: str, people: Select[Any]) -> Subquery:
    """Give leads made, interests made or interests won of people: id, whose, when, how much.

    An interest that names no person is its client's: everybody's of that client.
    """
    if number == "leads":
        return (
            select(
                leads.c.id,
                leads.c.contact_id.label("person"),
                leads.c.created_at.label("at"),
                (leads.c.id * 0).label("amount"),
                cast("", String).label("currency"),
            )
            .where(leads.c.contact_id.in_(people), leads.c.deleted_at == 0)
            .subquery("made")
        )
    won = number == "won"
    at = interests.c.closed_at if won else interests.c.created_at
    shared = [interests.c.deleted_at == 0, *([interests.c.status == "won"] if won else [])]
    columns = (at.label("at"), interests.c.amount, interests.c.currency)
    own = select(interests.c.id, interests.c.contact_id.label("person"), *columns).where(
        interests.c.contact_id.in_(people), *shared
    )
    of_client = (
        select(interests.c.id, contacts.c.id.label("person"), *columns)
        .join(contacts, contacts.c.client_id == interests.c.client_id)
        .where(
            interests.c.contact_id == 0,
            interests.c.client_id > 0,
            contacts.c.id.in_(people),
            *shared,
        )
    )
    return union_all(own, of_client).subquery("made")


def _add(parts: dict[str, dict[str, Any]], number: str, rows: Any) -> None:
    for row in rows:
        found = parts.setdefault(str(row.key), {})
        found[number] = found.get(number, 0) + row.n
        if number == "won":
            found["people"] = found.get("people", 0) + row.people
            if row.n:
                found.setdefault("sums", []).append((row.currency, int(row.total or 0)))


def _record(key: str, found: Mapping[str, Any]) -> Earned:
    return Earned(
        key=key,
        leads=found.get("leads", 0),
        interests=found.get("interests", 0),
        won=found.get("won", 0),
        people=found.get("people", 0),
        sums=tuple(found.get("sums", ())),
    )
