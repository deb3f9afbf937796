"""Handing addresses and dialogs over to another contact: what merging, splitting and linking share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.events import AddressChanged, DialogLinked
from hub.ids import AddressId, ContactId, DialogId

CHUNK = 500


def hand_over(uow: UnitOfWork, source: ContactId, target: ContactId, ids: Sequence[int]) -> None:
    """Give addresses to another contact; whoever calls moves the dialogs and reindexes both."""
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        uow.conn.execute(
            update(addresses)
            .where(addresses.c.id.in_(chunk), addresses.c.contact_id == source)
            .values(contact_id=target)
        )
    for one in ids:
        uow.record(AddressChanged(address_id=AddressId(one), contact_id=target, what="moved"))


def dialogs_of_addresses(
    uow: UnitOfWork, address_ids: Sequence[int], contact_id: ContactId
) -> list[int]:
    """Give the dialogs of a contact over some of its addresses, in id order."""
    found: list[int] = []
    for start in range(0, len(address_ids), CHUNK):
        found += uow.conn.execute(
            select(dialogs.c.id).where(
                dialogs.c.contact_id == contact_id,
                dialogs.c.address_id.in_(address_ids[start : start + CHUNK]),
            )
        ).scalars()
    return sorted(found)


def move_dialogs(uow: UnitOfWork, ids: Sequence[int], target: ContactId) -> None:
    """Say that dialogs, with their messages, are with another contact."""
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = uow.conn.execute(
            select(dialogs.c.id, dialogs.c.contact_id).where(dialogs.c.id.in_(chunk))
        ).all()
        uow.conn.execute(
            update(dialogs)
            .where(dialogs.c.id.in_(chunk))
            .values(contact_id=target, version=dialogs.c.version + 1)
        )
        uow.conn.execute(
            update(messages).where(messages.c.dialog_id.in_(chunk)).values(contact_id=target)
        )
        for row in rows:
            uow.record(
                DialogLinked(
                    dialog_id=DialogId(row.id),
                    contact_id=target,
                    before_contact_id=ContactId(row.contact_id),
                )
            )
