"""Which of its send's ways something of a delivery left by: a place in the order of accounts.

A row of many stands at one way and may go on to the next. What left before stays with the person: a
link, a letter seen in the browser and a click name the place of their way (from 1), and what was
said there is read from the send's order and words, which never change. Place 0 is a send of one
way, or something that left before ways were named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from crm_store.reachability import BLOCKED, state_of
from crm_store.refusals import is_shut
from crm_store.tables.many import many_contents, many_steps
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from hub.capabilities import Capabilities

LINKS, PLACES = 1 << 10, 1 << 6
"""A link and its place share sixteen bits: so many of each, and the first of each is no link and no place."""
NOT_DELIVERED = "not_delivered_in_time"
"""Why a way was passed that had left."""
Words = Mapping[int, tuple[str, int]]
"""Variant and account of each version of a send's words."""


def place_of(order: Iterable[str | int], account_id: int) -> int:
    """Give the place of an account in the order of a send; 0 where there is no order to speak of."""
    known = [int(one) for one in order]
    place = known.index(account_id) + 1 if len(known) > 1 and account_id in known else 0
    return place if place < PLACES else 0


def at_place(order: Sequence[str | int], place: int) -> int:
    """Give the account at a place, 0 for none."""
    return int(order[place - 1]) if 0 < place <= len(order) else 0


def joined(place: int, link: int) -> int:
    """Give a link and its place as one number."""
    return place * LINKS + link


def parted(number: int) -> tuple[int, int]:
    """Give place and link of such a number."""
    return divmod(number, LINKS)


def kinds_of(
    conn: Connection, channels: Mapping[str, Capabilities], account_ids: Collection[int]
) -> dict[int, str]:
    """Give the kind of address that each account writes to."""
    rows = conn.execute(
        select(accounts.c.id, accounts.c.channel).where(accounts.c.id.in_(account_ids))
    )
    return {row.id: channels[row.channel].address_kind for row in rows if row.channel in channels}


def first_addresses(
    conn: Connection, contact_ids: Iterable[int], kinds: Mapping[int, str]
) -> dict[tuple[int, int], int]:
    """Give the first address of each person over each account that takes something, else the first.

    `kinds` has the kind of address that each account writes to.
    """
    rows = conn.execute(
        select(
            addresses.c.contact_id,
            addresses.c.kind,
            addresses.c.id,
            addresses.c.profile,
            is_shut().label("shut"),
        )
        .where(
            addresses.c.contact_id.in_(sorted(contact_ids)),
            addresses.c.kind.in_(sorted(set(kinds.values()))),
        )
        .order_by(addresses.c.id)
    ).all()
    found: dict[tuple[int, int], int] = {}
    for account_id, kind in kinds.items():
        mine = [row for row in rows if row.kind == kind]
        shut = {row.id: row.shut or state_of(row.profile, account_id)[0] == BLOCKED for row in mine}
        for row in sorted(mine, key=lambda one: bool(shut[one.id])):
            found.setdefault((row.contact_id, account_id), row.id)
    return found


def words_of(conn: Connection, send_id: int) -> Words:
    """Give variant and account of each version of a send's words."""
    rows = conn.execute(
        select(many_contents.c.id, many_contents.c.variant, many_contents.c.account_id).where(
            many_contents.c.send_id == send_id
        )
    )
    return {row.id: (row.variant, row.account_id) for row in rows}


def content_over(words: Words, content_id: int, account_id: int) -> int:
    """Give the words of the same variant for an account: its own ones, else those for all."""
    variant = words.get(content_id, ("", 0))[0]
    own = {place[1]: number for number, place in words.items() if place[0] == variant}
    return own.get(account_id) or own.get(0) or content_id


def had_left() -> ColumnElement[bool]:
    """Choose among ways that were passed those by which something had left."""
    return or_(many_steps.c.reason == NOT_DELIVERED, many_steps.c.sent_at > 0)


def step_of(conn: Connection, delivery_id: int, account_id: int) -> Row[Any] | None:
    """Give the step of a way that was passed after something had left by it."""
    return conn.execute(
        select(many_steps)
        .where(
            many_steps.c.delivery_id == delivery_id,
            many_steps.c.account_id == account_id,
            had_left(),
        )
        .order_by(many_steps.c.n.desc())
    ).first()


def as_left(
    conn: Connection, channels: Mapping[str, Capabilities], row: Row[Any], account_id: int
) -> Any:
    """Give a row of many as it went over an account of its order.

    Where it is not known when an earlier way left, `sent_at` is when the row was made.
    """
    if account_id in (0, row.account_id):
        return row
    step = step_of(conn, row.id, account_id)
    if step is not None and step.sent_at:
        kept = ("account_id", "address_id", "content_id", "sent_at")
        return SimpleNamespace(**{**row._mapping, **{one: step._mapping[one] for one in kept}})
    kinds = kinds_of(conn, channels, [account_id])
    address_id = first_addresses(conn, [row.contact_id], kinds).get((row.contact_id, account_id))
    way = {
        "account_id": account_id,
        "address_id": address_id or row.address_id,
        "content_id": content_over(words_of(conn, row.send_id), row.content_id, account_id),
        "sent_at": row.created_at,
    }
    return SimpleNamespace(**{**row._mapping, **way})


def by_kind(
    conn: Connection, channels: Mapping[str, Capabilities], row: Row[Any], kind: str
) -> int:
    """Give the account by which a row left to an address of a kind; 0 where its order has none."""
    order = [int(one) for one in row.routes]
    kinds = kinds_of(conn, channels, order)
    return next((one for one in (row.account_id, *order) if kinds.get(one) == kind), 0)


def last_left(conn: Connection, row: Row[Any]) -> int:
    """Give the account over which a row left last; 0 where it did not leave yet."""
    if row.sent_at:
        return int(row.account_id)
    found = conn.execute(
        select(many_steps.c.account_id)
        .where(many_steps.c.delivery_id == row.id, had_left())
        .order_by(many_steps.c.n.desc())
    ).scalar()
    return int(found or 0)
