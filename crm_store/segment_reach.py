"""How many of a segment can be reached, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, literal, or_, select

from crm_store.consents import GIVEN, NO_CONSENT, SOFT_LIMIT, UNSUBSCRIBED, WITHDRAWN
from crm_store.reachability import BLOCKED, KEY
from crm_store.segments import address_of, members
from crm_store.sql import unindexed
from crm_store.tables.consents import consents, suppressions
from crm_store.tables.dialogs import dialogs
from crm_store.tables.people import addresses
from crm_store.viewer import Reader
from hub.records.segments import Reach, Segment


class Route(NamedTuple):
    """A way to people, and what its account asks of each before something may be sent to him.

    Without an account nobody is left out for what he did there, or did not.
    """

    channel: str
    account_id: int = 0
    must_have_written: bool = False
    open_at: int = 0
    """The reply window must be open at this instant; 0 asks for none."""


def reach(
    reader: Reader, segment: Segment, *, route: Route, topic: str, advertising: bool = True
) -> Reach:
    """Say how many can be reached on a way, and why the others cannot, in one question."""
    inner = members(reader, segment).subquery()
    address = address_of(inner.c.id, route.channel).label("address_id")
    placed = select(inner.c.id, address).subquery()
    reason = _reason(placed.c.id, placed.c.address_id, route, topic, advertising)
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
    routes: Sequence[Route],
    topic: str,
    advertising: bool = True,
) -> tuple[int, tuple[int, ...]]:
    """Give how many are in a segment, and how many go by each way of an order, in one question."""
    inner = members(reader, segment).subquery()
    places = {
        f"a{n}": address_of(inner.c.id, route.channel).label(f"a{n}")
        for n, route in enumerate(routes)
    }
    placed = select(inner.c.id, *places.values()).subquery()
    tests = [
        (_reason(placed.c.id, placed.c[f"a{n}"], route, topic, advertising) == "", n)
        for n, route in enumerate(routes)
    ]
    way = case(*tests, else_=-1) if tests else literal(-1)
    judged = select(way.label("way")).select_from(placed).subquery()
    numbers: dict[int, int] = {
        row.way: row.n
        for row in reader.conn.execute(
            select(judged.c.way, func.count().label("n")).group_by(judged.c.way)
        )
    }
    return sum(numbers.values()), tuple(numbers.get(n, 0) for n in range(len(routes)))


def _reason(contact: Any, address: Any, route: Route, topic: str, advertising: bool) -> Any:
    """Give why somebody is not reached, in the order in which a claim asks (dialogs/many_claim.py)."""
    tests = [(address.is_(None), "no_address")]
    if advertising:
        tests += _refusals(contact, address, route, topic)
    # A person has a few dialogs, an account half of all there are.
    there = (
        select(literal(1))
        .where(
            dialogs.c.contact_id == contact,
            unindexed(dialogs.c.address_id) == address,
            unindexed(dialogs.c.account_id) == route.account_id,
        )
        .correlate_except(dialogs)
    )
    if route.must_have_written:
        tests.append((~exists(there.where(dialogs.c.inbound_count > 0)), "never_wrote"))
    if route.open_at:
        is_open = exists(there.where(dialogs.c.window_until > route.open_at))
        tests.append((~is_open, "window_closed"))
    return case(*tests, else_="")


def _refusals(contact: Any, address: Any, route: Route, topic: str) -> list[Any]:
    """The same order of reasons as `refusals.refusals`, for many people at once."""

    def newest(state: str) -> Any:
        return (
            select(func.coalesce(func.max(consents.c.at), 0))
            .where(
                consents.c.contact_id == contact,
                consents.c.channel.in_({route.channel, ""}),
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
    said = addresses.c.blocked != ""
    if route.account_id:
        word = addresses.c.profile[(KEY, str(route.account_id), "state")].as_string()
        said = or_(said, word == BLOCKED)
    blocked = exists(
        select(literal(1)).where(addresses.c.id == address, said).correlate_except(addresses)
    )
    return [
        (and_(withdrawn > 0, withdrawn >= given), UNSUBSCRIBED),
        (bad.is_not(None), bad),
        (blocked, "blocked"),
        (given == 0, NO_CONSENT),
    ]
