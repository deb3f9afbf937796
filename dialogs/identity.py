"""Who is writing: from an address to a contact, once, however many messages come at once.

The row of the address is the lock. An upsert takes it, so that two first messages of one new
sender, in two processes, meet there and make one contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, case, insert, select, update

from crm_store.search_index import index_contacts
from crm_store.sql import upsert
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.events import ContactCreated
from hub.ids import AddressId, ContactId
from hub.messages import Address, InboundMessage
from hub.terms import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An address as the store knows it, locked by this transaction."""

    address_id: AddressId
    contact_id: ContactId
    new: bool
    name: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


def partner_of(message: InboundMessage) -> Address:
    """Give the address a dialog is with: the group where people write in one, else the sender."""
    if message.group and message.thread_key:
        return Address(
            kind=f"{message.sender.kind}_group",
            value=message.thread_key,
            name=message.profile.get("group_name", ""),
        )
    return message.sender


def identify(
    uow: UnitOfWork, partners: Sequence[Address], *, seen: bool = True
) -> dict[tuple[str, str], Peer]:
    """Find or create the contact behind each address; keyed by (kind, value)."""
    by_key = {(one.kind, one.value): one for one in partners}
    # Sorted, so that two transactions lock the same rows in the same order.
    keys = sorted(by_key)
    statement = upsert(uow.dialect, addresses)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "value"],
        set_={
            "name": case(
                (statement.excluded.name != "", statement.excluded.name), else_=addresses.c.name
            )
        },
    ).returning(
        addresses.c.id,
        addresses.c.contact_id,
        addresses.c.kind,
        addresses.c.value,
        addresses.c.name,
        addresses.c.profile,
    )
    rows = uow.conn.execute(
        statement,
        [
            {
                "id": uow.new_id(),
                "contact_id": 0,
                "kind": kind,
                "value": value,
                "name": by_key[kind, value].name[:400],
                "profile": {},
                "created_at": uow.now,
            }
            for kind, value in keys
        ],
    ).all()
    peers: dict[tuple[str, str], Peer] = {}
    fresh: list[tuple[int, ContactId, Address]] = []
    for row in rows:
        contact_id = ContactId(row.contact_id)
        if not contact_id:
            contact_id = ContactId(uow.new_id())
            fresh.append((row.id, contact_id, by_key[row.kind, row.value]))
        peers[row.kind, row.value] = Peer(
            address_id=AddressId(row.id),
            contact_id=contact_id,
            new=not row.contact_id,
            name=row.name,
            profile=row.profile,
        )
    _create(uow, fresh)
    return peers


def _create(uow: UnitOfWork, fresh: list[tuple[int, ContactId, Address]]) -> None:
    if not fresh:
        return
    people = []
    for _, contact_id, address in fresh:
        name = (address.name or address.value)[:400]
        people.append(
            {
                "id": contact_id,
                "name": name,
                "name_folded": fold(name)[:400],
                "created_at": uow.now,
                "last_at": uow.now,
            }
        )
        uow.record(ContactCreated(contact_id=contact_id))
    uow.conn.execute(insert(contacts), people)
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == bindparam("b_id"))
        .values(contact_id=bindparam("b_contact")),
        [{"b_id": address_id, "b_contact": contact_id} for address_id, contact_id, _ in fresh],
    )
    index_contacts(
        uow.conn,
        [(contact_id, [address.name, address.value]) for _, contact_id, address in fresh],
    )


def blocked_reason(uow: UnitOfWork, address_id: AddressId) -> str:
    """Give why an address is blocked, "" where it is not."""
    return str(
        uow.conn.execute(select(addresses.c.blocked).where(addresses.c.id == address_id)).scalar()
        or ""
    )
