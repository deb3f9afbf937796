"""Finding the open dialog of somebody who is only typing: a read, never a write."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_store.tables.dialogs import dialogs
from crm_store.tables.people import addresses
from hub.ids import DialogId
from hub.messages import Address


def dialog_of(conn: Connection, account_id: int, sender: Address, thread_key: str) -> DialogId:
    """Give the sender's open dialog on an account, 0 where there is none."""
    found = conn.execute(
        select(dialogs.c.id)
        .join(addresses, addresses.c.contact_id == dialogs.c.contact_id)
        .where(
            addresses.c.kind == sender.kind,
            addresses.c.value == sender.value,
            dialogs.c.account_id == account_id,
            dialogs.c.is_open,
        )
        .order_by(dialogs.c.last_at.desc())
        .limit(1)
    ).scalar()
    return DialogId(found or 0)
