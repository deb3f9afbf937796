"""Clients: reading their cards and their people, and carrying out their commands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update

from crm_store import client_addresses, duplicates, object_writes, objects, support_levels
from crm_store.object_fields import last_purchase
from crm_store.objects import NOUNS, visible_people
from crm_store.people import contacts_of
from crm_store.survivors import lock_contact, refuse_merged, survivor_of
from crm_store.tables.people import clients, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from hub.card_addresses import LINES, every
from hub.commands import ChangeClient, CreateClient, RemoveClient
from hub.events import ClientCreated
from hub.ids import ClientId, ContactId, Micros
from hub.records.people import Client, Contact

CLIENT = NOUNS["client"]


def client(reader: Reader, client_id: ClientId) -> Client:
    """Give one client; of a merged one the card that lives on."""
    found: Client = objects.one(reader, CLIENT, survivor_of(reader.conn, clients, client_id))
    return found


def create_client(uow: UnitOfWork, command: CreateClient) -> ClientId:
    """Make a client card."""
    given = {**command.values, "name": command.name, "organisation": command.organisation}
    checked = client_addresses.changed(object_writes.read_values(CLIENT.kind, given, new=True))
    values = support_levels.checked(uow, checked)
    client_id = command.client_id or ClientId(uow.new_id())
    object_writes.create(uow, CLIENT, client_id, values)
    if values.get("addresses"):
        duplicates.index_anew(uow.conn, "client", [client_id])
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
    values = object_writes.read_values(CLIENT.kind, command.values, new=False)
    row = object_writes.lock(uow, CLIENT, command.client_id, command.version)
    version = object_writes.change(uow, CLIENT, row, before_change(uow, row, values))
    if version != row.version:
        changed(uow, row, values)
    return version


def before_change(uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> Mapping[str, object]:
    """Give what is to be written on a locked card: levels that there are, all its addresses;
    raises Conflict for a merged card, on which it would be lost."""
    refuse_merged(row.merged_into)
    return client_addresses.changed(support_levels.checked(uow, values), every(row))


def changed(uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
    """Let a card be found by the addresses that it has now."""
    if "addresses" in values or (row.addresses and not values.keys().isdisjoint(LINES)):
        duplicates.index_anew(uow.conn, "client", [row.id])


def remove_client(uow: UnitOfWork, command: RemoveClient) -> None:
    """Put a client's card into the bin, or take it out; its people keep belonging to it."""
    refuse_merged(object_writes.lock(uow, CLIENT, command.client_id).merged_into)
    object_writes.remove(uow, CLIENT, command.client_id, restore=command.restore)


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
