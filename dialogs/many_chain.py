"""A chain of letters: each so many days after the earlier ones, at the person's own time of day.

Its letters stand in the outbox from the first one on. What holds an earlier one up (a limit, a warm-up,
quiet hours) moves the later ones on by whole days, so that they keep their hour and their distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select

from crm_store.sending_limits import house_zone
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import contacts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_ways import Due
from hub.commands import ManyRecipient
from hub.zones import days_later

DAY_US = 86_400_000_000
NEAR_US = DAY_US // 2
"""By so much a distance is rounded: an hour in line moves no later letter to the next day."""
OPEN = ("queued", "claimed", "sending", "paused")


def due_dates(
    uow: UnitOfWork, send: Row[Any], recipients: Sequence[ManyRecipient]
) -> dict[int, int]:
    """Give when each person's letter is due: a later one of a chain so many days after the first."""
    due: dict[int, int] = {one.contact_id: max(one.due_at, uow.now) for one in recipients}
    if not send.days or not due:
        return due
    zones = zones_of(uow, due)
    return {one: days_later(at, send.days, zones[one]) for one, at in due.items()}


def after_earlier(uow: UnitOfWork, send: Row[Any], rows: Sequence[Due]) -> dict[int, int]:
    """Give until when later letters wait for the earlier ones, which may have been held up."""
    if not send.step or not rows:
        return {}
    people = [row.contact_id for row in rows]
    zones = zones_of(uow, people)
    earliest: dict[int, int] = {}
    for one in uow.conn.execute(
        select(deliveries.c.contact_id, deliveries.c.status, deliveries.c.sent_at, many_sends.c.days)
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .where(
            deliveries.c.contact_id.in_(people),
            TO_MANY,
            many_sends.c.mailing_id == send.mailing_id,
            many_sends.c.occurrence == send.occurrence,
            many_sends.c.step < send.step,
        )
    ):  # fmt: skip
        at = 0
        if one.status in OPEN:
            at = uow.now + 1
        elif one.sent_at:
            distance = max(0, send.days - one.days)
            at = days_later(one.sent_at, distance, zones[one.contact_id]) - NEAR_US
        earliest[one.contact_id] = max(at, earliest.get(one.contact_id, 0))
    waiting = {row.id: row.contact_id for row in rows if earliest.get(row.contact_id, 0) > uow.now}
    if not waiting:
        return {}
    due = uow.conn.execute(
        select(deliveries.c.id, deliveries.c.due_at).where(deliveries.c.id.in_(waiting))
    )
    return {row.id: _moved(row.due_at, earliest[waiting[row.id]], zones[waiting[row.id]])
            for row in due}  # fmt: skip


def _moved(due_at: int, earliest: int, zone: str) -> int:
    """Give the first instant from `earliest` on at the time of day of `due_at`."""
    days = max(0, (earliest - due_at) // DAY_US - 1)
    while (found := days_later(due_at, days, zone)) < earliest:
        days += 1
    return found


def zones_of(uow: UnitOfWork, contact_ids: Iterable[int]) -> dict[int, str]:
    """Give each person's time zone: his own, else the organisation's."""
    wanted = sorted(set(contact_ids))
    asked = select(contacts.c.id, contacts.c.time_zone).where(contacts.c.id.in_(wanted))
    own = dict(uow.conn.execute(asked).all())
    house = house_zone(uow)
    return {one: own.get(one) or house for one in wanted}
