"""An address becomes another one: a group that became a supergroup, a number that was changed."""

from __future__ import annotations

from sqlalchemy import select, update

from crm_store.tables.dialogs import dialogs
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.events import AddressChanged
from hub.ids import AccountId, AddressId, ContactId, bounded_key
from hub.messages import PeerEvent


def move_address(
    uow: UnitOfWork, account_id: AccountId, address_id: AddressId, moved: PeerEvent
) -> None:
    """Let an address, and the dialogs with it, go on under another value."""
    before, after = moved.sender.value, bounded_key(moved.text)
    same = (addresses.c.kind == moved.sender.kind) & (addresses.c.value == after)
    # Who wrote from the new address already has a dialog there: it stays, and so does this one.
    if not after or uow.conn.execute(select(addresses.c.id).where(same)).first() is not None:
        return
    row = uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == address_id)
        .values(value=after)
        .returning(addresses.c.contact_id)
    ).one()
    uow.conn.execute(
        update(dialogs)
        .where(
            dialogs.c.account_id == account_id,
            dialogs.c.address_id == address_id,
            dialogs.c.thread_key == before,
        )
        .values(thread_key=after, slot=after)
    )
    uow.record(
        AddressChanged(
            address_id=address_id, contact_id=ContactId(row.contact_id), what=moved.change.value
        )
    )
