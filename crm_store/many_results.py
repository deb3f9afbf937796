"""What a send to many led to: its numbers by a cut, its links, and the people behind each number.

One pass over the rows of the send, with what people did joined to it; nothing is kept in counters,
so the numbers are always those of the rows. What machines did is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
)

from crm_store.many_cuts import cut
from crm_store.many_earned import things_of
from crm_store.many_places import Words, at_place, content_over, parted, words_of
from crm_store.tables.consents import consent_log, suppressions
from crm_store.tables.many import many_contents, many_sends, many_steps, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.ids import ContactId, Micros
from hub.records.many_results import CUTS, NUMBERS, LinkTally, Tally

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
COMPLAINT_DAYS = 30
"""So long after a letter a complaint of its reader's is taken to be about it."""
OPEN = ("queued", "claimed", "sending", "paused")
GONE = ("sent", "delivered", "read")


def tallies(
    reader: Reader, send_ids: Sequence[int], *, by: str = "", offset_us: int = 0
) -> list[Tally]:
    """Give the numbers of sends in each part of a cut; `offset_us` turns hours into the house's."""
    source, conditions, key = _asked(reader, send_ids, by, offset_us)
    names = [name for name in NUMBERS if name in conditions]
    rows = reader.conn.execute(
        select(
            key.label("key"),
            *(func.count(case((conditions[name], deliveries.c.id))).label(name) for name in names),
        )
        .select_from(source)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY)
        .group_by(key)
        .order_by(key)
    )
    return [Tally(key=str(row.key), **{name: row._mapping[name] for name in names}) for row in rows]


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
    source, conditions, part = _asked(reader, send_ids, by, offset_us)
    wanted: list[ColumnElement[bool]] = [
        deliveries.c.send_id.in_(send_ids),
        TO_MANY,
        deliveries.c.contact_id > after,
    ]
    if by:
        wanted.append(part == key)
    if link:
        wanted.append(_followed(reader, send_ids, link))
    if number in conditions:
        wanted.append(conditions[number])
    else:
        things = things_of(reader, send_ids, number, days=days, touch=touch)
        wanted.append(deliveries.c.id.in_(select(things.c.delivery_id)))
    rows = reader.conn.execute(
        select(deliveries.c.contact_id)
        .select_from(source)
        .where(*wanted)
        .group_by(deliveries.c.contact_id)
        .order_by(deliveries.c.contact_id)
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
) -> tuple[Any, dict[str, ColumnElement[bool]], ColumnElement[Any]]:
    """Give the rows with what people did, what each number means on a row, and the key of the cut."""
    if by not in CUTS:
        raise Invalid("numbers cannot be cut by this", field="by")
    did = _did(send_ids)
    left = _left(send_ids)
    angry = _complained(send_ids)
    source = (
        deliveries.outerjoin(did, did.c.delivery_id == deliveries.c.id)
        .outerjoin(left, left.c.delivery_id == deliveries.c.id)
        .outerjoin(angry, angry.c.delivery_id == deliveries.c.id)
    )
    status = deliveries.c.status
    conditions: dict[str, ColumnElement[bool]] = {
        "planned": true(),
        "kept_back": status == "suppressed",
        "waiting": status.in_(OPEN),
        "sent": status.in_(GONE),
        "delivered": status.in_(("delivered", "read")),
        "failed": status == "failed",
        "unknown": status == "unknown",
        "seen": or_(status == "read", did.c.delivery_id.is_not(None)),
        "clicked": did.c.clicked == 1,
        "answered": did.c.answered == 1,
        "unsubscribed": left.c.delivery_id.is_not(None),
        "complained": angry.c.delivery_id.is_not(None),
    }
    source, key = cut(reader, source, by, offset_us)
    return source, conditions, key


def _did(send_ids: Sequence[int]) -> Subquery:
    """What people did with each delivery, machines left out."""
    return (
        select(
            many_touches.c.delivery_id,
            func.max(case((many_touches.c.n > 0, 1), else_=0)).label("clicked"),
            func.max(case((many_touches.c.n == -1, 1), else_=0)).label("answered"),
        )
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY, ~many_touches.c.machine)
        .group_by(many_touches.c.delivery_id)
        .subquery("did")
    )


def _left(send_ids: Sequence[int]) -> Subquery:
    """Who unsubscribed by the link of just this letter: the evidence names it."""
    named = "delivery " + cast(deliveries.c.id, String)
    return (
        select(deliveries.c.id.label("delivery_id"))
        .join(consent_log, consent_log.c.contact_id == deliveries.c.contact_id)
        .where(
            deliveries.c.send_id.in_(send_ids),
            TO_MANY,
            consent_log.c.state == "withdrawn",
            or_(consent_log.c.evidence == named, consent_log.c.evidence.startswith(named + ":")),
        )
        .group_by(deliveries.c.id)
        .subquery("left_by")
    )


def _complained(send_ids: Sequence[int]) -> Subquery:
    return (
        select(deliveries.c.id.label("delivery_id"))
        .join(suppressions, suppressions.c.address_id == deliveries.c.address_id)
        .where(
            deliveries.c.send_id.in_(send_ids),
            TO_MANY,
            deliveries.c.sent_at > 0,
            suppressions.c.reason == "complained",
            suppressions.c.at >= deliveries.c.sent_at,
            suppressions.c.at <= deliveries.c.sent_at + COMPLAINT_DAYS * DAY_US,
        )
        .group_by(deliveries.c.id)
        .subquery("angry")
    )


def _followed(reader: Reader, send_ids: Sequence[int], url: str) -> ColumnElement[bool]:
    """Whoever followed a link that leads to an address, in whatever wording it stood."""
    wanted = {(one.content_id, one.n) for one in links_of(reader, send_ids) if one.url == url}
    if not wanted:
        raise Invalid("there is no such link", field="link")
    places = [
        and_(deliveries.c.content_id == row.content_id, many_touches.c.n == row.n)
        for place, row in _clicks(reader, send_ids)
        if place in wanted
    ]
    clicks = (
        select(many_touches.c.delivery_id)
        .where(
            ~many_touches.c.machine,
            many_touches.c.delivery_id == deliveries.c.id,
            or_(false(), *places),
        )
        .correlate(deliveries)
    )
    return clicks.exists()
