"""Addresses of contacts: whose they are, which are proved, and whose messages are refused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from crm_store.nouns import NOUNS
from crm_store.objects import visible_people
from crm_store.sameness import normal_form
from crm_store.search_index import index_contact
from crm_store.sql import locked, upsert
from crm_store.survivors import lock_contact
from crm_store.tables.consents import suppressions
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import AddAddress, BlockAddress, RemoveAddress, VerifyAddress
from hub.errors import Conflict, Invalid, NotFound
from hub.events import AddressChanged
from hub.ids import AddressId, ContactId, bounded_key
from hub.messages import Address


def contacts_by_address(reader: Reader, value: str) -> list[ContactId]:
    """Give the contacts that have an address, whatever network it is on."""
    found = reader.conn.execute(
        select(addresses.c.contact_id)
        .where(addresses.c.value == bounded_key(value.strip()))
        .distinct()
    )
    return [ContactId(one) for one in found.scalars()]


def blocked_addresses(conn: Connection) -> dict[tuple[str, str], str]:
    """Give every blocked address with its reason."""
    rows = conn.execute(
        select(addresses.c.kind, addresses.c.value, addresses.c.blocked).where(
            addresses.c.blocked != ""
        )
    )
    return {(row.kind, row.value): row.blocked for row in rows}


def taken(uow: UnitOfWork, owner_id: int) -> Conflict:
    """Give the refusal of an address that a contact has; it names him to who may see him."""
    viewer = uow.viewer
    owner = select(contacts.c.id).where(contacts.c.id == owner_id, visible_people(viewer))
    named = viewer.may(NOUNS["contact"].kind.read) and uow.conn.execute(owner).first() is not None
    if viewer.is_system or named:
        return Conflict(
            "this address belongs to another contact",
            what="address_taken",
            details={"contact_id": str(owner_id)},
        )
    return Conflict(
        "this address is taken by somebody whom you may not see: ask an administrator whose it is",
        what="address_taken",
    )


def own_address(
    uow: UnitOfWork, contact_id: ContactId, address: Address, *, verified: bool
) -> AddressId:
    """Give an address to a contact; one that belongs to another is refused."""
    if not address.value.strip():
        raise Invalid("the address is empty", field="address")
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(addresses).where(
                addresses.c.kind == address.kind, addresses.c.value == address.value
            ),
        )
    ).first()
    if row is not None and row.contact_id not in (0, contact_id):
        raise taken(uow, row.contact_id)
    if row is not None:
        address_id = AddressId(row.id)
        uow.conn.execute(
            update(addresses)
            .where(addresses.c.id == row.id)
            .values(
                contact_id=contact_id,
                origin_id=row.origin_id or contact_id,
                **_vouched(uow, row, verified=verified),
            )
        )
    else:
        address_id = AddressId(uow.new_id())
        uow.conn.execute(
            upsert(uow.dialect, addresses).values(
                id=address_id,
                contact_id=contact_id,
                kind=address.kind[:400],
                value=address.value,
                name=address.name[:400],
                origin_id=contact_id,
                normal=normal_form(address.kind, address.value),
                verified=verified,
                verified_by="hand" if verified else "",
                verified_at=uow.now if verified else 0,
                profile={},
                created_at=uow.now,
            )
        )
    uow.record(AddressChanged(address_id=address_id, contact_id=contact_id, what="added"))
    return address_id


def _vouched(uow: UnitOfWork, row: Row[Any], *, verified: bool) -> dict[str, Any]:
    if row.verified or not verified:
        return {}
    return {"verified": True, "verified_by": "hand", "verified_at": uow.now}


def add_address(uow: UnitOfWork, command: AddAddress) -> AddressId:
    """Give a contact one more address."""
    contact_id = ContactId(lock_contact(uow, command.contact_id).id)
    address_id = own_address(uow, contact_id, command.address, verified=command.verified)
    index_contact(uow, contact_id)
    return address_id


def _lock_address(uow: UnitOfWork, address_id: AddressId) -> Row[Any]:
    """Lock an address; that of a person whom the actor does not see is not found."""
    whose = select(contacts.c.id).where(visible_people(uow.viewer))
    statement = select(addresses).where(addresses.c.id == address_id)
    if not uow.viewer.is_system:
        statement = statement.where(addresses.c.contact_id.in_(whose))
    row = uow.conn.execute(locked(uow.dialect, statement)).first()
    if row is None:
        raise NotFound("there is no such address")
    return row


def remove_address(uow: UnitOfWork, command: RemoveAddress) -> None:
    """Take an address from its contact; a message from it later makes a new contact.

    One that is suppressed stays as nobody's: whoever gets it next, it takes no advertising.
    """
    row = _lock_address(uow, command.address_id)
    shut = select(suppressions.c.address_id).where(suppressions.c.address_id == row.id)
    if uow.conn.execute(shut.limit(1)).first() is None:
        uow.conn.execute(delete(addresses).where(addresses.c.id == row.id))
    else:
        values = {"contact_id": 0, "origin_id": row.contact_id, "name": "", "profile": {}}
        uow.conn.execute(
            update(addresses).where(addresses.c.id == row.id).values(verified=False, **values)
        )
    index_contact(uow, ContactId(row.contact_id))
    uow.record(
        AddressChanged(
            address_id=command.address_id, contact_id=ContactId(row.contact_id), what="removed"
        )
    )


def verify_address(uow: UnitOfWork, command: VerifyAddress) -> None:
    """Say that an address is known to be its contact's, or take that back."""
    row = _lock_address(uow, command.address_id)
    if row.verified is command.verified:
        return
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == row.id)
        .values(
            verified=command.verified,
            verified_by=command.by if command.verified else "",
            verified_at=uow.now if command.verified else 0,
        )
    )
    uow.record(
        AddressChanged(
            address_id=command.address_id,
            contact_id=ContactId(row.contact_id),
            what="verified" if command.verified else "unverified",
        )
    )


def block_address(uow: UnitOfWork, command: BlockAddress) -> None:
    """Refuse messages from an address, or take them again."""
    row = _lock_address(uow, command.address_id)
    uow.conn.execute(
        update(addresses).where(addresses.c.id == row.id).values(blocked=command.reason[:400])
    )
    uow.record(
        AddressChanged(
            address_id=command.address_id,
            contact_id=ContactId(row.contact_id),
            what="blocked" if command.reason else "unblocked",
        )
    )
