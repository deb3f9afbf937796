"""Messages that go over to another dialog with all that hangs on them, and the people with them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from crm_store.sql import upsert
from crm_store.tables.dialogs import attachments, mentions, messages, participants
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from hub.ids import DialogId


def move_messages(uow: UnitOfWork, ids: list[int], dialog_id: DialogId) -> None:
    """Let messages be of another dialog; whoever calls counts both anew."""
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        uow.conn.execute(
            update(messages).where(messages.c.id.in_(chunk)).values(dialog_id=dialog_id)
        )
        for table in (attachments, deliveries, mentions):
            uow.conn.execute(
                update(table).where(table.c.message_id.in_(chunk)).values(dialog_id=dialog_id)
            )


def copy_people(uow: UnitOfWork, source: int, target: int) -> None:
    """Let who takes part in one dialog take part in another too."""
    rows: list[dict[str, Any]] = [
        {"dialog_id": target, "kind": one.kind, "value": one.value}
        for one in uow.conn.execute(select(participants).where(participants.c.dialog_id == source))
    ]
    if rows:
        uow.conn.execute(upsert(uow.dialect, participants).on_conflict_do_nothing(), rows)
