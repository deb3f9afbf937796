"""Taking a split back: the address, with all that went with it, is the first card's again.

What came over the address since goes back with it, and what was made of its dialogs. Anything else
that was done to the card of the split would be lost or guessed at, so it is refused in words.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select, update

from crm_store import consents, frequency, object_writes
from crm_store.in_use import in_use
from crm_store.merge_pair import (
    CONTACT,
    SPLIT,
    Pair,
    ids_of,
    lock_addresses,
    places_in,
    pointing_at,
    points_at,
)
from crm_store.moves import hand_over, move_dialogs
from crm_store.search_index import index_contact, remove_contact
from crm_store.splitting import hand_objects_over
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_people
from crm_store.tables.people import addresses, contacts, merge_moves, merges
from crm_store.tables.segments import segment_members, segments
from crm_store.unit_of_work import UnitOfWork
from hub.commands import UndoSplit
from hub.errors import Conflict, NotFound
from hub.events import ContactChanged, ContactUnsplit
from hub.ids import AddressId, ContactId


def undo_split(uow: UnitOfWork, command: UndoSplit) -> ContactId:
    """Give all of a card that a split made back to the first; gives the id of that one."""
    split, pair = _pair_of(uow, command.contact_id)
    own, new = ContactId(pair.survivor.id), ContactId(pair.merged.id)
    address_id = AddressId(split.kept["address"])
    talks = _dialogs_of(uow, split, address_id)
    hand_over(uow, new, own, [address_id])
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == address_id)
        .values(origin_id=split.kept["origin"], matched_by=split.kept["matched_by"])
    )
    move_dialogs(uow, talks, own)
    hand_objects_over(uow, talks, new, own)
    _rows_back(uow, split, pair)
    heard = select(func.max(dialogs.c.last_at)).where(dialogs.c.contact_id == own)
    last_at = max(pair.survivor.last_at, uow.conn.execute(heard).scalar() or 0)
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == own)
        .values(last_at=last_at, version=contacts.c.version + 1)
    )
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == new)
        .values(merged_into=own, deleted_at=uow.now, version=contacts.c.version + 1)
    )
    uow.conn.execute(delete(merge_moves).where(merge_moves.c.merge_id == split.id))
    uow.conn.execute(
        update(merges).where(merges.c.id == split.id).values(undone_at=uow.now, kept={})
    )
    remove_contact(uow.conn, new)
    for one in (own, new):
        consents.rebuild(uow, one)
        frequency.rebuild(uow, one)
    index_contact(uow, own)
    uow.record(ContactChanged(contact_id=own, fields=("addresses",)))
    uow.record(ContactUnsplit(contact_id=own, new_contact_id=new, address_id=address_id))
    return own


def _pair_of(uow: UnitOfWork, contact_id: ContactId) -> tuple[Any, Pair]:
    """Lock both cards of a split, and give what it wrote down; raises Conflict."""
    made = (merges.c.kind == SPLIT) & (merges.c.merged_id == contact_id)
    split = uow.conn.execute(select(merges).where(made)).first()
    if split is None:
        raise NotFound("this card was not split off another one")
    both = (int(split.survivor_id), int(split.merged_id))
    lock_addresses(uow, both)
    rows = {one: object_writes.lock(uow, CONTACT, one) for one in sorted(both)}
    # Read again: the cards are locked now.
    split = uow.conn.execute(select(merges).where(made)).one()
    pair = Pair(CONTACT, rows[both[0]], rows[both[1]])
    _refuse(uow, split, pair)
    return split, pair


def _refuse(uow: UnitOfWork, split: Any, pair: Pair) -> None:
    """Refuse where either card is not what the split left."""
    if split.undone_at:
        raise Conflict("this split was undone already", what="undone")
    if into := pair.merged.merged_into or pair.survivor.merged_into:
        raise Conflict(
            "the card was merged into another one since: undo that first",
            what="merged_again",
            details={"into": str(into)},
        )
    if not (pair.merged.name and pair.survivor.name):
        raise Conflict("this person was erased since", what="erased")
    if pair.merged.deleted_at or pair.survivor.deleted_at:
        raise Conflict("the card is in the bin: take it out first", what="removed")
    others = select(merges.c.id).where(
        merges.c.kind.in_((CONTACT.kind.name, SPLIT)),
        merges.c.survivor_id == pair.merged.id,
        merges.c.undone_at == 0,
    )
    if ids_of(uow, others):
        raise Conflict(
            "another card was merged into this one or split off it since: undo that first",
            what="merged",
        )
    # Whose the address was before those two were one cannot be told from here.
    parted = select(merges.c.id).where(
        merges.c.kind == CONTACT.kind.name,
        merges.c.survivor_id == pair.survivor.id,
        merges.c.at <= split.at,
        merges.c.undone_at >= split.at,
    )
    if ids_of(uow, parted):
        raise Conflict(
            "a merge into the other card was undone since: merge the two cards instead",
            what="unmerged",
        )
    owned = ids_of(uow, select(addresses.c.id).where(addresses.c.contact_id == pair.merged.id))
    if owned != [split.kept["address"]]:
        raise Conflict(
            "the card's addresses are others now: merge the two cards instead", what="addresses"
        )
    if pair.merged.version > 1:
        raise Conflict("the card was changed since: merge the two cards instead", what="changed")


def _dialogs_of(uow: UnitOfWork, split: Any, address_id: AddressId) -> list[int]:
    """Give the new card's dialogs, all of which went over or came over the address since."""
    moved = select(merge_moves.c.row_id).where(
        merge_moves.c.merge_id == split.id, merge_moves.c.place == "dialogs"
    )
    known = or_(dialogs.c.address_id == address_id, dialogs.c.id.in_(moved))
    mine = dialogs.c.contact_id == split.merged_id
    if ids_of(uow, select(dialogs.c.id).where(mine, ~known).limit(1)):
        raise _worked_on()
    return sorted(ids_of(uow, select(dialogs.c.id).where(mine)))


def _rows_back(uow: UnitOfWork, split: Any, pair: Pair) -> None:
    """Give back what else names the new card; what a colleague made for that person is refused."""
    moved: dict[str, set[int]] = {}
    for row in uow.conn.execute(select(merge_moves).where(merge_moves.c.merge_id == split.id)):
        moved.setdefault(row.place, set()).add(int(row.row_id))
    went = {one.kind.name: moved.get(one.table.name, set()) for one in uow.tx.nouns.values()}
    new = int(pair.merged.id)
    by_hand = (
        select(segments.c.id)
        .join(segment_members, segment_members.c.segment_id == segments.c.id)
        .where(segment_members.c.contact_id == new, segments.c.kind == "static")
    )
    takes_part = select(interest_people.c.interest_id).where(interest_people.c.contact_id == new)
    if (
        in_use(uow, CONTACT.kind.name, [new], went)
        or ids_of(uow, by_hand.limit(1))
        or ids_of(uow, takes_part.limit(1))
    ):
        raise _worked_on()
    for table in places_in(uow, CONTACT.kind.name).values():
        uow.conn.execute(
            update(table)
            .where(points_at(table, CONTACT.kind.name, new))
            .values(pointing_at(table, pair, pair.survivor.id))
        )


def _worked_on() -> Conflict:
    return Conflict(
        "something was made for this person since: merge the two cards instead", what="in_use"
    )
