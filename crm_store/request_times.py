"""Time spent on requests: who worked how many minutes; the request carries the sum.

Nobody's words are kept here, so erasing a person leaves these rows: they tell of our own work.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm_store import object_writes
from crm_store.nouns import NOUNS
from crm_store.tables.requests import request_times
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import LogTime, RemoveTime
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.ids import Micros, UserId
from hub.records.requests import TimeSpent

REQUEST = NOUNS["request"]
MOST_MINUTES = 24 * 60
MOST_SHOWN = 200


def times(reader: Reader, request_id: int) -> list[TimeSpent]:
    """Give what was noted on a request, the newest first, at most MOST_SHOWN."""
    rows = reader.conn.execute(
        select(request_times)
        .where(request_times.c.request_id == request_id)
        .order_by(request_times.c.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        TimeSpent(id=row.id, user_id=UserId(row.user_id), minutes=row.minutes, at=Micros(row.at))
        for row in rows
    ]


def log_time(uow: UnitOfWork, command: LogTime) -> int:
    """Note minutes of work; gives the id of the entry."""
    if not 1 <= command.minutes <= MOST_MINUTES:
        raise Invalid("between a minute and a day is noted at a time", field="minutes")
    row = object_writes.lock(uow, REQUEST, command.request_id)
    if row.merged_into:
        raise Conflict("this request was merged into another", what="merged")
    entry_id = uow.new_id()
    uow.conn.execute(
        insert(request_times).values(
            id=entry_id,
            request_id=row.id,
            user_id=uow.viewer.user_id,
            minutes=command.minutes,
            at=uow.now,
        )
    )
    _sum_up(uow, row)
    return entry_id


def remove_time(uow: UnitOfWork, command: RemoveTime) -> None:
    """Take an entry back: one's own, or anybody's with the right to manage the system."""
    row = object_writes.lock(uow, REQUEST, command.request_id)
    mine = (request_times.c.id == command.entry_id) & (request_times.c.request_id == row.id)
    entry = uow.conn.execute(select(request_times.c.user_id).where(mine)).first()
    if entry is None:
        raise NotFound("there is no such entry")
    if entry.user_id != uow.viewer.user_id and not uow.viewer.may("system.manage"):
        raise NotAllowed("this is another person's time")
    uow.conn.execute(delete(request_times).where(mine))
    _sum_up(uow, row)


def hand_over(uow: UnitOfWork, row: Any, into: Any) -> list[int]:
    """Give a request's entries to the one that it is merged into, whose sum grows; gives their ids.

    Both rows are locked. Whoever worked stays named, so the entries themselves are moved.
    """
    mine = request_times.c.request_id == row.id
    moved = list(uow.conn.execute(select(request_times.c.id).where(mine)).scalars())
    if moved:
        uow.conn.execute(update(request_times).where(mine).values(request_id=into.id))
        _sum_up(uow, into)
    return moved


def take_back(uow: UnitOfWork, row: Any, holder: Any, ids: list[int]) -> int:
    """Give entries that were handed over back to their request; gives the sum of its minutes.

    Both rows are locked; `holder` has the entries now, None where it is gone. What was removed
    there meanwhile stays removed.
    """
    if ids and holder is not None:
        there = (request_times.c.request_id == holder.id) & request_times.c.id.in_(ids)
        uow.conn.execute(update(request_times).where(there).values(request_id=row.id))
        _sum_up(uow, holder)
    return _sum(uow, row.id)


def _sum(uow: UnitOfWork, request_id: int) -> int:
    spent = select(func.coalesce(func.sum(request_times.c.minutes), 0)).where(
        request_times.c.request_id == request_id
    )
    return int(uow.conn.execute(spent).scalar_one())


def _sum_up(uow: UnitOfWork, row: Any) -> None:
    object_writes.change(uow, REQUEST, row, {"spent_minutes": _sum(uow, row.id)})
