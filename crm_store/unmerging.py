"""Taking a merge back: one card is two again, as they were.

What happened since goes back too where it can be told apart, that is by the address it came over;
where dialogs of both were merged since, it cannot, and the undoing is refused in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from crm_store import card_files, client_addresses, consents, frequency, object_writes, objects
from crm_store.merge_pair import (
    CONTACT,
    Pair,
    ids_of,
    into_of,
    lock_addresses,
    places_in,
    pointing_at,
    points_at,
    put_away,
)
from crm_store.moves import dialogs_of_addresses, hand_over, move_dialogs
from crm_store.nouns import NOUNS
from crm_store.search_index import index_contact
from crm_store.splitting import hand_objects_over
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_people
from crm_store.tables.objects import object_tags
from crm_store.tables.people import addresses, contacts, merge_moves, merges
from crm_store.tables.segments import segment_members
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.card_addresses import LINES
from hub.commands import UndoMerge
from hub.errors import Conflict, NotFound
from hub.events import (
    ClientsUnmerged,
    ContactsUnmerged,
)
from hub.ids import ClientId, ContactId, DialogId, MergeId
from hub.objects import Ref
from hub.properties import value_of
from hub.records.people import Client
from hub.terms import fold


def undo_merge(uow: UnitOfWork, command: UndoMerge) -> int:
    """Make one card two again, as they were; gives the id of the one that comes back."""
    pair, merge = pair_of(uow, command.merge_id, ("contact", "client"))
    noun = pair.noun
    if noun is CONTACT:
        _dialogs_back(uow, pair, merge)
    else:
        _rows_of_people_back(uow, pair, merge)
        _dialogs_apart(uow, pair, merge)
    take_apart(uow, pair, merge)
    if noun is CONTACT:
        for row in (pair.survivor, pair.merged):
            _heard_from(uow, row)
            consents.rebuild(uow, row.id)
            frequency.rebuild(uow, row.id)
            index_contact(uow, ContactId(row.id))
        uow.record(
            ContactsUnmerged(
                contact_id=ContactId(pair.survivor.id),
                restored_id=ContactId(pair.merged.id),
                merge_id=MergeId(merge.id),
            )
        )
    else:
        uow.record(
            ClientsUnmerged(
                client_id=ClientId(pair.survivor.id),
                restored_id=ClientId(pair.merged.id),
                merge_id=MergeId(merge.id),
            )
        )
    return int(pair.merged.id)


def pair_of(uow: UnitOfWork, merge_id: MergeId, kinds: Sequence[str]) -> tuple[Pair, Any]:
    """Lock both cards of a merge of such a kind, and give what it wrote down; raises Conflict."""
    merge = uow.conn.execute(select(merges).where(merges.c.id == merge_id)).first()
    if merge is None or merge.kind not in kinds:
        raise NotFound("there is no such merge")
    noun = NOUNS[merge.kind]
    if noun is CONTACT:
        lock_addresses(uow, (merge.survivor_id,))
    pair = Pair(
        noun,
        *(object_writes.lock(uow, noun, one) for one in (merge.survivor_id, merge.merged_id)),
    )
    # Read again: the cards are locked now.
    merge = uow.conn.execute(select(merges).where(merges.c.id == merge_id)).one()
    _refuse(uow, pair, merge)
    return pair, merge


def take_apart(uow: UnitOfWork, pair: Pair, merge: Any) -> None:
    """Give both cards what was theirs: the rows that went over, and their own words."""
    noun = pair.noun
    for name, table in places_in(uow, noun.kind.name).items():
        moved = select(merge_moves.c.row_id).where(
            merge_moves.c.merge_id == merge.id, merge_moves.c.place == name
        )
        uow.conn.execute(
            update(table)
            .where(table.c.id.in_(moved), points_at(table, noun.kind.name, pair.survivor.id))
            .values(pointing_at(table, pair, pair.merged.id))
        )
    _words_back(uow, pair, merge.kept)
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == pair.merged.id)
        .values(deleted_at=0, version=noun.table.c.version + 1, **put_away(noun, 0))
    )
    uow.conn.execute(delete(merge_moves).where(merge_moves.c.merge_id == merge.id))
    uow.conn.execute(
        update(merges).where(merges.c.id == merge.id).values(undone_at=uow.now, kept={})
    )
    card_files.release(uow, set(card_files.named_in(merge.kept)))


def _refuse(uow: UnitOfWork, pair: Pair, merge: Any) -> None:
    if merge.undone_at:
        raise Conflict("this merge was undone already", what="undone")
    if into := into_of(uow, pair.noun, pair.survivor):
        raise Conflict(
            "the card was merged into another one since: undo that first",
            what="merged_again",
            details={"into": str(into)},
        )
    if not getattr(pair.merged, pair.noun.kind.title):
        raise Conflict("this person was erased since", what="erased")
    if pair.survivor.deleted_at:
        raise Conflict("the card is in the bin: take it out first", what="removed")


def _dialogs_back(uow: UnitOfWork, pair: Pair, merge: Any) -> None:
    """Give the merged card its addresses again, with what came over them before and since."""
    moved = {
        place: set(
            ids_of(
                uow,
                select(merge_moves.c.row_id).where(
                    merge_moves.c.merge_id == merge.id, merge_moves.c.place == place
                ),
            )
        )
        for place in ("addresses", "dialogs")
    }
    owned = uow.conn.execute(
        select(addresses.c.id, addresses.c.origin_id, addresses.c.created_at).where(
            addresses.c.contact_id == pair.survivor.id
        )
    ).all()
    origins = {row.origin_id for row in owned if row.id in moved["addresses"]}
    # An address that the same chat showed since (his new number) has the chat's origin.
    back = sorted(
        row.id
        for row in owned
        if row.id in moved["addresses"] or (row.origin_id in origins and row.created_at >= merge.at)
    )
    talks = set(dialogs_of_addresses(uow, back, ContactId(pair.survivor.id)))
    held = {row.id for row in owned}
    for start in range(0, len(moved["dialogs"]), 500):
        chunk = sorted(moved["dialogs"])[start : start + 500]
        for row in uow.conn.execute(
            select(dialogs.c.id, dialogs.c.address_id).where(
                dialogs.c.contact_id == pair.survivor.id, dialogs.c.id.in_(chunk)
            )
        ):
            # A dialog whose address is gone knows only where it was.
            if row.address_id not in held:
                talks.add(row.id)
    _refuse_mixed(uow, talks, pair.survivor.id)
    hand_over(uow, ContactId(pair.survivor.id), ContactId(pair.merged.id), back)
    move_dialogs(uow, sorted(talks), ContactId(pair.merged.id))
    taken = select(merge_moves.c.row_id).where(
        merge_moves.c.merge_id == merge.id, merge_moves.c.place == "interest_people"
    )
    uow.conn.execute(
        delete(interest_people).where(
            interest_people.c.contact_id == pair.survivor.id,
            interest_people.c.interest_id.in_(taken),
        )
    )
    joined = select(merge_moves.c.row_id).where(
        merge_moves.c.merge_id == merge.id, merge_moves.c.place == "segment_members"
    )
    uow.conn.execute(
        delete(segment_members).where(
            segment_members.c.contact_id == pair.survivor.id,
            segment_members.c.segment_id.in_(joined),
        )
    )
    # What was made of a dialog that goes back, since, goes with it.
    hand_objects_over(uow, sorted(talks), pair.survivor.id, pair.merged.id)


def _refuse_mixed(uow: UnitOfWork, talks: set[int], survivor_id: int) -> None:
    """Refuse where dialogs of both were merged: their messages cannot be told apart."""
    rows = uow.conn.execute(
        select(dialogs.c.id, dialogs.c.merged_into).where(
            dialogs.c.contact_id == survivor_id, dialogs.c.merged_into != 0
        )
    ).all()
    if any((row.id in talks) is not (row.merged_into in talks) for row in rows):
        raise Conflict(
            "dialogs of both people were merged since: take the dialogs apart first",
            what="dialogs_merged",
        )


def _rows_of_people_back(uow: UnitOfWork, pair: Pair, merge: Any) -> None:
    """What came since of people who go back to a client goes with them."""
    people = ids_of(
        uow,
        select(merge_moves.c.row_id).where(
            merge_moves.c.merge_id == merge.id, merge_moves.c.place == "contacts"
        ),
    )
    for table in places_in(uow, "client").values():
        if "contact_id" not in table.c:
            continue
        uow.conn.execute(
            update(table)
            .where(table.c.contact_id.in_(people), table.c.client_id == pair.survivor.id)
            .values(pointing_at(table, pair, pair.merged.id))
        )


def _dialogs_apart(uow: UnitOfWork, pair: Pair, merge: Any) -> None:
    """Take from the survivor the dialogs that were the merged card's alone."""
    taken = select(merge_moves.c.row_id).where(
        merge_moves.c.merge_id == merge.id, merge_moves.c.place == "dialog_links"
    )
    for one in ids_of(uow, taken):
        ref = Ref(kind=pair.noun.kind.name, id=pair.survivor.id)
        object_writes.unlink(uow, DialogId(one), ref)


def _words_back(uow: UnitOfWork, pair: Pair, kept: Mapping[str, Any]) -> None:
    """Restore the survivor's own words where nobody changed them since."""
    noun = pair.noun
    row = uow.conn.execute(select(noun.table).where(noun.table.c.id == pair.survivor.id)).one()
    before, given = kept.get("before", {}), kept.get("set", {})
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    card = objects.records(reader, noun, [row])[0]
    values: dict[str, object] = {
        name: before[name]
        for name, value in given.items()
        if value_of(card, name) == (tuple(value) if isinstance(value, list) else value)
    }
    added = {fold(one) for one in kept.get("tags", ())}
    labels = uow.conn.execute(
        select(object_tags.c.tag, object_tags.c.tag_folded)
        .where(object_tags.c.kind == noun.kind.name, object_tags.c.object_id == row.id)
        .order_by(object_tags.c.tag_folded)
    ).all()
    if added:
        values["tags"] = tuple(one.tag for one in labels if one.tag_folded not in added)
    gained = kept.get("addresses", ())
    if isinstance(card, Client) and (gained or not values.keys().isdisjoint(LINES)):
        values |= client_addresses.parted(card, gained, values)
    lent = set(card_files.named_in(kept))
    if object_writes.change(uow, noun, row, values, lent) == row.version:
        uow.conn.execute(
            update(noun.table)
            .where(noun.table.c.id == row.id)
            .values(version=noun.table.c.version + 1)
        )


def _heard_from(uow: UnitOfWork, row: Row[Any]) -> None:
    last = uow.conn.execute(
        select(func.max(dialogs.c.last_at)).where(dialogs.c.contact_id == row.id)
    ).scalar()
    uow.conn.execute(
        update(contacts).where(contacts.c.id == row.id).values(last_at=last or row.created_at)
    )
