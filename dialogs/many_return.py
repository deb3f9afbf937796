"""An answer or a click over a way that was given up: it had arrived, though nobody told so in time.

Where the next way has not left, the person needs it no more: his row goes back to the way he used.
Where it has, he has got both, and the answer stands below the words he answered.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, delete, select, update

from crm_store.many_places import NOT_DELIVERED, as_left
from crm_store.tables.many import many_steps
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from hub.messages import DeliveryStatus as Status

WAITS = (Status.QUEUED.value, Status.CLAIMED.value, "paused")


def as_answered(uow: UnitOfWork, row: Row[Any], account_id: int) -> Any:
    """Give a row of many as the way was over which its person answered, or followed a link."""
    if row.account_id == account_id:
        return row
    mine = many_steps.c.delivery_id == row.id
    step = uow.conn.execute(
        select(many_steps)
        .where(mine, many_steps.c.account_id == account_id, many_steps.c.reason == NOT_DELIVERED)
        .order_by(many_steps.c.n.desc())
    ).first()
    if step is None:
        return row
    way = as_left(uow.conn, uow.channels, row, account_id)
    changed: dict[str, Any] = {
        "account_id": account_id,
        "address_id": way.address_id,
        "content_id": way.content_id,
        # When it was given up; when it left is not kept.
        "sent_at": step.at,
        "status": Status.SENT.value,
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
        uow.conn.execute(delete(many_steps).where(mine, many_steps.c.n >= step.n))
    return SimpleNamespace(**{**row._mapping, **changed})
