"""Token buckets at the moment of sending, kept in the database: a restart forgives nothing.

A limit of one per eight minutes sends one. A bucket holds at most a second's worth, or one.

A mail domain that asks for less is gone to slowly: at half the pace after each such word, then twice
as fast every ten minutes, until it is free again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, delete, or_, select, update

from crm_store.sql import locked, upsert
from crm_store.tables.many import buckets
from crm_store.unit_of_work import UnitOfWork
from hub.ids import bounded_key

NAME = 200
TOKEN = 1_000_000
MINUTE_US = 60_000_000
SLOWED, SLOWEST = 30, 1
"""So many a minute go to a domain after its first word, and at least."""
FASTER_US = 10 * MINUTE_US
FREE_US = SLOWED.bit_length() * FASTER_US
"""Whatever was said so long ago counts no more."""
MOST_MINUTES = 1_440
"""A limit is of so many messages in a day at the longest."""
IDLE_US = 2 * MOST_MINUTES * MINUTE_US
"""Whoever was not asked for so long is full again, whatever its limit."""
FORGOTTEN = 20_000
"""So many idle ones go at once."""
OF_MANY = ("domain:", "send:", "own:", "pace:", "slowed:")
"""What there may be any number of: those of an account's days are few, and are looked back at."""


class Rate(NamedTuple):
    """So many messages in so many minutes, counted in the bucket of this name."""

    name: str
    tokens: int
    minutes: int = 1

    @property
    def most(self) -> int:
        """What the bucket holds where nothing was taken of it."""
        return max(TOKEN, self.tokens * TOKEN // (60 * self.minutes))


def domain_bucket(domain: str, account_id: int = 0) -> str:
    """Name the bucket of a mail domain: everybody's, or an account's own."""
    return bounded_key(f"domain:{account_id}:{domain}" if account_id else f"domain:{domain}", NAME)


def forget(conn: Connection, now: int) -> int:
    """Drop buckets that say nothing any more; gives how many."""
    idle = (
        select(buckets.c.name)
        .where(buckets.c.at < now - IDLE_US, or_(*(buckets.c.name.like(f"{x}%") for x in OF_MANY)))
        .limit(FORGOTTEN)
    )
    found = conn.execute(delete(buckets).where(buckets.c.name.in_(idle.scalar_subquery())))
    return found.rowcount


def take(uow: UnitOfWork, wanted: Sequence[Rate]) -> int:
    """Take one token of each bucket, or none; gives microseconds to wait."""
    if not wanted:
        return 0
    rows = _held(uow, {one.name: one.most for one in wanted})
    levels, wait = {}, 0
    for one in wanted:
        name, tokens, minutes = one
        span = minutes * MINUTE_US
        row = rows.get(name)
        level = most = one.most
        if row is not None:
            level = min(most, row.level + (uow.now - row.at) * tokens * TOKEN // span)
        levels[name] = level
        if level < TOKEN:
            wait = max(wait, (TOKEN - level) * span // (tokens * TOKEN) + 1)
    if wait:
        return wait
    uow.conn.execute(
        upsert(uow.dialect, buckets).on_conflict_do_update(
            index_elements=["name"],
            set_={
                "level": upsert(uow.dialect, buckets).excluded.level,
                "at": upsert(uow.dialect, buckets).excluded.at,
            },
        ),
        [
            {"name": name, "level": level - TOKEN, "at": uow.now}
            for name, level in sorted(levels.items())
        ],
    )
    return 0


def _held(uow: UnitOfWork, fresh: Mapping[str, int]) -> dict[str, Row[Any]]:
    """Give the rows of some buckets, locked; `fresh` is the level of those that are not there yet.

    On PostgreSQL these are made first: a row that is not there is no row to wait for, and two who
    come first would both count from nothing.
    """
    names = buckets.c.name
    asked = locked(uow.dialect, select(buckets).where(names.in_(sorted(fresh))).order_by(names))
    found = {row.name: row for row in uow.conn.execute(asked)}
    if uow.dialect == "postgresql" and len(found) < len(fresh):
        made = [
            {"name": name, "level": fresh[name], "at": uow.now}
            for name in sorted(fresh.keys() - found)
        ]
        uow.conn.execute(upsert(uow.dialect, buckets).on_conflict_do_nothing(), made)
        found = {row.name: row for row in uow.conn.execute(asked)}
    return found


def left_of_day(uow: UnitOfWork, name: str, allowed: int) -> int:
    """Give how many of a day's allowance are left. A name holds its day."""
    row = _held(uow, {name: 0}).get(name)
    return max(0, allowed - (row.level if row is not None else 0))


def give_back_of_day(uow: UnitOfWork, name: str, count: int) -> None:
    """Give back what was taken of a day's allowance and did not leave."""
    level = case((buckets.c.level > count, buckets.c.level - count), else_=0)
    uow.conn.execute(update(buckets).where(buckets.c.name == name).values(level=level))


def take_of_day(uow: UnitOfWork, name: str, allowed: int, wanted: int) -> int:
    """Take so many of a day's allowance as are left; gives how many. A name holds its day."""
    row = _held(uow, {name: 0}).get(name)
    used = row.level if row is not None else 0
    granted = max(0, min(wanted, allowed - used))
    if granted:
        uow.conn.execute(
            upsert(uow.dialect, buckets).on_conflict_do_update(
                index_elements=["name"], set_={"level": used + granted, "at": uow.now}
            ),
            [{"name": name, "level": used + granted, "at": uow.now}],
        )
    return granted


# -- places that asked for less -------------------------------------------------------------------


def mail_domain(address: str) -> str:
    """Give the domain of a mail address; "" where it is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def slowed(account_id: int) -> str:
    """Give the name of the row that tells when a domain last asked an account for less."""
    return f"slowed:{account_id}"


def slow_down(uow: UnitOfWork, account_id: int, domain: str) -> None:
    """Halve the pace of an account to a domain; what is said within a minute is said once."""
    name = _pace(account_id, domain)
    row = uow.conn.execute(
        locked(uow.dialect, select(buckets).where(buckets.c.name == name))
    ).first()
    if row is not None and uow.now - row.at < MINUTE_US:
        return
    before = _now(row.level, row.at, uow.now) if row is not None else 0
    pace = max(SLOWEST, before // 2) if before else SLOWED
    changed = upsert(uow.dialect, buckets)
    uow.conn.execute(
        changed.on_conflict_do_update(
            index_elements=["name"],
            set_={"level": changed.excluded.level, "at": changed.excluded.at},
        ),
        [
            {"name": name, "level": pace, "at": uow.now},
            {"name": slowed(account_id), "level": 0, "at": uow.now},
        ],
    )


def paces(uow: UnitOfWork, account_id: int, domains: Collection[str]) -> dict[str, int]:
    """Give how many a minute may go to those domains that asked for less."""
    names = {_pace(account_id, one): one for one in domains}
    rows = uow.conn.execute(select(buckets).where(buckets.c.name.in_(sorted(names))))
    found = {names[row.name]: _now(row.level, row.at, uow.now) for row in rows}
    return {domain: pace for domain, pace in found.items() if pace}


def _pace(account_id: int, domain: str) -> str:
    return bounded_key(f"pace:{account_id}:{domain}", NAME)


def _now(pace: int, at: int, now: int) -> int:
    """Give the pace that was set then as it is now; 0 is free."""
    pace <<= min(max(0, now - at), FREE_US) // FASTER_US
    return pace if pace <= SLOWED else 0
