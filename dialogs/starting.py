"""The last word before the wire: what was claimed is still to be sent, and is marked as being sent.

The mark is committed before a byte leaves, so that a kill leaves unknown only what was on the wire.
Between a claim and this moment consent may be withdrawn, a mailing paused, an account stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select, update

from crm_store.sql import locked
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import deliveries
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from hub.commands import StartDeliveries, StartSending
from hub.errors import Conflict
from hub.ids import DeliveryId
from hub.messages import DeliveryStatus as Status


def start_sending(uow: UnitOfWork, command: StartSending) -> None:
    """Start one delivery; raises Conflict where it may not go any more."""
    one = (command.delivery_id, command.fence)
    charged = {int(command.delivery_id): command.charged}
    if not _start(uow, _claimed(uow, [one]), charged, command.lease_us):
        raise Conflict("the lease of this delivery is lost", what="fence")


def start_deliveries(uow: UnitOfWork, command: StartDeliveries) -> tuple[DeliveryId, ...]:
    """Start those of a group that may still go, and give the others back; gives the started."""
    charged = {int(number): count for number, _, count in command.deliveries}
    fences = [(number, fence) for number, fence, _ in command.deliveries]
    rows = _claimed(uow, [*fences, *command.returned])
    unsent = {number for number, _ in command.returned}
    _give_back(uow, [row.id for row in rows if row.id in unsent])
    going = [row for row in rows if row.id not in unsent]
    return _start(uow, going, charged, command.lease_us)


def _claimed(uow: UnitOfWork, wanted: Sequence[tuple[DeliveryId, int]]) -> list[Row[Any]]:
    """Give the rows that are still claimed under these fencing numbers, locked."""
    fences: Mapping[int, int] = dict(wanted)
    statement = (
        select(deliveries.c.id, deliveries.c.fence, deliveries.c.send_id, deliveries.c.account_id)
        .where(deliveries.c.id.in_(sorted(fences)), deliveries.c.status == Status.CLAIMED.value)
        .order_by(deliveries.c.id)
    )
    rows = uow.conn.execute(locked(uow.dialect, statement)).all()
    return [row for row in rows if row.fence == fences[row.id]]


def _start(
    uow: UnitOfWork, rows: Sequence[Row[Any]], charged: Mapping[int, int], lease_us: int
) -> tuple[DeliveryId, ...]:
    stopped = _stopped(uow, rows)
    _give_back(uow, [row.id for row in rows if row.id in stopped])
    going = [row.id for row in rows if row.id not in stopped]
    for count in sorted({charged[one] for one in going}):
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([one for one in going if charged[one] == count]))
            .values(
                status=Status.SENDING.value,
                attempts=deliveries.c.attempts + 1,
                leased_until=uow.now + lease_us,
                charged=count,
            )
        )
    return tuple(DeliveryId(one) for one in going)


def _stopped(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> set[int]:
    """Give the ids of those whose account or send was stopped since they were claimed."""
    if not rows:
        return set()
    open_accounts = set(
        uow.conn.execute(
            select(accounts.c.id).where(
                accounts.c.id.in_({row.account_id for row in rows}),
                ~accounts.c.paused,
                ~accounts.c.removed,
            )
        ).scalars()
    )
    sends = {row.send_id for row in rows if row.send_id}
    running = sends and set(
        uow.conn.execute(
            select(many_sends.c.id).where(
                many_sends.c.id.in_(sends), many_sends.c.state == "running"
            )
        ).scalars()
    )
    return {
        row.id
        for row in rows
        if row.account_id not in open_accounts or (row.send_id and row.send_id not in running)
    }


def _give_back(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Put claimed rows into the queue again: the next claim decides about them."""
    if ids:
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(ids))
            .values(status=Status.QUEUED.value, leased_until=0)
        )
