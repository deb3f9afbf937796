"""Getting a dialog to work on: locked, visible to the actor, or not found."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, messages
from crm_store.unit_of_work import UnitOfWork
from hub.errors import NotFound


def lock_dialog(uow: UnitOfWork, dialog_id: int) -> Row[Any]:
    """Lock one dialog; what the actor may not see is not found. Follows a merge."""
    for _ in range(5):
        row = uow.conn.execute(
            locked(
                uow.dialect,
                select(dialogs).where(dialogs.c.id == dialog_id, uow.viewer.dialogs_clause()),
            )
        ).first()
        if row is None:
            break
        if not row.merged_into:
            return row
        dialog_id = row.merged_into
    raise NotFound("there is no such dialog")


def lock_message(uow: UnitOfWork, message_id: int) -> Row[Any]:
    """Lock one message whose dialog the actor may see."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(messages).where(messages.c.id == message_id, uow.viewer.messages_clause()),
        )
    ).first()
    if row is None or row.deleted_at:
        raise NotFound("there is no such message")
    return row


def change_dialog(uow: UnitOfWork, dialog_id: int, **values: Any) -> None:
    """Write fields of a dialog and move its version."""
    uow.conn.execute(
        update(dialogs)
        .where(dialogs.c.id == dialog_id)
        .values(version=dialogs.c.version + 1, **values)
    )
