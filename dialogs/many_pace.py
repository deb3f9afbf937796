"""How fast what goes to many leaves: tokens of accounts, sends and mail domains, and an account's day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, select, update

from crm_store.buckets import (
    FREE_US,
    Rate,
    domain_bucket,
    left_of_day,
    mail_domain,
    paces,
    take,
    take_of_day,
)
from crm_store.sending_limits import allowance, day_bucket, house_zone, midnight
from crm_store.tables.outbox import WAITING, deliveries
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_sender import Sender
from dialogs.many_ways import Due
from hub.messages import Lane
from hub.records.many import SendingLimits

SWEEP = 1_000
"""So many rows behind a full day are put off with the claim that meets it."""


def too_fast(
    uow: UnitOfWork, sender: Sender, send: Row[Any], rows: Sequence[Due]
) -> dict[int, int]:
    """Take tokens for each row; give when there will be one for those that found none.

    A token of the day is taken only for what really goes: what the rates hold up has not left.
    """
    if not rows:
        return {}
    limits = sender.limits
    day = _day(uow, limits) if limits is not None else None
    room = len(rows) if day is None else min(len(rows), day.left(uow))
    buckets = _rates(uow, sender, send, rows)
    found: dict[int, int] = {}
    going: list[int] = []
    for row in rows:
        if len(going) == room:
            break
        wait = take(uow, buckets.get(row.id, ()))
        if wait:
            found[row.id] = uow.now + wait
        else:
            going.append(row.id)
    if day is not None:
        take_of_day(uow, day.name, day.allowed, len(going))
        if len(going) < len(rows) and len(going) == room:
            _wait_for_tomorrow(uow, sender.id, day, going)
            return {row.id: day.over_at for row in rows if row.id not in going}
    return found


def _rates(
    uow: UnitOfWork, sender: Sender, send: Row[Any], rows: Sequence[Due]
) -> dict[int, list[Rate]]:
    """Give the buckets of which each row takes one."""
    limits = sender.limits
    per_minute = limits.per_minute if limits is not None else 0
    slow = uow.now - sender.slowed_at < FREE_US
    if not (send.per_minute or send.domain_per_minute or per_minute or slow):
        return {}
    domains = {}
    if send.domain_per_minute or slow:
        domains = _domains(uow, [row.address_id for row in rows])
    slower = paces(uow, sender.id, set(domains.values())) if slow else {}
    found = {}
    for row in rows:
        domain = domains.get(row.address_id, "")
        wanted = []
        if limits is not None and per_minute:
            wanted.append(Rate(f"account:{sender.id}", per_minute, limits.minutes))
        if send.per_minute:
            wanted.append(Rate(f"send:{send.id}", send.per_minute, send.minutes))
        if send.domain_per_minute and domain:
            name = domain_bucket(domain)
            wanted.append(Rate(name, send.domain_per_minute, send.domain_minutes))
        if domain in slower:
            wanted.append(Rate(domain_bucket(domain, sender.id), slower[domain]))
        found[row.id] = wanted
    return found


def _domains(uow: UnitOfWork, address_ids: Sequence[int]) -> dict[int, str]:
    """Give the mail domains of addresses."""
    kinds = _address_kinds(uow, address_ids)
    return {n: mail_domain(value) for n, (kind, value) in kinds.items() if kind == "email"}


class Day(NamedTuple):
    """What an account may send on this day of the house: its bucket, how many, until when."""

    name: str
    allowed: int
    over_at: int

    def left(self, uow: UnitOfWork) -> int:
        """Give how many may still go."""
        return left_of_day(uow, self.name, self.allowed)


def _day(uow: UnitOfWork, limits: SendingLimits) -> Day | None:
    """Give the account's day, its warm-up counted; None where it has no limit."""
    house = house_zone(uow)
    allowed = allowance(uow, limits, house)
    if not allowed:
        return None
    day, tomorrow = midnight(uow.now, house)
    return Day(day_bucket(limits.account_id, day), allowed, tomorrow)


def _wait_for_tomorrow(uow: UnitOfWork, account_id: int, day: Day, going: Sequence[int]) -> None:
    """What stands behind these waits too: stepping through it row by row would take the day."""
    behind = (
        select(deliveries.c.id)
        .where(
            deliveries.c.account_id == account_id,
            deliveries.c.lane == Lane.MAILING.order,
            WAITING,
            deliveries.c.due_at <= uow.now,
            deliveries.c.id.not_in(going),
        )
        .limit(SWEEP)
    )
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(behind.scalar_subquery()))
        .values(due_at=day.over_at)
    )


def _address_kinds(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Give kind and value of addresses."""
    rows = uow.conn.execute(
        select(addresses.c.id, addresses.c.kind, addresses.c.value).where(addresses.c.id.in_(ids))
    )
    return {row.id: (row.kind, row.value) for row in rows}
