"""Ways that take too long: what was not sent, or not told as delivered, in the time a send gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from crm_store.many_places import NOT_DELIVERED
from crm_store.tables.many import many_sends, many_steps
from crm_store.tables.outbox import attempts, deliveries
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_ways import NOT_SENT, go_on, send_of
from hub.messages import DeliveryStatus as Status

MINUTE_US = 60_000_000


def patience(uow: UnitOfWork, rows: Iterable[Row[Any]]) -> dict[int, int]:
    """Give for rows of sends that fall back in time how long each waits, in microseconds."""
    ids = {row.send_id for row in rows if row.send_id}
    if not ids:
        return {}
    sends = {
        row.id: row
        for row in uow.conn.execute(
            select(many_sends.c.id, many_sends.c.routes, many_sends.c.fall_back_after).where(
                many_sends.c.id.in_(ids), many_sends.c.fall_back_after > 0
            )
        )
    }
    return {
        row.id: sends[row.send_id].fall_back_after * MINUTE_US
        for row in rows
        if row.send_id in sends
        and row.account_id in [int(one) for one in sends[row.send_id].routes][:-1]
    }


def tells_delivery(uow: UnitOfWork, account_id: int) -> bool:
    """Say whether a channel reports that a message arrived: where it does not, sent is all we know."""
    channel = uow.conn.execute(
        select(accounts.c.channel).where(accounts.c.id == account_id)
    ).scalar()
    capabilities = uow.channels.get(channel or "")
    return capabilities is not None and capabilities.receipts in ("delivered", "read")


def first_try(uow: UnitOfWork, delivery_id: int, default: int) -> int:
    """Give when a delivery was tried first on its way."""
    since = uow.conn.execute(
        select(func.max(many_steps.c.at)).where(many_steps.c.delivery_id == delivery_id)
    ).scalar()
    found = uow.conn.execute(
        select(func.min(attempts.c.started_at)).where(
            attempts.c.delivery_id == delivery_id, attempts.c.started_at >= (since or 0)
        )
    ).scalar()
    return int(found or default)


def out_of_time(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> int:
    """Rows that were sent and never told as delivered, or not sent in time: the next way.

    What has no other way stays as it is: sent without a proof, or waiting on. So does what its
    person answered or touched.
    """
    moved = 0
    by_send: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_send.setdefault(row.send_id, []).append(row)
    for send_id, mine in by_send.items():
        send = send_of(uow, send_id)
        gone: set[int] = set()
        if send is not None:
            late = [
                (row, NOT_DELIVERED if row.status == Status.SENT.value else NOT_SENT)
                for row in mine
            ]
            gone = go_on(uow, send, late)
        stay = [row.id for row in mine if row.id not in gone]
        if stay:
            uow.conn.execute(
                update(deliveries).where(deliveries.c.id.in_(stay)).values(leased_until=0)
            )
        moved += len(gone)
    return moved
