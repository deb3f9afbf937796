"""Contacts, their addresses and clients: reading them and carrying out their commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from crm_store import objects
from crm_store.objects import NOUNS
from crm_store.search_index import index_contacts
from crm_store.sql import locked, page_key, upsert
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    AddAddress,
    BlockAddress,
    ChangeClient,
    CreateClient,
    CreateContact,
    RemoveAddress,
    RemoveClient,
    UpdateContact,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import (
    AddressChanged,
    ClientCreated,
    ContactChanged,
    ContactCreated,
    ObjectChanged,
)
from hub.ids import AddressId, ClientId, ContactId, Micros
from hub.messages import Address
from hub.objects import Change
from hub.records.people import AddressRecord, Client, Contact
from hub.terms import fold

CLIENT = NOUNS["client"]
FIELDS = ("name", "language", "time_zone", "notes", "position")


def contact(reader: Reader, contact_id: ContactId) -> Contact:
    """Give one contact with its addresses."""
    found = contacts_of(reader, [contact_id])
    if not found:
        raise NotFound("there is no such contact")
    return found[0]


def contacts_of(reader: Reader, ids: Sequence[ContactId]) -> list[Contact]:
    """Give contacts by id, in the order asked for."""
    rows = {
        row.id: row for row in reader.conn.execute(select(contacts).where(contacts.c.id.in_(ids)))
    }
    owned = _addresses(reader, ids)
    return [_contact(rows[one], owned.get(one, ())) for one in ids if one in rows]


def contacts_page(reader: Reader, before: str = "", limit: int = 50) -> tuple[list[Contact], str]:
    """Give contacts, the last heard from first, and the key of the next page."""
    statement = select(contacts).order_by(contacts.c.last_at.desc(), contacts.c.id.desc())
    statement = statement.where(contacts.c.name != "")
    if before:
        at, number = page_key(before)
        statement = statement.where(
            (contacts.c.last_at < at) | ((contacts.c.last_at == at) & (contacts.c.id < number))
        )
    rows = reader.conn.execute(statement.limit(limit + 1)).all()
    more, rows = len(rows) > limit, rows[:limit]
    owned = _addresses(reader, [row.id for row in rows])
    found = [_contact(row, owned.get(row.id, ())) for row in rows]
    return found, f"{rows[-1].last_at}-{rows[-1].id}" if more else ""


def _addresses(reader: Reader, ids: Sequence[int]) -> dict[int, tuple[AddressRecord, ...]]:
    found: dict[int, list[AddressRecord]] = {}
    for row in reader.conn.execute(
        select(addresses).where(addresses.c.contact_id.in_(ids)).order_by(addresses.c.id)
    ):
        found.setdefault(row.contact_id, []).append(
            AddressRecord(
                id=AddressId(row.id),
                kind=row.kind,
                value=row.value,
                name=row.name,
                verified=row.verified,
                blocked=row.blocked,
                profile={
                    name: value for name, value in row.profile.items() if isinstance(value, str)
                },
            )
        )
    return {key: tuple(value) for key, value in found.items()}


def _contact(row: Row[Any], owned: Sequence[AddressRecord]) -> Contact:
    return Contact(
        id=ContactId(row.id),
        client_id=ClientId(row.client_id),
        name=row.name,
        language=row.language,
        time_zone=row.time_zone,
        position=row.position,
        notes=row.notes,
        created_at=Micros(row.created_at),
        last_at=Micros(row.last_at),
        version=row.version,
        addresses=tuple(owned),
    )


def contacts_by_address(reader: Reader, value: str) -> list[ContactId]:
    """Give the contacts that have an address, whatever network it is on."""
    found = reader.conn.execute(
        select(addresses.c.contact_id).where(addresses.c.value == value.strip()).distinct()
    )
    return [ContactId(one) for one in found.scalars()]


def client(reader: Reader, client_id: ClientId) -> Client:
    """Give one client."""
    found: Client = objects.one(reader, CLIENT, client_id)
    return found


def clients_page(reader: Reader, before: str = "", limit: int = 50) -> tuple[list[Client], str]:
    """Give clients, the newest first, and the key of the next page."""
    if before:
        number = page_key(f"0-{before}")[1]
        before = f"{number}~{number}"
    found = objects.page(reader, CLIENT, objects.ObjectQuery(before=before, limit=limit))
    return list(found.items), found.next.partition("~")[0]


def blocked_addresses(conn: Connection) -> dict[tuple[str, str], str]:
    """Give every blocked address with its reason."""
    rows = conn.execute(
        select(addresses.c.kind, addresses.c.value, addresses.c.blocked).where(
            addresses.c.blocked != ""
        )
    )
    return {(row.kind, row.value): row.blocked for row in rows}


# -- commands ------------------------------------------------------------------------------


def create_contact(uow: UnitOfWork, command: CreateContact) -> ContactId:
    """Add a human."""
    name = _name(command.name)
    contact_id = command.contact_id or ContactId(uow.new_id())
    uow.conn.execute(
        insert(contacts).values(
            id=contact_id,
            client_id=command.client_id,
            name=name,
            name_folded=fold(name)[:400],
            created_at=uow.now,
            last_at=uow.now,
        )
    )
    uow.record(ContactCreated(contact_id=contact_id))
    for one in command.addresses:
        _own(uow, contact_id, one, verified=False)
    reindex(uow, contact_id)
    return contact_id


def _name(given: str) -> str:
    name = " ".join(given.split())[:400]
    if not name:
        raise Invalid("a name is needed", field="name")
    return name


def _own(uow: UnitOfWork, contact_id: ContactId, address: Address, *, verified: bool) -> AddressId:
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
        raise Conflict(
            "this address belongs to another contact",
            what="address_taken",
            details={"contact_id": str(row.contact_id)},
        )
    if row is not None:
        address_id = AddressId(row.id)
        uow.conn.execute(
            update(addresses)
            .where(addresses.c.id == row.id)
            .values(contact_id=contact_id, verified=row.verified or verified)
        )
    else:
        address_id = AddressId(uow.new_id())
        uow.conn.execute(
            upsert(uow.dialect, addresses).values(
                id=address_id,
                contact_id=contact_id,
                kind=address.kind[:400],
                value=address.value[:400],
                name=address.name[:400],
                verified=verified,
                profile={},
                created_at=uow.now,
            )
        )
    uow.record(AddressChanged(address_id=address_id, contact_id=contact_id, what="added"))
    return address_id


def reindex(uow: UnitOfWork, contact_id: ContactId) -> None:
    """Make a contact's search entries again from its name and addresses."""
    name = uow.conn.execute(select(contacts.c.name).where(contacts.c.id == contact_id)).scalar()
    if name is None:
        return
    owned = uow.conn.execute(
        select(addresses.c.name, addresses.c.value).where(addresses.c.contact_id == contact_id)
    ).all()
    texts = [name, *(part for row in owned for part in (row.name, row.value) if part)]
    index_contacts(uow.conn, [(contact_id, texts)])


def _lock(uow: UnitOfWork, contact_id: ContactId) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(contacts).where(contacts.c.id == contact_id))
    ).first()
    if row is None:
        raise NotFound("there is no such contact")
    return row


def update_contact(uow: UnitOfWork, command: UpdateContact) -> int:
    """Change fields of a contact; gives its new version."""
    row = _lock(uow, command.contact_id)
    if command.version is not None and command.version != row.version:
        raise Conflict(
            "the contact was changed meanwhile",
            what="version",
            details={name: getattr(row, name) for name in FIELDS},
        )
    values: dict[str, Any] = {}
    for name in FIELDS:
        given = getattr(command, name)
        if given is not None and given != getattr(row, name):
            values[name] = _name(given) if name == "name" else given.strip()
    if not values:
        return int(row.version)
    changes = tuple(
        Change(
            kind="contact",
            id=row.id,
            field=name,
            before=_shown(name, getattr(row, name)),
            after=_shown(name, value),
        )
        for name, value in values.items()
    )
    if "name" in values:
        values["name_folded"] = fold(values["name"])[:400]
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == row.id)
        .values(version=contacts.c.version + 1, **values)
    )
    if "name" in values:
        reindex(uow, command.contact_id)
    uow.record(
        ContactChanged(contact_id=command.contact_id, fields=tuple(one.field for one in changes))
    )
    uow.record(ObjectChanged(object_kind="contact", object_id=row.id, changes=changes))
    return int(row.version) + 1


def _shown(name: str, value: str) -> str | None:
    """The journal keeps no personal text: of such a field only that it changed."""
    return None if name in ("name", "notes", "position") else value


def add_address(uow: UnitOfWork, command: AddAddress) -> AddressId:
    """Give a contact one more address."""
    _lock(uow, command.contact_id)
    address_id = _own(uow, command.contact_id, command.address, verified=command.verified)
    reindex(uow, command.contact_id)
    return address_id


def _lock_address(uow: UnitOfWork, address_id: AddressId) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(addresses).where(addresses.c.id == address_id))
    ).first()
    if row is None:
        raise NotFound("there is no such address")
    return row


def remove_address(uow: UnitOfWork, command: RemoveAddress) -> None:
    """Take an address from its contact; a message from it later makes a new contact."""
    row = _lock_address(uow, command.address_id)
    uow.conn.execute(delete(addresses).where(addresses.c.id == row.id))
    reindex(uow, ContactId(row.contact_id))
    uow.record(
        AddressChanged(
            address_id=command.address_id, contact_id=ContactId(row.contact_id), what="removed"
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


def create_client(uow: UnitOfWork, command: CreateClient) -> ClientId:
    """Make a client card."""
    given = {**command.values, "name": command.name, "organisation": command.organisation}
    values = objects.read_values(CLIENT.kind, given, new=True)
    client_id = command.client_id or ClientId(uow.new_id())
    objects.create(uow, CLIENT, client_id, values)
    if command.contact_id:
        _lock(uow, command.contact_id)
        uow.conn.execute(
            update(contacts)
            .where(contacts.c.id == command.contact_id)
            .values(client_id=client_id, version=contacts.c.version + 1)
        )
    uow.record(ClientCreated(client_id=client_id))
    return client_id


def change_client(uow: UnitOfWork, command: ChangeClient) -> int:
    """Change properties of a client; gives its new version."""
    values = objects.read_values(CLIENT.kind, command.values, new=False)
    row = objects.lock(uow, CLIENT, command.client_id, command.version)
    return objects.change(uow, CLIENT, row, values)


def remove_client(uow: UnitOfWork, command: RemoveClient) -> None:
    """Put a client's card into the bin, or take it out; its people keep belonging to it."""
    objects.remove(uow, CLIENT, command.client_id, restore=command.restore)


def people_of(reader: Reader, client_id: ClientId) -> list[Contact]:
    """Give the contact persons of a client, by name."""
    reader.viewer.need("contacts.view")
    found = reader.conn.execute(
        select(contacts.c.id)
        .where(contacts.c.client_id == client_id, contacts.c.name != "")
        .order_by(contacts.c.name_folded, contacts.c.id)
        .limit(200)
    )
    return contacts_of(reader, [ContactId(one) for one in found.scalars()])
