"""Contacts, their addresses and clients: reading them and carrying out their commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)

from crm_store import custom, object_writes, objects, support_levels
from crm_store.object_fields import last_purchase
from crm_store.objects import NOUNS, visible_people
from crm_store.rows import among, listed
from crm_store.sameness import normal_form
from crm_store.search_index import index_contacts
from crm_store.sql import locked, page_key, upsert
from crm_store.tables.people import addresses, clients, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from hub.commands import (
    AddAddress,
    BlockAddress,
    ChangeClient,
    CreateClient,
    CreateContact,
    RemoveAddress,
    RemoveClient,
    UpdateContact,
    VerifyAddress,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import (
    AddressChanged,
    ClientCreated,
    ContactChanged,
    ContactCreated,
)
from hub.ids import AddressId, ClientId, ContactId, Micros, bounded_key
from hub.messages import Address
from hub.records.objects import ObjectPage
from hub.records.people import AddressRecord, Client, Contact

CLIENT, CONTACT = NOUNS["client"], NOUNS["contact"]
MOST_MERGES = 50
FIELDS = ("name", "language", "time_zone", "notes", "position")


def contact(reader: Reader, contact_id: ContactId) -> Contact:
    """Give one contact with its addresses; of a merged one the card that lives on."""
    found = contacts_of(reader, [contact_id])
    if not found or found[0].merged_into:
        found = contacts_of(reader, [living(reader.conn, contact_id)])
    if not found:
        raise NotFound("there is no such contact")
    return found[0]


def living(conn: Connection, contact_id: ContactId) -> ContactId:
    """Give the contact that one was merged into, or itself."""
    return ContactId(survivor_of(conn, contacts, contact_id))


def survivor_of(conn: Connection, table: Table, object_id: int) -> int:
    """Follow merges of contacts or clients to the card that lives on."""
    for _ in range(MOST_MERGES):
        further = conn.execute(_merged_into(table), {"card": object_id}).scalar()
        if not further:
            break
        object_id = int(further)
    return object_id


@cache
def _merged_into(table: Table) -> Select[Any]:
    return select(table.c.merged_into).where(table.c.id == bindparam("card"))


@lru_cache(256)
def _contacts(viewer: Viewer, dialect: str) -> Select[Any]:
    """Make the question once for each viewer: every open dialog asks it."""
    return select(contacts).where(among(dialect, contacts.c.id, "contacts"), visible_people(viewer))


@cache
def _their_addresses(dialect: str) -> Select[Any]:
    whose = among(dialect, addresses.c.contact_id, "contacts")
    return select(addresses).where(whose).order_by(addresses.c.id)


def contacts_of(reader: Reader, ids: Sequence[ContactId]) -> list[Contact]:
    """Give contacts by id, in the order asked for."""
    dialect = reader.conn.dialect.name
    given = {"contacts": listed(dialect, ids)}
    rows = reader.conn.execute(_contacts(reader.viewer.sight, dialect), given).all()
    found = {one.id: one for one in with_addresses(reader, objects.records(reader, CONTACT, rows))}
    return [found[one] for one in ids if one in found]


def with_addresses(reader: Reader, found: Sequence[Contact]) -> list[Contact]:
    """Give contacts with their addresses, in the same order."""
    owned = _addresses(reader, [one.id for one in found])
    return [replace(one, addresses=owned.get(one.id, ())) for one in found]


def contacts_page(reader: Reader, before: str = "", limit: int = 50) -> tuple[list[Contact], str]:
    """Give contacts, the last heard from first, and the key of the next page."""
    if before:
        heard, number = page_key(before)
        before = f"{number}~{heard}"
    found = contacts_list(reader, objects.ObjectQuery(before=before, limit=limit))
    last, _, at = found.next.partition("~")
    return list(found.items), f"{at}-{last}" if found.next else ""


def contacts_list(reader: Reader, query: objects.ObjectQuery) -> ObjectPage[Contact]:
    """Give a page of contacts with their addresses, filtered and sorted as every list."""
    found = objects.page(reader, CONTACT, query)
    return replace(found, items=tuple(with_addresses(reader, found.items)))


def _addresses(reader: Reader, ids: Sequence[int]) -> dict[int, tuple[AddressRecord, ...]]:
    found: dict[int, list[AddressRecord]] = {}
    dialect = reader.conn.dialect.name
    given = {"contacts": listed(dialect, ids)}
    for row in reader.conn.execute(_their_addresses(dialect), given):
        found.setdefault(row.contact_id, []).append(
            AddressRecord(
                id=AddressId(row.id),
                kind=row.kind,
                value=row.value,
                name=row.name,
                verified=row.verified,
                blocked=row.blocked,
                verified_by=row.verified_by,
                verified_at=Micros(row.verified_at),
                matched_by=row.matched_by,
                profile={
                    name: value for name, value in row.profile.items() if isinstance(value, str)
                },
            )
        )
    return {key: tuple(value) for key, value in found.items()}


def contacts_by_address(reader: Reader, value: str) -> list[ContactId]:
    """Give the contacts that have an address, whatever network it is on."""
    found = reader.conn.execute(
        select(addresses.c.contact_id)
        .where(addresses.c.value == bounded_key(value.strip()))
        .distinct()
    )
    return [ContactId(one) for one in found.scalars()]


def client(reader: Reader, client_id: ClientId) -> Client:
    """Give one client; of a merged one the card that lives on."""
    found: Client = objects.one(reader, CLIENT, survivor_of(reader.conn, clients, client_id))
    return found


def address_values(reader: Reader, contact_id: ContactId) -> list[str]:
    """Give the values of a contact's addresses, whoever asks."""
    found = reader.conn.execute(
        select(addresses.c.value).where(addresses.c.contact_id == contact_id)
    )
    return list(found.scalars())


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
    given = {**command.values, "name": _name(command.name)}
    if command.client_id:
        given["client_id"] = command.client_id
    values = object_writes.read_values(CONTACT.kind, given, new=True)
    contact_id = command.contact_id or ContactId(uow.new_id())
    object_writes.create(uow, CONTACT, contact_id, {**values, "last_at": uow.now})
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


def lock_contact(uow: UnitOfWork, contact_id: ContactId) -> Row[Any]:
    """Lock a contact's row, of a merged one that of the card that lives on."""
    for _ in range(MOST_MERGES):
        row = uow.conn.execute(
            locked(
                uow.dialect,
                select(contacts).where(contacts.c.id == contact_id, visible_people(uow.viewer)),
            )
        ).first()
        if row is None:
            raise NotFound("there is no such contact")
        if not row.merged_into:
            return row
        contact_id = ContactId(row.merged_into)
    raise NotFound("there is no such contact")


def update_contact(uow: UnitOfWork, command: UpdateContact) -> int:
    """Change fields of a contact; gives its new version."""
    row = lock_contact(uow, command.contact_id)
    if command.version is not None and command.version != row.version:
        raise Conflict(
            "the contact was changed meanwhile",
            what="version",
            details={name: getattr(row, name) for name in FIELDS},
        )
    given = dict(command.values)
    given |= {name: getattr(command, name) for name in FIELDS if getattr(command, name) is not None}
    if "name" in given:
        given["name"] = _name(str(given["name"] or ""))
    values = object_writes.read_values(CONTACT.kind, given, new=False)
    before = objects.records(_reader(uow), CONTACT, [row])[0]
    own, _ = custom.split(values)
    changed = tuple(name for name, value in own.items() if getattr(before, name) != value)
    version = object_writes.change(uow, CONTACT, row, values)
    if version != row.version:
        contact_changed(uow, ContactId(row.id), changed)
    return version


def contact_changed(uow: UnitOfWork, contact_id: ContactId, fields: tuple[str, ...]) -> None:
    """Say that a contact's card changed, and find it by its new name."""
    if "name" in fields:
        reindex(uow, contact_id)
    uow.record(ContactChanged(contact_id=contact_id, fields=fields))


def _reader(uow: UnitOfWork) -> Reader:
    return Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)


def add_address(uow: UnitOfWork, command: AddAddress) -> AddressId:
    """Give a contact one more address."""
    contact_id = ContactId(lock_contact(uow, command.contact_id).id)
    address_id = _own(uow, contact_id, command.address, verified=command.verified)
    reindex(uow, contact_id)
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
    """Take an address from its contact; a message from it later makes a new contact."""
    row = _lock_address(uow, command.address_id)
    uow.conn.execute(delete(addresses).where(addresses.c.id == row.id))
    reindex(uow, ContactId(row.contact_id))
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


def create_client(uow: UnitOfWork, command: CreateClient) -> ClientId:
    """Make a client card."""
    given = {**command.values, "name": command.name, "organisation": command.organisation}
    values = support_levels.checked(uow, object_writes.read_values(CLIENT.kind, given, new=True))
    client_id = command.client_id or ClientId(uow.new_id())
    object_writes.create(uow, CLIENT, client_id, values)
    if command.contact_id:
        person = lock_contact(uow, command.contact_id)
        uow.conn.execute(
            update(contacts)
            .where(contacts.c.id == person.id)
            .values(client_id=client_id, version=contacts.c.version + 1)
        )
    uow.record(ClientCreated(client_id=client_id))
    return client_id


def change_client(uow: UnitOfWork, command: ChangeClient) -> int:
    """Change properties of a client; gives its new version."""
    values = support_levels.checked(
        uow, object_writes.read_values(CLIENT.kind, command.values, new=False)
    )
    row = object_writes.lock(uow, CLIENT, command.client_id, command.version)
    return object_writes.change(uow, CLIENT, row, values)


def remove_client(uow: UnitOfWork, command: RemoveClient) -> None:
    """Put a client's card into the bin, or take it out; its people keep belonging to it."""
    refuse_merged(object_writes.lock(uow, CLIENT, command.client_id))
    object_writes.remove(uow, CLIENT, command.client_id, restore=command.restore)


def refuse_merged(row: Any) -> None:
    """Refuse work on a card that became a part of another one."""
    if row.merged_into:
        raise Conflict(
            "this card was merged into another one: undo the merge instead",
            what="merged",
            details={"into": str(row.merged_into)},
        )


def last_dealings(reader: Reader, client_id: ClientId) -> tuple[Micros, Micros]:
    """Give when anybody of a client was heard from last, and when it bought last; 0 for never."""
    reader.viewer.need("contacts.view")
    heard, bought = reader.conn.execute(_dealt(reader.viewer.sight), {"client": client_id}).one()
    return Micros(heard or 0), Micros(bought or 0)


@lru_cache(256)
def _dealt(viewer: Viewer) -> Select[Any]:
    client: ColumnElement[int] = bindparam("client")
    theirs = select(func.max(contacts.c.last_at)).where(
        contacts.c.client_id == client, visible_people(viewer)
    )
    return select(theirs.scalar_subquery().label("heard"), last_purchase(client).label("bought"))


_OF_CLIENT = (
    select(contacts.c.id)
    .where(contacts.c.client_id == bindparam("client"), contacts.c.deleted_at == 0)
    .order_by(contacts.c.is_key.desc(), contacts.c.name_folded, contacts.c.id)
    .limit(200)
)


def people_of(reader: Reader, client_id: ClientId) -> list[Contact]:
    """Give the contact persons of a client, key persons first."""
    reader.viewer.need("contacts.view")
    found = reader.conn.execute(_OF_CLIENT, {"client": client_id})
    return contacts_of(reader, [ContactId(one) for one in found.scalars()])
