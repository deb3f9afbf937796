"""Contacts: reading them with their addresses, and carrying out their commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, select

from crm_store import custom, object_writes, objects
from crm_store.addresses import own_address
from crm_store.objects import NOUNS, visible_people
from crm_store.rows import among, listed
from crm_store.search_index import index_contact
from crm_store.sql import page_key
from crm_store.survivors import living, lock_contact, survivor_of
from crm_store.tables.people import addresses, clients, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from hub.commands import CreateContact, UpdateContact
from hub.errors import Conflict, Invalid, NotFound
from hub.events import ContactChanged, ContactCreated
from hub.ids import AddressId, ContactId, Micros
from hub.records.objects import ObjectPage
from hub.records.people import AddressRecord, Contact

CONTACT = NOUNS["contact"]
FIELDS = ("name", "language", "time_zone", "notes", "position")


def contact(reader: Reader, contact_id: ContactId) -> Contact:
    """Give one contact with its addresses; of a merged one the card that lives on."""
    found = contacts_of(reader, [contact_id])
    if not found or found[0].merged_into:
        found = contacts_of(reader, [living(reader.conn, contact_id)])
    if not found:
        raise NotFound("there is no such contact")
    return found[0]


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


# -- commands ------------------------------------------------------------------------------


def create_contact(uow: UnitOfWork, command: CreateContact) -> ContactId:
    """Add a human."""
    given = {**command.values, "name": _name(command.name)}
    if command.client_id:
        given["client_id"] = survivor_of(uow.conn, clients, command.client_id)
    values = object_writes.read_values(CONTACT.kind, given, new=True)
    contact_id = command.contact_id or ContactId(uow.new_id())
    object_writes.create(uow, CONTACT, contact_id, {**values, "last_at": uow.now})
    uow.record(ContactCreated(contact_id=contact_id))
    for one in command.addresses:
        own_address(uow, contact_id, one, verified=False)
    index_contact(uow, contact_id)
    return contact_id


def add_contact(uow: UnitOfWork, command: CreateContact) -> ContactId:
    """Add a human whom the actor sees afterwards: nobody makes a card that is lost to himself."""
    contact_id = create_contact(uow, command)
    try:
        lock_contact(uow, contact_id)
    except NotFound:
        raise Invalid(
            "you would not see this person: first add a client of yours, then its person",
            field="client_id",
        ) from None
    return contact_id


def _name(given: str) -> str:
    name = " ".join(given.split())[:400]
    if not name:
        raise Invalid("a name is needed", field="name")
    return name


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
        index_contact(uow, contact_id)
    uow.record(ContactChanged(contact_id=contact_id, fields=fields))


def _reader(uow: UnitOfWork) -> Reader:
    return Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
