"""The next step of an interest is its nearest open task: planned once, seen in both places.

A step that somebody wrote by hand stays his; one that came of a task moves, and goes, with it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_store import object_writes, objects
from crm_store.nouns import NOUNS
from crm_store.sql import locked
from crm_store.tables.interests import interests
from crm_store.tables.requests import tasks
from crm_store.tables.users import brands, users
from crm_store.unit_of_work import UnitOfWork
from hub.ids import Micros

INTEREST = NOUNS["interest"]
MOST = 200


def zone_of(uow: UnitOfWork, user_id: int) -> str:
    """Give the time zone of a colleague, or the organisation's."""
    own = uow.conn.execute(select(users.c.time_zone).where(users.c.id == user_id)).scalar()
    brand = select(brands.c.time_zone).order_by(brands.c.id).limit(1)
    return str(own or uow.conn.execute(brand).scalar() or "UTC")


def follow(uow: UnitOfWork, kind: str, object_id: int, was: str = "") -> None:
    """Keep an interest's next step true to its tasks; `was` is what a task was called till now."""
    if kind != "interest" or not object_id:
        return
    mine = select(interests).where(
        interests.c.id == object_id,
        interests.c.deleted_at == 0,
        interests.c.status == "in_work",
        objects.visible(uow.viewer, INTEREST),
    )
    row = uow.conn.execute(locked(uow.dialect, mine)).first()
    if row is None:
        return
    waiting = uow.conn.execute(
        select(tasks.c.title, tasks.c.due_at, tasks.c.owner_id)
        .where(
            tasks.c.object_kind == "interest",
            tasks.c.object_id == object_id,
            tasks.c.status == "open",
            tasks.c.deleted_at == 0,
        )
        .order_by(tasks.c.due_at == 0, tasks.c.due_at, tasks.c.id)
        .limit(MOST)
    ).all()
    if row.next_step and row.next_step not in {was, *(one.title for one in waiting)}:
        return
    first = waiting[0] if waiting else None
    day = _day(first.due_at, zone_of(uow, first.owner_id)) if first and first.due_at else Micros(0)
    words = first.title if first else ""
    object_writes.change(uow, INTEREST, row, {"next_step": words, "next_step_at": day})


def _day(at: int, zone: str) -> Micros:
    """Give the day of an instant on the wall of a zone, as dates are stored."""
    local = datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(ZoneInfo(zone))
    return Micros(
        int(datetime(local.year, local.month, local.day, tzinfo=UTC).timestamp()) * 1_000_000
    )
