"""What is told of an earlier way of somebody who is reached over another account by now.

It is kept with the step of that way, which the person's path shows; the way that stands keeps its
own state. Where that one has not left yet, a proof that the earlier one arrived takes its place.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, update

from crm_store.many_places import NOT_DELIVERED, step_of
from crm_store.tables.many import many_steps
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_return import ARRIVED, as_answered
from hub.messages import DeliveryStatus as Status

LADDER = (Status.SENT, Status.FAILED, *map(Status, ARRIVED))
"""What is told takes the maximum over it, as that of a delivery does (dialogs/receipts.py)."""


def tell_earlier(
    uow: UnitOfWork,
    row: Row[Any],
    account_id: int,
    status: Status,
    reason: str,
    text: str,
    *,
    at: int,
) -> Status | None:
    """Keep what is told of the way over an account; gives what was known before, None for nothing new."""
    step = step_of(uow.conn, row.id, account_id)
    if step is None or status not in LADDER:
        return None
    before = Status.SENT if step.reason == NOT_DELIVERED else Status.FAILED
    if step.told:
        before = Status(step.told)
    if LADDER.index(status) <= LADDER.index(before):
        return None
    uow.conn.execute(
        update(many_steps)
        .where(many_steps.c.delivery_id == row.id, many_steps.c.n == step.n)
        .values(told=status.value, told_at=at, told_reason=(reason or text)[:400])
    )
    if status.value in ARRIVED:
        as_answered(uow, row, account_id)
    return before
