"""What a send to many led to: its numbers by a cut, its links, and the people behind each number.

One pass over the rows of the send, with what people did joined to it; nothing is kept in counters,
so the numbers are always those of the rows. What machines did is left out. In a cut, what people did
stands with the way it came by (crm_store/many_went.py), and their state with the way that stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    or_,
    select,
)

from crm_store.many_cuts import cut
from crm_store.many_earned import things_of
from crm_store.many_places import Words, at_place, content_over, parted, words_of
from crm_store.many_went import Went, went_of
from crm_store.tables.many import many_contents, many_sends, many_steps, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.ids import ContactId, Micros
from hub.records.many_results import CUTS, NUMBERS, LinkTally, Tally

OPEN = ("queued", "claimed", "sending", "paused")
GONE = ("sent", "delivered", "read")


def tallies(
    reader: Reader, send_ids: Sequence[int], *, by: str = "", offset_us: int = 0
) -> list[Tally]:
    """Give the numbers of sends in each part of a cut; `offset_us` turns hours into the house's."""
    went, source, conditions, key = _asked(reader, send_ids, by, offset_us)
    names = [name for name in NUMBERS if name in conditions]
    counted = {name: case((conditions[name], went.rows.c.id)) for name in names}
    people: ColumnElement[Any] = case((conditions["sent"], went.rows.c.contact_id))
    # One send by one way has one row of a person.
    once = len(send_ids) == 1 and not went.orders
    rows = reader.conn.execute(
        select(
            key.label("key"),
            func.count(people if once else people.distinct()).label("people"),
            *(func.count(one.distinct() if went.orders else one).label(name)
              for name, one in counted.items()),
        )
        .select_from(source)
        .where(*went.mine)
        .group_by(key)
        .order_by(key)
    )  # fmt: skip
    names.append("people")
    return [Tally(key=str(row.key), **{name: row._mapping[name] for name in names}) for row in rows]


def by_content(reader: Reader, send_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Give for each version of the words how many got it and how many people followed a link of it."""
    went = went_of(reader, send_ids, by_way=True)
    did = went.did()
    reached = went.stands & went.rows.c.status.in_(GONE)
    rows = reader.conn.execute(
        select(
            went.rows.c.content_id,
            func.count(case((reached, went.rows.c.id)).distinct()).label("sent"),
            func.count(case((did.c.clicked == 1, went.rows.c.id)).distinct()).label("clicked"),
        )
        .select_from(went.rows.outerjoin(did, went.by_way(did)))
        .where(*went.mine)
        .group_by(went.rows.c.content_id)
    )
    return {row.content_id: (row.sent, row.clicked) for row in rows}


def behind(
    reader: Reader,
    send_ids: Sequence[int],
    number: str,
    *,
    by: str = "",
    key: str = "",
    link: str = "",
    days: int = 30,
    touch: str = "any",
    offset_us: int = 0,
    after: int = 0,
    limit: int = 1_000,
) -> list[ContactId]:
    """Give the people behind a number, of one part of a cut or of one link, continued by their id."""
    if number not in NUMBERS:
        raise Invalid("there is no such number", field="what")
    went, source, conditions, part = _asked(reader, send_ids, by, offset_us)
    contact_id = went.rows.c.contact_id
    wanted: list[ColumnElement[bool]] = [*went.mine, contact_id > after]
    if by:
        wanted.append(part == key)
    if link:
        wanted.append(went.rows.c.id.in_(_followed(reader, send_ids, link)))
    if number in conditions:
        wanted.append(conditions[number])
    else:
        things = things_of(reader, send_ids, number, days=days, touch=touch)
        own = select(things.c.delivery_id).where(went.by_way(things))
        wanted.append(own.correlate(went.rows).exists())
    rows = reader.conn.execute(
        select(contact_id)
        .select_from(source)
        .where(*wanted)
        .group_by(contact_id)
        .order_by(contact_id)
        .limit(min(limit, 5_000))
    )
    return [ContactId(row.contact_id) for row in rows]


def links_of(reader: Reader, send_ids: Sequence[int]) -> list[LinkTally]:
    """Give the links of sends, the most followed first, those that nobody followed too."""
    contents = reader.conn.execute(
        select(many_contents.c.id, many_contents.c.links)
        .where(many_contents.c.send_id.in_(send_ids))
        .order_by(many_contents.c.id)
    ).all()
    clicks: dict[tuple[int, int], list[Row[Any]]] = {}
    for place, row in _clicks(reader, send_ids):
        clicks.setdefault(place, []).append(row)
    found = []
    for content in contents:
        for n, url in enumerate(content.links or (), 1):
            rows = clicks.get((content.id, n), [])
            found.append(
                LinkTally(
                    content_id=content.id,
                    n=n,
                    url=str(url),
                    people=sum(row.people for row in rows),
                    machines=sum(row.machines for row in rows),
                    first_at=Micros(min((row.first_at for row in rows), default=0)),
                )
            )
    return sorted(found, key=lambda one: (-one.people, one.content_id, one.n))


def _clicks(reader: Reader, send_ids: Sequence[int]) -> Iterator[tuple[tuple[int, int], Row[Any]]]:
    """Give what was followed: the words and the link, and how often under one number of a touch.

    A link is one of the words it left in, though its person may have been reached by others since.
    """
    rows = reader.conn.execute(
        select(
            deliveries.c.send_id,
            deliveries.c.content_id,
            many_touches.c.n,
            func.count(case((~many_touches.c.machine, many_touches.c.delivery_id))).label("people"),
            func.count(case((many_touches.c.machine, many_touches.c.delivery_id))).label(
                "machines"
            ),
            func.min(many_touches.c.first_at).label("first_at"),
        )
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY, many_touches.c.n > 0)
        .group_by(deliveries.c.send_id, deliveries.c.content_id, many_touches.c.n)
    ).all()
    orders: dict[int, Sequence[str]] = dict(
        reader.conn.execute(
            select(many_sends.c.id, many_sends.c.routes).where(many_sends.c.id.in_(send_ids))
        ).all()
    )
    words: dict[int, Words] = {}
    for row in rows:
        place, link = parted(row.n)
        content_id = row.content_id
        if account_id := at_place(orders.get(row.send_id, ()), place):
            if row.send_id not in words:
                words[row.send_id] = words_of(reader.conn, row.send_id)
            content_id = content_over(words[row.send_id], content_id, account_id)
        yield (content_id, link), row


def costs(reader: Reader, send_ids: Sequence[int]) -> dict[int, int]:
    """Give how many messages left over each account as its provider counts them.

    An SMS of three parts is three. What left and was not delivered in time, so that the person got
    it another way, is paid for too.
    """
    counted = case((deliveries.c.charged > 1, deliveries.c.charged), else_=1)
    left = (
        select(deliveries.c.account_id, func.sum(counted).label("n"))
        .where(
            deliveries.c.send_id.in_(send_ids), TO_MANY, deliveries.c.status.in_((*GONE, "unknown"))
        )
        .group_by(deliveries.c.account_id)
    )
    given_up = (
        select(many_steps.c.account_id, func.sum(many_steps.c.charged).label("n"))
        .join(deliveries, deliveries.c.id == many_steps.c.delivery_id)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY, many_steps.c.charged > 0)
        .group_by(many_steps.c.account_id)
    )
    found: dict[int, int] = {}
    for row in (*reader.conn.execute(left), *reader.conn.execute(given_up)):
        found[row.account_id] = found.get(row.account_id, 0) + int(row.n)
    return found


def _asked(
    reader: Reader, send_ids: Sequence[int], by: str, offset_us: int
) -> tuple[Went, Any, dict[str, ColumnElement[bool]], ColumnElement[Any]]:
    """Give the rows, those with what people did, what each number means on one, and the cut's key."""
    if by not in CUTS:
        raise Invalid("numbers cannot be cut by this", field="by")
    went = went_of(reader, send_ids, by_way=bool(by))
    did, left, angry = went.did(), went.left(), went.complained()
    source: Any = went.rows
    for found in (did, left, angry):
        source = source.outerjoin(found, went.by_way(found))
    status, stands = went.rows.c.status, went.stands
    conditions: dict[str, ColumnElement[bool]] = {
        "planned": stands,
        "kept_back": stands & (status == "suppressed"),
        "waiting": stands & status.in_(OPEN),
        "sent": stands & status.in_(GONE),
        "delivered": stands & status.in_(("delivered", "read")),
        "failed": stands & (status == "failed"),
        "unknown": stands & (status == "unknown"),
        "seen": or_(status == "read", did.c.delivery_id.is_not(None)),
        "clicked": did.c.clicked == 1,
        "answered": did.c.answered == 1,
        "unsubscribed": left.c.delivery_id.is_not(None),
        "complained": angry.c.delivery_id.is_not(None),
    }
    source, key = cut(reader, source, by, offset_us, went.rows)
    return went, source, conditions, key


def _followed(reader: Reader, send_ids: Sequence[int], url: str) -> Select[tuple[int]]:
    """Whoever followed a link that leads to an address, in whatever wording it stood."""
    wanted = {(one.content_id, one.n) for one in links_of(reader, send_ids) if one.url == url}
    if not wanted:
        raise Invalid("there is no such link", field="link")
    places = [
        and_(deliveries.c.content_id == row.content_id, many_touches.c.n == row.n)
        for place, row in _clicks(reader, send_ids)
        if place in wanted
    ]
    return (
        select(many_touches.c.delivery_id)
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(
            deliveries.c.send_id.in_(send_ids),
            TO_MANY,
            ~many_touches.c.machine,
            or_(false(), *places),
        )
    )
