"""What a claim decides about rows that go to many: consent once more, pause, cap, quiet, rate.

Whatever is held back here is put back with its reason or a later time, and never stands in the
way of the rows behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, update

from crm_store.rows import among, listed
from crm_store.sql import take_free
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many import PAUSED
from dialogs.many_chain import after_earlier, zones_of
from dialogs.many_pace import too_fast
from dialogs.many_return import bring_back
from dialogs.many_sender import Sender, closed_windows, kept_back
from dialogs.many_ways import Due, go_on
from hub.messages import DeliveryStatus as Status
from hub.zones import quiet_until

US = 1_000_000
DAY_US = 86_400 * US
PEOPLE = 0x4855_434C
"""The room of locks in which a claim of advertising takes its people."""
MOMENT_US = US // 2
"""So long a row waits whose person was being claimed by another worker."""
SWEEP = 1_000
"""So many rows of a paused send leave the queue with each claim that meets one."""


def admit(uow: UnitOfWork, sender: Sender, rows: Sequence[Due]) -> list[Due]:
    """Give the rows that may go now; those that belong to no send always may."""
    many = [row for row in rows if row.send_id]
    if not many:
        return list(rows)
    send_ids = {row.send_id for row in many}
    given = {"b_ids": listed(uow.dialect, send_ids)}
    sends = {row.id: row for row in uow.conn.execute(_sends(uow.dialect), given)}
    out = _twice(many)
    for send_id in send_ids:
        mine = [row for row in many if row.send_id == send_id and row.id not in out]
        send = sends.get(send_id)
        if send is None or send.state == "cancelled":
            _sweep(uow, sender.id, send_id, Status.SUPPRESSED.value, "cancelled")
            out |= {row.id for row in mine}
        elif send.state == "paused":
            _sweep(uow, sender.id, send_id, PAUSED, "")
            out |= {row.id for row in mine}
        elif send.mailing_id:  # A test (dialogs/many_tests.py) is kept back by nothing.
            out |= _held_back(uow, sender, send, mine)
    return [row for row in rows if row.id not in out]


@cache
def _sends(dialect: str) -> Select[Any]:
    return select(many_sends).where(among(dialect, many_sends.c.id, "b_ids"))


def _twice(rows: Sequence[Due]) -> set[int]:
    """Give what is to wait for the next claim: a person is claimed once at a time.

    So what limits one mailing by another (the frequency cap) finds the first one claimed.
    """
    met: set[int] = set()
    out: set[int] = set()
    for row in rows:
        if row.contact_id in met:
            out.add(row.id)
        elif row.contact_id:
            met.add(row.contact_id)
    return out


def _sweep(uow: UnitOfWork, account_id: int, send_id: int, status: str, reason: str) -> None:
    queued = (
        select(deliveries.c.id)
        .where(
            deliveries.c.account_id == account_id,
            deliveries.c.send_id == send_id,
            TO_MANY,
            deliveries.c.status == Status.QUEUED.value,
        )
        .limit(SWEEP)
    )
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(queued.scalar_subquery()))
        .values(status=status, reason=reason)
    )


def _held_back(uow: UnitOfWork, sender: Sender, send: Row[Any], rows: Sequence[Due]) -> set[int]:
    """Settle or postpone what may not go now; gives the ids."""
    back = bring_back(uow, send, rows)
    rows = [row for row in rows if row.id not in back]
    refused = kept_back(uow, send, sender, [(row.contact_id, row.address_id) for row in rows])
    found: dict[int, str] = {}
    for row in rows:
        if reason := refused.get((row.contact_id, row.address_id)):
            found[row.id] = reason
    left = [row for row in rows if row.id not in found]
    later = _claimed_elsewhere(uow, send, left)
    left = [row for row in left if row.id not in later]
    found |= _over_cap(uow, send, left)
    left = [row for row in left if row.id not in found]
    shut = closed_windows(uow, sender, [(row.address_id, row.content_id) for row in left])
    found |= {row.id: "window_closed" for row in left if row.address_id in shut}
    other_way: set[int] = set()
    if found and send.routes:
        by_id = {row.id: row for row in rows}
        other_way = go_on(uow, send, [(by_id[number], why) for number, why in found.items()])
    for number, reason in found.items():
        if number not in other_way:
            uow.conn.execute(
                update(deliveries)
                .where(deliveries.c.id == number)
                .values(status=Status.SUPPRESSED.value, reason=reason)
            )
    left = [row for row in left if row.id not in found]
    later |= after_earlier(uow, send, left)
    left = [row for row in left if row.id not in later]
    later |= _quiet(uow, send, left)
    left = [row for row in left if row.id not in later]
    later |= too_fast(uow, sender, send, left)
    for number, due_at in later.items():
        uow.conn.execute(update(deliveries).where(deliveries.c.id == number).values(due_at=due_at))
    return {*back, *found, *later}


def _claimed_elsewhere(uow: UnitOfWork, send: Row[Any], rows: Sequence[Due]) -> dict[int, int]:
    """Give whose people another worker is claiming advertising for right now, and when to look again.

    What he has not committed is not counted by a cap yet. Also without a cap a claim says whose it
    is: that of another mailing may have one.
    """
    if not send.advertising:
        return {}
    mine = take_free(uow.conn, PEOPLE, [row.contact_id for row in rows])
    return {row.id: uow.now + MOMENT_US for row in rows if row.contact_id not in mine}


def _over_cap(uow: UnitOfWork, send: Row[Any], rows: Sequence[Due]) -> dict[int, str]:
    """Say who has had enough lately: by the mailing's own cap, or by the person's wish for less."""
    if not send.advertising or not rows:
        return {}
    # Who wants less gets one in his days; the others so many as the mailing says.
    most: list[tuple[int, int, int]] = []
    if send.cap_count:
        most += [(row.contact_id, send.cap_days, send.cap_count) for row in rows]
    most += [(row.contact_id, row.wished_days, 1) for row in rows if row.wished_days]
    over: set[int] = set()
    for days in {one[1] for one in most}:
        mine = {contact_id: most_of for contact_id, its, most_of in most if its == days}
        had = _had(uow, list(mine), days)
        over |= {contact_id for contact_id, n in had.items() if n >= mine[contact_id]}
    return {row.id: "frequency_cap" for row in rows if row.contact_id in over}


def _had(uow: UnitOfWork, contact_ids: Sequence[int], days: int) -> dict[int, int]:
    """Count the advertising that people had in so many days, what is just leaving included."""
    rows = uow.conn.execute(
        select(deliveries.c.contact_id, func.count().label("n"))
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .where(
            deliveries.c.contact_id.in_(contact_ids),
            deliveries.c.send_id != 0,
            or_(
                deliveries.c.sent_at >= uow.now - days * DAY_US,
                deliveries.c.status.in_((Status.CLAIMED.value, Status.SENDING.value)),
            ),
            many_sends.c.advertising,
        )
        .group_by(deliveries.c.contact_id)
    )
    return {row.contact_id: row.n for row in rows}


def _quiet(uow: UnitOfWork, send: Row[Any], rows: Sequence[Due]) -> dict[int, int]:
    """Give when it is no longer night at each recipient's; those who are awake are left out."""
    if send.quiet_from == send.quiet_until or not rows:
        return {}
    zones = zones_of(uow, [row.contact_id for row in rows])
    found = {}
    for row in rows:
        until = quiet_until(uow.now, zones[row.contact_id], send.quiet_from, send.quiet_until)
        if until:
            found[row.id] = until
    return found
