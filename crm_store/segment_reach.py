"""How many of a segment can be reached, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, select

from crm_store.consents import GIVEN, NO_CONSENT, SOFT_LIMIT, UNSUBSCRIBED, WITHDRAWN
from crm_store.segments import address_of, members
from crm_store.tables.consents import consents, suppressions
from crm_store.tables.people import addresses
from crm_store.viewer import Reader
from hub.records.segments import Reach, Segment


def reach(
    reader: Reader, segment: Segment, *, channel: str, topic: str, advertising: bool = True
) -> Reach:
    """Say how many can be reached on a channel, and why the others cannot, in one question."""
    inner = members(reader, segment).subquery()
    placed = select(inner.c.id, address_of(inner.c.id, channel).label("address_id")).subquery()
    reason = case((placed.c.address_id.is_(None), "no_address"), else_="")
    if advertising:
        reason = _reason(placed.c.id, placed.c.address_id, channel, topic)
    judged = select(reason.label("reason")).select_from(placed).subquery()
    rows = reader.conn.execute(
        select(judged.c.reason, func.count().label("n")).group_by(judged.c.reason)
    ).all()
    numbers = {row.reason: row.n for row in rows}
    reached = numbers.pop("", 0)
    return Reach(
        total=reached + sum(numbers.values()),
        reached=reached,
        kept_back=tuple(sorted(numbers.items(), key=lambda each: (-each[1], each[0]))),
    )


def reach_in_order(
    reader: Reader,
    segment: Segment,
    *,
    channels: Sequence[str],
    topic: str,
    advertising: bool = True,
) -> tuple[int, tuple[int, ...]]:
    """Give how many are in a segment, and how many go by each channel of an order, in one question."""
    inner = members(reader, segment).subquery()
    places = {
        f"a{n}": address_of(inner.c.id, channel).label(f"a{n}")
        for n, channel in enumerate(channels)
    }
    placed = select(inner.c.id, *places.values()).subquery()
    tests = []
    for n, channel in enumerate(channels):
        address = placed.c[f"a{n}"]
        allowed = address.is_not(None)
        if advertising:
            allowed = _reason(placed.c.id, address, channel, topic) == ""
        tests.append((allowed, n))
    way = case(*tests, else_=-1) if tests else literal(-1)
    judged = select(way.label("way")).select_from(placed).subquery()
    numbers: dict[int, int] = {
        row.way: row.n
        for row in reader.conn.execute(
            select(judged.c.way, func.count().label("n")).group_by(judged.c.way)
        )
    }
    return sum(numbers.values()), tuple(numbers.get(n, 0) for n in range(len(channels)))


def _reason(contact: Any, address: Any, channel: str, topic: str) -> Any:
    """The same order of reasons as `refusals.refusals`, for many people at once."""

    def newest(state: str) -> Any:
        return (
            select(func.coalesce(func.max(consents.c.at), 0))
            .where(
                consents.c.contact_id == contact,
                consents.c.channel.in_({channel, ""}),
                consents.c.topic.in_({topic, ""}),
                consents.c.state == state,
            )
            .scalar_subquery()
        )

    given, withdrawn = newest(GIVEN), newest(WITHDRAWN)
    bad = (
        select(func.min(suppressions.c.reason))
        .where(
            suppressions.c.address_id == address,
            (suppressions.c.reason != "bounced_soft") | (suppressions.c.count >= SOFT_LIMIT),
        )
        .scalar_subquery()
    )
    blocked = exists(
        select(literal(1))
        .where(addresses.c.id == address, addresses.c.blocked != "")
        .correlate_except(addresses)
    )
    return case(
        (address.is_(None), "no_address"),
        (and_(withdrawn > 0, withdrawn >= given), UNSUBSCRIBED),
        (bad.is_not(None), bad),
        (blocked, "blocked"),
        (given == 0, NO_CONSENT),
        else_="",
    )
