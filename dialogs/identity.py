"""Who is writing: from an address to a contact, once, however many messages come at once.

The row of the address is the lock. An upsert takes it, so that two first messages of one new
sender, in two processes, meet there and make one contact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from crm_store.rows import insert_returning, insert_rows, read_json, update_rows
from crm_store.sameness import normal_form
from crm_store.search_index import index_contact, index_contacts
from crm_store.survivors import lock_contact
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.events import ContactChanged, ContactCreated
from hub.ids import AddressId, ContactId
from hub.messages import Address, InboundMessage
from hub.terms import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An address as the store knows it, locked by this transaction.

    Addresses of one `origin_id` are one chat under several names; others of the same contact,
    who was merged of two, are chats apart.
    """

    address_id: AddressId
    contact_id: ContactId
    new: bool
    origin_id: ContactId = ContactId(0)
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


# How an address was verified first stays: a later proof changes nothing.
_KNOWN_OR_NEW = """
ON CONFLICT (kind, value) DO UPDATE SET
    name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE addresses.name END,
    verified_by = CASE WHEN addresses.verified
        THEN addresses.verified_by ELSE excluded.verified_by END,
    verified_at = CASE WHEN addresses.verified
        THEN addresses.verified_at ELSE excluded.verified_at END,
    verified = addresses.verified OR excluded.verified
RETURNING id, contact_id, origin_id, kind, value, name, profile
"""
Key = tuple[str, str]
Link = tuple[int, ContactId, ContactId, str]
"""An address that gets an owner: its id, the contact, its origin, what it was matched by."""
Aliases = Mapping[Key, Sequence[Address]]


def aliases_of(messages: Sequence[InboundMessage]) -> Aliases:
    """Give the other addresses of the senders, keyed by (kind, value) of the sender."""
    return {
        (one.sender.kind, one.sender.value): one.aliases
        for one in messages
        if one.aliases and not one.group
    }


def identify(
    uow: UnitOfWork,
    partners: Sequence[Address],
    aliases: Aliases | None = None,
    vouched: Collection[Key] = (),
    told: Collection[Key] = (),
) -> dict[tuple[str, str], Peer]:
    """Find or create the contact behind each address; keyed by (kind, value).

    A new address whose alias is known belongs to the alias's contact. Two that are known as
    two people stay two: to merge them is for people to decide. `vouched` are the addresses whose
    network lets nobody else write from them: those are verified. `told` are those that their own
    channel told, not a form: a new one of them whose phone or e-mail exactly one person has is his.
    """
    aliases = aliases or {}
    by_key = {(one.kind, one.value): one for more in aliases.values() for one in more}
    by_key |= {(one.kind, one.value): one for one in partners}
    # Sorted, so that two transactions lock the same rows in the same order.
    keys = sorted(by_key)
    rows = insert_returning(
        uow.conn,
        addresses,
        [
            {
                "id": uow.new_id(),
                "contact_id": 0,
                "kind": kind,
                "value": value,
                "name": by_key[kind, value].name[:400],
                "normal": normal_form(kind, value),
                "verified": (kind, value) in vouched,
                "verified_by": "channel" if (kind, value) in vouched else "",
                "verified_at": uow.now if (kind, value) in vouched else 0,
                "profile": {},
                "created_at": uow.now,
            }
            for kind, value in keys
        ],
        _KNOWN_OR_NEW,
    )
    known = {(row.kind, row.value): ContactId(row.contact_id) for row in rows}
    matched = _matched(uow, [key for key, owner in known.items() if not owner and key in told])
    found, created = _contacts(uow, known, aliases, matched)
    joined = {found[key] for key, owner in known.items() if not owner} - set(created)
    living = {one: _living(uow, one) for one in sorted(joined)}
    found = {key: living.get(one, one) for key, one in found.items()}
    origins = _origins(rows, found)
    peers: dict[tuple[str, str], Peer] = {}
    linked: list[Link] = []
    for row in rows:
        contact_id = found[row.kind, row.value]
        peers[row.kind, row.value] = Peer(
            address_id=AddressId(row.id),
            contact_id=contact_id,
            new=contact_id in created,
            origin_id=origins[row.kind, row.value],
            name=row.name,
            profile=read_json(row.profile),
        )
        if not row.contact_id:
            how = matched.get((row.kind, row.value), ("", 0))[0]
            linked.append((row.id, contact_id, origins[row.kind, row.value], how))
    by_id = {row.id: by_key[row.kind, row.value] for row in rows}
    _create(uow, {one: by_key[key] for one, key in created.items()}, linked, by_id)
    return peers


def _matched(uow: UnitOfWork, keys: Sequence[Key]) -> dict[Key, tuple[str, ContactId]]:
    """Give whose phone or e-mail each new address is, in another spelling or on another network.

    Only where exactly one person has it; of several a colleague is asked (crm_store/duplicates).
    """
    normals = {key: normal for key in keys if (normal := normal_form(*key))}
    if not normals:
        return {}
    owners: dict[str, set[int]] = {}
    for row in uow.conn.execute(
        select(addresses.c.normal, addresses.c.contact_id).where(
            addresses.c.normal.in_(sorted(set(normals.values()))), addresses.c.contact_id != 0
        )
    ):
        owners.setdefault(row.normal, set()).add(row.contact_id)
    return {
        key: ("email" if normal.startswith("e:") else "phone", ContactId(min(owners[normal])))
        for key, normal in normals.items()
        if len(owners.get(normal, ())) == 1
    }


def _contacts(
    uow: UnitOfWork,
    known: Mapping[Key, ContactId],
    aliases: Aliases,
    matched: Mapping[Key, tuple[str, ContactId]],
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
            guessed = {matched[key][1] for key in members if key in matched}
            contact_id = guessed.pop() if len(guessed) == 1 else contact_id
        if not contact_id:
            contact_id = ContactId(uow.new_id())
            created[contact_id] = members[0]
        for key in members:
            found[key] = found[key] or contact_id
    return found, created


def _living(uow: UnitOfWork, contact_id: ContactId) -> ContactId:
    """Lock somebody who gets a new address; who was merged meanwhile lives on in another."""
    return ContactId(lock_contact(uow, contact_id).id)


def _origins(rows: Sequence[Any], found: Mapping[Key, ContactId]) -> dict[Key, ContactId]:
    """Give each address its origin; a new one has that of the alias it came with."""
    known = {ContactId(row.contact_id): ContactId(row.origin_id) for row in rows if row.contact_id}
    return {
        (row.kind, row.value): ContactId(row.origin_id)
        or known.get(found[row.kind, row.value], found[row.kind, row.value])
        for row in rows
    }


def _create(
    uow: UnitOfWork,
    created: Mapping[ContactId, Address],
    linked: Sequence[Link],
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
    insert_rows(uow.conn, contacts, people)
    # Their rows are locked since the upsert.
    update_rows(
        uow.conn,
        addresses,
        [
            {
                "id": address_id,
                "contact_id": contact_id,
                "origin_id": origin_id,
                "matched_by": how,
            }
            for address_id, contact_id, origin_id, how in linked
        ],
    )
    index_contacts(uow.conn, [(one, [each.name, each.value]) for one, each in created.items()])
    named = {one: by_id[address_id].name for address_id, one, _, _ in linked if one not in created}
    for contact_id, name in named.items():
        if name:
            _name(uow, contact_id, name[:400])
    counted = Counter(contact_id for _, contact_id, _, _ in linked)
    for contact_id, count in counted.items():
        if contact_id not in created or count > 1:
            index_contact(uow, contact_id)


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
