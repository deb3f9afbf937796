"""Why somebody may not be sent advertising at an address: his newest word, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from crm_store.consents import NO_CONSENT, QUIET, SOFT_LIMIT, UNSUBSCRIBED, WITHDRAWN
from crm_store.reachability import BLOCKED, KEY, state_of
from crm_store.rows import numbered, numbers
from crm_store.tables.consents import consents, suppressions
from crm_store.tables.people import addresses, contacts

PAIR = ("contact", "address")


def refusals(
    conn: Connection,
    people: Sequence[tuple[int, int]],
    *,
    channel: str,
    topic: str,
    account_id: int,
    need_consent: bool = True,
) -> dict[tuple[int, int], str]:
    """Give why each (contact, address) may not be sent advertising; who may is left out.

    The same function counts when a mailing is planned and decides when it is claimed.
    """
    if not people:
        return {}
    dialect = conn.dialect.name
    asked = numbered(dialect, PAIR, sorted(set(people)))
    bad: dict[tuple[int, int], str] = {}
    there: dict[tuple[int, int], Any] = {}
    for row in conn.execute(_asked(dialect), {**asked, "channel": channel, "topic": topic}):
        pair = (row.contact, row.address)
        there[pair] = row
        if row.reason and (row.reason != "bounced_soft" or row.times >= SOFT_LIMIT):
            bad.setdefault(pair, row.reason)
    found = {}
    for pair in people:
        reason = _reason(bad.get(pair), there.get(pair), account_id, need_consent)
        if reason:
            found[pair] = reason
    return found


@cache
def _asked(dialect: str) -> Select[Any]:
    # Joined and not `among`: PostgreSQL would compare each address of a small house with each number.
    given = numbers(dialect, PAIR)
    nothing: ColumnElement[str] = literal_column("''", String)
    # A question of its own for each person: joined, PostgreSQL would read every word of a small
    # house. At the same instant a refusal counts.
    word = (
        select(consents.c.state)
        .where(
            consents.c.contact_id == given.c.contact,
            consents.c.channel.in_((nothing, bindparam("channel"))),
            consents.c.topic.in_((nothing, bindparam("topic"))),
        )
        .order_by(consents.c.at.desc(), consents.c.state.desc())
        .limit(1)
    )
    quiet = select(contacts.c.do_not_disturb).where(contacts.c.id == given.c.contact)
    return (
        select(
            given.c.contact,
            given.c.address,
            addresses.c.blocked,
            addresses.c.profile,
            suppressions.c.reason,
            suppressions.c.count.label("times"),
            word.scalar_subquery().label("word"),
            quiet.scalar_subquery().label("quiet"),
        )
        .join(given, given.c.address == addresses.c.id)
        .outerjoin(suppressions, suppressions.c.address_id == addresses.c.id)
    )


def _reason(bad: str | None, row: Any, account_id: int, need_consent: bool) -> str:
    if row is None:
        return "no_address"
    if row.quiet:
        return QUIET
    if row.word == WITHDRAWN:
        return UNSUBSCRIBED
    if bad:
        return bad
    if row.blocked or state_of(row.profile, account_id)[0] == BLOCKED:
        return "blocked"
    return NO_CONSENT if need_consent and row.word is None else ""


def has_blocked(account_id: int) -> ColumnElement[bool]:
    """Say of an address that its person blocked this account, as `state_of` does."""
    word: ColumnElement[Any] = addresses.c.profile[(KEY, str(account_id), "state")].as_string()
    return func.coalesce(word, "") == BLOCKED


def is_shut(account_id: int = 0) -> ColumnElement[bool]:
    """Say of an address that nothing is sent to it, over an account, while its person has another
    of its kind."""
    known = select(suppressions.c.address_id).where(
        suppressions.c.address_id == addresses.c.id, suppression_counts()
    )
    blocked = [has_blocked(account_id)] if account_id else []
    return or_(addresses.c.blocked != "", *blocked, known.exists())


def suppression_counts() -> ColumnElement[bool]:
    """Say of a suppression that it keeps its address from being sent to; few soft bounces do not."""
    return or_(suppressions.c.reason != "bounced_soft", suppressions.c.count >= SOFT_LIMIT)
