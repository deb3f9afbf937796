"""What a restore or a late start held back: a person lets it go, or drops it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, delete, select, update

from crm_store.holding import note_released
from crm_store.tables.dialogs import messages
from crm_store.tables.outbox import deliveries, jobs, webhook_deliveries
from crm_store.tables.rules import rule_timers
from crm_store.unit_of_work import UnitOfWork
from dialogs.receipts import move_delivery
from dialogs.recount import recount
from hub.commands import ReleaseHeld
from hub.errors import Invalid
from hub.events import DeliveryChanged, HeldReleased
from hub.ids import DeliveryId, DialogId, MessageId
from hub.messages import DeliveryStatus as Status

TABLES: dict[str, Table] = {
    "deliveries": deliveries,
    "jobs": jobs,
    "webhooks": webhook_deliveries,
    "timers": rule_timers,
}


def release_held(uow: UnitOfWork, command: ReleaseHeld) -> int:
    """Let held outgoing things go, or drop them; gives how many."""
    table = TABLES.get(command.kind)
    if table is None:
        raise Invalid("held things are deliveries, jobs, webhooks or timers", field="kind")
    which: ColumnElement[bool] = table.c.held
    if command.ids:
        # What else is held has no list in which one of it could be chosen.
        if table is not deliveries:
            raise Invalid("only messages are decided one by one", field="ids")
        which = and_(which, table.c.id.in_(command.ids))
    rows = uow.conn.execute(select(table).where(which)).all() if table is deliveries else ()
    if table is rule_timers and not command.release:
        count = uow.conn.execute(delete(table).where(which)).rowcount
    else:
        values: dict[str, Any] = {"held": False}
        if table in (jobs, webhook_deliveries) and not command.release:
            values["state"] = "dropped"
        count = uow.conn.execute(update(table).where(which).values(**values)).rowcount
    _tell(uow, rows, command.release)
    note_released(uow.conn)
    uow.record(HeldReleased(kind=command.kind, count=count, released=command.release))
    return int(count)


def _tell(uow: UnitOfWork, rows: Sequence[Row[Any]], is_released: bool) -> None:
    """Say at each message what became of it."""
    for row in rows:
        if not is_released:
            move_delivery(
                uow,
                row,
                Status.SUPPRESSED,
                "expired",
                "dropped after a pause",
                at=uow.now,
                forced=True,
            )
        elif row.message_id:
            # The message goes on saying why its delivery waits, if it was tried before.
            said = update(messages).where(messages.c.id == row.message_id)
            uow.conn.execute(said.values(reason=row.reason))
            uow.record(
                DeliveryChanged(
                    message_id=MessageId(row.message_id),
                    dialog_id=DialogId(row.dialog_id),
                    account_id=row.account_id,
                    delivery_id=DeliveryId(row.id),
                    before=Status.QUEUED.value,
                    after=Status.QUEUED.value,
                    reason=row.reason,
                )
            )
    for dialog_id in {row.dialog_id for row in rows if row.dialog_id}:
        recount(uow, dialog_id)
