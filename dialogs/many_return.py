"""A proof, an answer or a click of a way that was given up: it had arrived, whatever was told before.

Where the next way has not left, the person needs it no more: his row goes back to the way he used.
Where it has, he has got both, and the answer stands below the words he answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, delete, select, update

from crm_store.many_places import as_left, last_left, step_of
from crm_store.tables.many import many_steps
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_reached import who_spoke
from dialogs.many_ways import Due
from hub.messages import DeliveryStatus as Status

WAITS = (Status.QUEUED.value, Status.CLAIMED.value, "paused")
ARRIVED = (Status.DELIVERED.value, Status.READ.value)


def as_answered(uow: UnitOfWork, row: Row[Any], account_id: int) -> Any:
    """Give a row of many as the way was over which its person was reached after all."""
    if row.account_id == account_id:
        return row
    step = step_of(uow.conn, row.id, account_id)
    if step is None:
        return row
    way = as_left(uow.conn, uow.channels, row, account_id)
    changed: dict[str, Any] = {
        "account_id": account_id,
        "address_id": way.address_id,
        "content_id": way.content_id,
        # Of ways that were given up before that was kept: when they were.
        "sent_at": step.sent_at or step.at,
        "status": step.told if step.told in ARRIVED else Status.SENT.value,
        "delivered_at": step.told_at if step.told in ARRIVED else 0,
        "read_at": step.told_at if step.told == Status.READ.value else 0,
    }
    if row.status in WAITS:
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(
                **changed,
                reason="",
                reason_text="",
                leased_until=0,
                charged=step.charged,
                fence=deliveries.c.fence + 1,
            )
        )
        mine = many_steps.c.delivery_id == row.id
        uow.conn.execute(delete(many_steps).where(mine, many_steps.c.n >= step.n))
    return SimpleNamespace(**{**row._mapping, **changed})


def bring_back(uow: UnitOfWork, send: Row[Any], rows: Sequence[Due]) -> set[int]:
    """Give back to their earlier way those who used its unsubscribe link before the next one left.

    What they refused ended in that transaction; what they did not need no longer leaves here.
    """
    later = {int(one) for one in send.routes[1:]}
    spoke = who_spoke(uow, {row.id: row.contact_id for row in rows if row.account_id in later})
    back: set[int] = set()
    for number in sorted(spoke):
        row = uow.conn.execute(select(deliveries).where(deliveries.c.id == number)).one()
        if account_id := last_left(uow.conn, row):
            as_answered(uow, row, account_id)
            back.add(number)
    return back
