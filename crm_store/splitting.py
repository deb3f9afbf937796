"""Splitting an address off: it becomes a person of its own, with all that came over it.

A split is written down where merges are, with a kind of its own: the card that it made is the one
that goes into the other when it is undone (`unsplitting.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, insert, select, update

from crm_store import object_writes
from crm_store.merge_pair import CONTACT, SPLIT, ids_of, lock_addresses
from crm_store.merging import note
from crm_store.moves import dialogs_of_addresses, hand_over, move_dialogs
from crm_store.search_index import index_contact
from crm_store.sight import visible_people
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, contacts, merges
from crm_store.unit_of_work import UnitOfWork
from hub.commands import SplitContact
from hub.errors import Conflict, NotFound
from hub.events import (
    ContactChanged,
    ContactCreated,
    ContactSplit,
)
from hub.ids import AddressId, ContactId, MergeId


def split_contact(uow: UnitOfWork, command: SplitContact) -> ContactId:
    """Make an address of a contact a person of its own, with all that came over it."""
    seen = select(contacts.c.id).where(visible_people(uow.viewer))
    address = uow.conn.execute(
        select(addresses.c.contact_id).where(
            addresses.c.id == command.address_id, addresses.c.contact_id.in_(seen)
        )
    ).first()
    if address is None or not address.contact_id:
        raise NotFound("there is no such address")
    lock_addresses(uow, (address.contact_id,))
    row = object_writes.lock(uow, CONTACT, address.contact_id)
    owned = uow.conn.execute(select(addresses).where(addresses.c.contact_id == row.id)).all()
    mine = next((one for one in owned if one.id == command.address_id), None)
    if mine is None:
        raise Conflict("this address went to another contact meanwhile", what="moved")
    if len(owned) == 1:
        raise Conflict("this is the person's only address", what="only_address")
    name = " ".join((command.name or mine.name or mine.value).split())[:400]
    new_id = command.new_contact_id or ContactId(uow.new_id())
    object_writes.create(uow, CONTACT, new_id, {"name": name, "last_at": uow.now})
    uow.record(ContactCreated(contact_id=new_id))
    talks = dialogs_of_addresses(uow, [command.address_id], ContactId(row.id))
    _write_down(uow, mine, new_id, talks)
    hand_over(uow, ContactId(row.id), new_id, [command.address_id])
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == command.address_id)
        .values(origin_id=new_id, matched_by="")
    )
    move_dialogs(uow, talks, new_id)
    hand_objects_over(uow, talks, row.id, new_id)
    uow.conn.execute(
        update(contacts).where(contacts.c.id == row.id).values(version=contacts.c.version + 1)
    )
    for one in (row.id, new_id):
        index_contact(uow, ContactId(one))
    uow.record(ContactChanged(contact_id=ContactId(row.id), fields=("addresses",)))
    uow.record(
        ContactSplit(
            contact_id=ContactId(row.id),
            new_contact_id=new_id,
            address_id=AddressId(command.address_id),
        )
    )
    return new_id


def _write_down(uow: UnitOfWork, address: Any, new_id: ContactId, talks: Sequence[int]) -> None:
    """Keep what goes over to the new card, and what the address knew of itself."""
    split_id = MergeId(uow.new_id())
    uow.conn.execute(
        insert(merges).values(
            id=split_id,
            kind=SPLIT,
            survivor_id=address.contact_id,
            merged_id=new_id,
            at=uow.now,
            actor=str(uow.actor),
            kept={
                "address": address.id,
                "origin": address.origin_id,
                "matched_by": address.matched_by,
            },
        )
    )
    note(uow, split_id, "dialogs", talks)
    moved: dict[str, set[int]] = {}
    for table, made in _made_of(uow, talks, address.contact_id):
        ids = ids_of(uow, select(table.c.id).where(made))
        moved.setdefault(table.name, set()).update(ids)
    for place, found in moved.items():
        note(uow, split_id, place, sorted(found))


def hand_objects_over(uow: UnitOfWork, talks: Sequence[int], source: int, target: int) -> None:
    """Let what was made of some dialogs name the person whose they are now."""
    for table, made in _made_of(uow, talks, source):
        values: dict[str, Any] = {"contact_id": target}
        if "version" in table.c:
            values["version"] = table.c.version + 1
        uow.conn.execute(update(table).where(made).values(values))


def _made_of(
    uow: UnitOfWork, talks: Sequence[int], person: int
) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Give what of each kind, and of plugins' tables that follow people, names a person and was made
    of some dialogs, piece by piece."""
    for start in range(0, len(talks), 500):
        chunk = talks[start : start + 500]
        for noun in uow.tx.nouns.values():
            table = noun.table
            if noun is CONTACT or "contact_id" not in table.c:
                continue
            about = select(dialog_links.c.object_id).where(
                dialog_links.c.kind == noun.kind.name, dialog_links.c.dialog_id.in_(chunk)
            )
            yield table, and_(table.c.id.in_(about), table.c.contact_id == person)
        for table in uow.tx.references.values():
            if "contact_id" in table.c and "dialog_id" in table.c:
                yield table, and_(table.c.dialog_id.in_(chunk), table.c.contact_id == person)
