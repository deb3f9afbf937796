"""Finding an entry by the provider's name of it: what came in, a part of what we sent, an album."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from crm_store.sql import locked
from crm_store.tables.dialogs import message_aliases, messages
from crm_store.tables.outbox import deliveries, parts
from crm_store.unit_of_work import UnitOfWork
from hub.ids import bounded_key


def find_message(
    uow: UnitOfWork, account_id: int, external_id: str, *, lock: bool = True
) -> Row[Any] | None:
    """Find (and lock) the message that an external id of an account names, None without one."""
    key = bounded_key(external_id)
    if not key:
        return None
    own = select(messages).where(messages.c.account_id == account_id, messages.c.external_id == key)
    sent = (
        select(messages)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .join(parts, parts.c.delivery_id == deliveries.c.id)
        .where(parts.c.account_id == account_id, parts.c.external_id == key)
    )
    alias = (
        select(messages)
        .join(message_aliases, message_aliases.c.message_id == messages.c.id)
        .where(message_aliases.c.account_id == account_id, message_aliases.c.external_id == key)
    )
    for statement in (own, sent, alias):
        wanted = locked(uow.dialect, statement) if lock else statement
        row = uow.conn.execute(wanted).first()
        if row is not None:
            return row
    return None
