"""Token buckets at the moment of sending, kept in the database: a restart forgives nothing.

A limit of one per eight minutes sends one. A bucket holds at most a second's worth, or one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from crm_store.sql import locked, upsert
from crm_store.tables.many import buckets
from crm_store.unit_of_work import UnitOfWork

TOKEN = 1_000_000
MINUTE_US = 60_000_000


def take(uow: UnitOfWork, wanted: Sequence[tuple[str, int]]) -> int:
    """Take one token of each bucket (name, tokens a minute), or none; gives microseconds to wait."""
    if not wanted:
        return 0
    names = sorted({name for name, _ in wanted})
    rows = {
        row.name: row
        for row in uow.conn.execute(
            locked(
                uow.dialect,
                select(buckets).where(buckets.c.name.in_(names)).order_by(buckets.c.name),
            )
        )
    }
    levels, wait = {}, 0
    for name, per_minute in wanted:
        most = max(TOKEN, per_minute * TOKEN // 60)
        row = rows.get(name)
        level = most
        if row is not None:
            level = min(most, row.level + (uow.now - row.at) * per_minute * TOKEN // MINUTE_US)
        levels[name] = level
        if level < TOKEN:
            wait = max(wait, (TOKEN - level) * MINUTE_US // (per_minute * TOKEN) + 1)
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


def take_of_day(uow: UnitOfWork, name: str, allowed: int, wanted: int) -> int:
    """Take so many of a day's allowance as are left; gives how many. A name holds its day."""
    where = buckets.c.name == name
    row = uow.conn.execute(locked(uow.dialect, select(buckets).where(where))).first()
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
