"""An account that sends to many: what it can and may, and whom nothing is sent over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from crm_store.buckets import slowed
from crm_store.refusals import refusals
from crm_store.rows import among, listed
from crm_store.sending_limits import record as limits_record
from crm_store.sql import unindexed
from crm_store.tables.dialogs import dialogs
from crm_store.tables.many import buckets, many_contents, sending_limits
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_answered import who_answered
from hub.capabilities import Capabilities
from hub.records.many import SendingLimits

NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Sender:
    """An account as what is sent over it asks: read once for all that is asked."""

    id: int
    capabilities: Capabilities | None
    paused: bool = False
    removed: bool = False
    limits: SendingLimits | None = None
    slowed_at: int = 0
    """When a mail domain last asked for less."""


def sender_of(uow: UnitOfWork, account_id: int) -> Sender:
    """Read an account with how fast it may send to many; one that is gone counts as removed."""
    asked = {"account": account_id, "slowed": slowed(account_id)}
    row = uow.conn.execute(_sender(), asked).first()
    if row is None:
        return Sender(account_id, None, removed=True)
    limits = limits_record(row) if row.account_id is not None else None
    return Sender(
        account_id,
        uow.channels.get(row.channel),
        row.paused,
        row.removed,
        limits,
        row.slowed_at or 0,
    )


@cache
def _sender() -> Select[Any]:
    # Asked at every claim: made once.
    return (
        select(
            accounts.c.channel,
            accounts.c.paused,
            accounts.c.removed,
            buckets.c.at.label("slowed_at"),
            sending_limits,
        )
        .outerjoin_from(accounts, sending_limits, sending_limits.c.account_id == accounts.c.id)
        .outerjoin(buckets, buckets.c.name == bindparam("slowed"))
        .where(accounts.c.id == bindparam("account"))
    )


def kept_back(
    uow: UnitOfWork, send: Row[Any], sender: Sender, people: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """Say who of one account's recipients may not be sent it, and why."""
    capabilities = sender.capabilities
    if sender.removed or capabilities is None or not capabilities.sends:
        return dict.fromkeys(people, "no_account")
    found: dict[tuple[int, int], str] = {one: NO_ADDRESS for one in people if one[1] <= 0}
    if not capabilities.initiates:
        wrote = who_wrote(uow, sender.id, [one[1] for one in people])
        found |= {one: "never_wrote" for one in people if one[1] not in wrote and one not in found}
    if send.advertising:
        found |= refusals(
            uow.conn,
            people,
            channel=capabilities.address_kind,
            topic=send.topic,
            account_id=sender.id,
            need_consent=send.need_consent,
        )
    if send.stops_when_answered:
        answered = who_answered(uow, send, [one[0] for one in people])
        found |= {one: "answered" for one in people if one[0] in answered}
    return found


def closed_windows(uow: UnitOfWork, sender: Sender, rows: Sequence[tuple[int, int]]) -> set[int]:
    """Give the addresses whose reply window is closed to these words: only a template may go."""
    if not rows or sender.capabilities is None or sender.capabilities.reply_window is None:
        return set()
    plain = set(
        uow.conn.execute(
            select(many_contents.c.id).where(
                many_contents.c.id.in_({content for _, content in rows}),
                many_contents.c.template == "",
            )
        ).scalars()
    )
    needs = {address for address, content in rows if content in plain}
    if not needs:
        return set()
    open_until = _most(uow, sender.id, needs, "window_until")
    return {one for one in needs if open_until.get(one, 0) <= uow.now}


def who_wrote(uow: UnitOfWork, account_id: int, address_ids: Iterable[int]) -> set[int]:
    """Give those of some addresses that have written to an account."""
    return {one for one, n in _most(uow, account_id, address_ids, "inbound_count").items() if n > 0}


def _most(
    uow: UnitOfWork, account_id: int, address_ids: Iterable[int], column: str
) -> dict[int, int]:
    """Give the most that a number is in the dialogs of each address with an account."""
    given = {"b_ids": listed(uow.dialect, address_ids), "b_account": account_id}
    rows = uow.conn.execute(_most_of(uow.dialect, column), given)
    return {row.id: row.most for row in rows if row.most is not None}


@cache
def _most_of(dialect: str, column: str) -> Select[Any]:
    # By whose address it is: a person has a few dialogs, an account half of all there are.
    most = (
        select(func.max(dialogs.c[column]))
        .where(
            # What was taken off a card is known by whose it was.
            dialogs.c.contact_id.in_((addresses.c.contact_id, addresses.c.origin_id)),
            unindexed(dialogs.c.address_id) == addresses.c.id,
            unindexed(dialogs.c.account_id) == bindparam("b_account"),
        )
        .correlate(addresses)
    )
    return select(addresses.c.id, most.scalar_subquery().label("most")).where(
        among(dialect, addresses.c.id, "b_ids")
    )
