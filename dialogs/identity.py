"""Who is writing: from an address to a contact, once, however many messages come at once.

The row of the address is the lock. An upsert takes it, so that two first messages of one new
sender, in two processes, meet there and make one contact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, case, insert, select, update

from crm_store.people import reindex
from crm_store.search_index import index_contacts
from crm_store.sql import upsert
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.events import ContactChanged, ContactCreated
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


Key = tuple[str, str]
Aliases = Mapping[Key, Sequence[Address]]


def aliases_of(messages: Sequence[InboundMessage]) -> Aliases:
    """Give the other addresses of the senders, keyed by (kind, value) of the sender."""
    return {
        (one.sender.kind, one.sender.value): one.aliases
        for one in messages
        if one.aliases and not one.group
    }


def identify(
    uow: UnitOfWork, partners: Sequence[Address], aliases: Aliases | None = None
) -> dict[tuple[str, str], Peer]:
    """Find or create the contact behind each address; keyed by (kind, value).

    A new address whose alias is known belongs to the alias's contact. Two that are known as
    two people stay two: to merge them is for people to decide.
    """
    aliases = aliases or {}
    by_key = {(one.kind, one.value): one for more in aliases.values() for one in more}
    by_key |= {(one.kind, one.value): one for one in partners}
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
    known = {(row.kind, row.value): ContactId(row.contact_id) for row in rows}
    found, created = _contacts(uow, known, aliases)
    peers: dict[tuple[str, str], Peer] = {}
    linked: list[tuple[int, ContactId]] = []
    for row in rows:
        contact_id = found[row.kind, row.value]
        peers[row.kind, row.value] = Peer(
            address_id=AddressId(row.id),
            contact_id=contact_id,
            new=contact_id in created,
            name=row.name,
            profile=row.profile,
        )
        if not row.contact_id:
            linked.append((row.id, contact_id))
    by_id = {row.id: by_key[row.kind, row.value] for row in rows}
    _create(uow, {one: by_key[key] for one, key in created.items()}, linked, by_id)
    return peers


def _contacts(
    uow: UnitOfWork, known: Mapping[Key, ContactId], aliases: Aliases
) -> tuple[dict[Key, ContactId], dict[ContactId, Key]]:
    """Say whose each address is, and which contacts have to be made, each with its address."""
    found = dict(known)
    created: dict[ContactId, Key] = {}
    groups = [
        [key, *((one.kind, one.value) for one in more)] for key, more in sorted(aliases.items())
    ]
    for members in (*groups, *([key] for key in known)):
        contact_id = next((found[key] for key in members if found[key]), ContactId(0))
        if not contact_id:
            contact_id = ContactId(uow.new_id())
            created[contact_id] = members[0]
        for key in members:
            found[key] = found[key] or contact_id
    return found, created


def _create(
    uow: UnitOfWork,
    created: Mapping[ContactId, Address],
    linked: Sequence[tuple[int, ContactId]],
    by_id: Mapping[int, Address],
) -> None:
    """Make contacts, and give them and known ones their new addresses."""
    if not linked:
        return
    people = []
    for contact_id, address in created.items():
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
    if people:
        uow.conn.execute(insert(contacts), people)
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == bindparam("b_id"))
        .values(contact_id=bindparam("b_contact")),
        [{"b_id": address_id, "b_contact": contact_id} for address_id, contact_id in linked],
    )
    index_contacts(uow.conn, [(one, [each.name, each.value]) for one, each in created.items()])
    named = {one: by_id[address_id].name for address_id, one in linked if one not in created}
    for contact_id, name in named.items():
        if name:
            _name(uow, contact_id, name[:400])
    counted = Counter(contact_id for _, contact_id in linked)
    for contact_id, count in counted.items():
        if contact_id not in created or count > 1:
            reindex(uow, contact_id)


def _name(uow: UnitOfWork, contact_id: ContactId, name: str) -> None:
    """Name a contact that so far bears only an address of his; what a colleague wrote stays."""
    bare = select(addresses.c.value).where(addresses.c.contact_id == contact_id)
    done = uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == contact_id, contacts.c.name.in_(bare))
        .values(name=name, name_folded=fold(name)[:400], version=contacts.c.version + 1)
    )
    if done.rowcount:
        uow.record(ContactChanged(contact_id=contact_id, fields=("name",)))


def blocked_reason(uow: UnitOfWork, address_id: AddressId) -> str:
    """Give why an address is blocked, "" where it is not."""
    return str(
        uow.conn.execute(select(addresses.c.blocked).where(addresses.c.id == address_id)).scalar()
        or ""
    )
