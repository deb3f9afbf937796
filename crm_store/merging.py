"""Two cards that become one, contacts or clients.

Everything that points to the merged card points to the survivor afterwards. The merged card stays
as it was, out of every list, and a merge writes down which rows went over and which of the
survivor's words it changed: from there it is undone (`unmerging.py`).

The addresses of both cards are locked first, in id order, then the cards: a message that arrives
meanwhile waits at its address and lands at the survivor.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, literal, select, update

from crm_store import client_addresses, consents, custom, frequency, object_writes, objects
from crm_store.duplicates import index_anew
from crm_store.merge_pair import (
    CLIENT,
    CONTACT,
    Pair,
    differences,
    ids_of,
    into_of,
    lock_addresses,
    places_in,
    pointing_at,
    points_at,
    put_away,
)
from crm_store.moves import hand_over, move_dialogs
from crm_store.nouns import Noun
from crm_store.search_index import index_contact, remove_contact
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_people
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, contacts, merge_moves, merges
from crm_store.tables.segments import segment_members, segments
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.card_addresses import LINES
from hub.commands import MergeClients, MergeContacts, MergeLeads
from hub.errors import Conflict, Invalid
from hub.events import (
    ClientsMerged,
    ContactsMerged,
)
from hub.ids import ClientId, ContactId, DialogId, MergeId
from hub.objects import Ref
from hub.properties import value_of
from hub.records.people import Client


def merge_contacts(uow: UnitOfWork, command: MergeContacts) -> MergeId:
    """Make two contacts one; gives the number by which that is undone."""
    lock_addresses(uow, (command.survivor_id, command.merged_id))
    pair = pair_of(uow, CONTACT, command)
    merge_id = begin(uow, pair, command.take)
    owned = ids_of(uow, select(addresses.c.id).where(addresses.c.contact_id == pair.merged.id))
    note(uow, merge_id, "addresses", owned)
    talks = ids_of(uow, select(dialogs.c.id).where(dialogs.c.contact_id == pair.merged.id))
    note(uow, merge_id, "dialogs", talks)
    source, target = ContactId(pair.merged.id), ContactId(pair.survivor.id)
    hand_over(uow, source, target, owned)
    move_dialogs(uow, talks, target)
    move_rows(uow, merge_id, pair)
    _take_part(uow, merge_id, pair)
    _stay_in_segments(uow, merge_id, pair)
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == target)
        .values(last_at=max(pair.survivor.last_at, pair.merged.last_at))
    )
    remove_contact(uow.conn, source)
    for one in (target, source):
        consents.rebuild(uow, one)
        frequency.rebuild(uow, one)
    index_contact(uow, target)
    uow.record(ContactsMerged(contact_id=target, merged_id=source, merge_id=merge_id))
    return merge_id


def merge_clients(uow: UnitOfWork, command: MergeClients) -> MergeId:
    """Make two clients one; gives the number by which that is undone."""
    pair = pair_of(uow, CLIENT, command)
    merge_id = begin(uow, pair, command.take)
    move_rows(uow, merge_id, pair)
    _join_dialogs(uow, merge_id, pair)
    uow.record(
        ClientsMerged(
            client_id=ClientId(pair.survivor.id),
            merged_id=ClientId(pair.merged.id),
            merge_id=merge_id,
        )
    )
    return merge_id


def pair_of(
    uow: UnitOfWork, noun: Noun, command: MergeContacts | MergeClients | MergeLeads
) -> Pair:
    """Lock both cards, and see that they are there and as they were seen; raises Conflict."""
    if command.survivor_id == command.merged_id:
        raise Invalid("a card cannot be merged with itself", field="merged_id")
    rows = {
        one: object_writes.lock(uow, noun, one)
        for one in sorted((int(command.survivor_id), int(command.merged_id)))
    }
    survivor, merged = rows[command.survivor_id], rows[command.merged_id]
    for row, version in (
        (survivor, command.survivor_version),
        (merged, command.merged_version),
    ):
        if into := into_of(uow, noun, row):
            raise Conflict(
                "one of these cards was merged already",
                what="merged",
                details={"id": str(row.id), "into": str(into)},
            )
        if row.deleted_at:
            raise Conflict("one of these cards is in the bin or erased", what="removed")
        if version is not None and version != row.version:
            raise Conflict(
                f"the {noun.kind.label} was changed meanwhile",
                what="version",
                details={"id": str(row.id), "version": row.version},
            )
    return Pair(noun, survivor, merged)


def begin(uow: UnitOfWork, pair: Pair, take: Sequence[str]) -> MergeId:
    """Write the merge down, join the fields, and put the merged card away."""
    noun, merge_id = pair.noun, MergeId(uow.new_id())
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    before, other = objects.records(reader, noun, [pair.survivor, pair.merged])
    known = {one.name for one in custom.whole(uow.conn, noun).kind.properties if one.editable}
    for name in take:
        if name not in known:
            raise Invalid(f"a {noun.kind.label} has no property {name!r}", field="take")
    values: dict[str, object] = {}
    for field in differences(uow, noun, before, other):
        if field.name in take or field.fills:
            values[field.name] = value_of(other, field.name)
    gained: list[list[str]] = []
    own: dict[str, object] = {}
    if isinstance(before, Client) and isinstance(other, Client):
        gained = client_addresses.added(before, other)
        own = client_addresses.joined(before, other, values)
    tags = tuple(dict.fromkeys((*before.tags, *other.tags)))[:50]
    added = [one for one in tags if one not in before.tags]
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == pair.merged.id)
        .values(
            deleted_at=uow.now,
            version=noun.table.c.version + 1,
            **put_away(noun, pair.survivor.id),
        )
    )
    uow.conn.execute(
        insert(merges).values(
            id=merge_id,
            kind=noun.kind.name,
            survivor_id=pair.survivor.id,
            merged_id=pair.merged.id,
            at=uow.now,
            actor=str(uow.actor),
            kept={
                "before": {name: value_of(before, name) for name in values},
                "set": values,
                "tags": added,
                "addresses": gained,
            },
        )
    )
    if gained or not values.keys().isdisjoint(LINES):
        values |= own
    # The merge is written down first: it keeps the files that the survivor had.
    lent = other.custom.files
    version = object_writes.change(uow, noun, pair.survivor, {**values, "tags": tags}, lent)
    if "addresses" in values:
        index_anew(uow.conn, noun.kind.name, [pair.survivor.id])
    if version == pair.survivor.version:
        # What belongs to the card changed, so whoever saw it before has not seen this one.
        uow.conn.execute(
            update(noun.table)
            .where(noun.table.c.id == pair.survivor.id)
            .values(version=noun.table.c.version + 1)
        )
    return merge_id


def note(uow: UnitOfWork, merge_id: MergeId, place: str, ids: Sequence[int]) -> None:
    """Write down which rows of a place a merge moves."""
    if ids:
        uow.conn.execute(
            insert(merge_moves),
            [{"merge_id": merge_id, "place": place, "row_id": one} for one in ids],
        )


def move_rows(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Let everything that points to the merged card point to the survivor."""
    for name, table in places_in(uow, pair.noun.kind.name).items():
        mine = points_at(table, pair.noun.kind.name, pair.merged.id)
        uow.conn.execute(
            insert(merge_moves).from_select(
                ["merge_id", "place", "row_id"],
                select(literal(int(merge_id)), literal(name), table.c.id).where(mine),
            )
        )
        uow.conn.execute(
            update(table).where(mine).values(pointing_at(table, pair, pair.survivor.id))
        )


def _join_dialogs(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Link the survivor to the dialogs that were linked to the merged card."""
    kind = pair.noun.kind.name
    own = select(dialog_links.c.dialog_id).where(
        dialog_links.c.kind == kind, dialog_links.c.object_id == pair.survivor.id
    )
    theirs = dialog_links.alias()
    new = ids_of(
        uow,
        select(theirs.c.dialog_id).where(
            theirs.c.kind == kind,
            theirs.c.object_id == pair.merged.id,
            theirs.c.dialog_id.not_in(own),
        ),
    )
    for one in new:
        object_writes.link(uow, DialogId(one), Ref(kind=kind, id=pair.survivor.id))
    note(uow, merge_id, "dialog_links", new)


def _stay_in_segments(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Put the survivor into the segments that the merged card was put into by hand."""
    own = select(segment_members.c.segment_id).where(
        segment_members.c.contact_id == pair.survivor.id
    )
    new = ids_of(
        uow,
        select(segments.c.id)
        .join(segment_members, segment_members.c.segment_id == segments.c.id)
        .where(
            segment_members.c.contact_id == pair.merged.id,
            segments.c.kind == "static",
            segments.c.id.not_in(own),
        ),
    )
    if new:
        uow.conn.execute(
            insert(segment_members),
            [{"segment_id": one, "contact_id": pair.survivor.id, "since": uow.now} for one in new],
        )
    note(uow, merge_id, "segment_members", new)


def _take_part(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Let the survivor take part in the interests in which the merged card does."""
    theirs = uow.conn.execute(
        select(interest_people).where(interest_people.c.contact_id == pair.merged.id)
    ).all()
    own = set(
        ids_of(
            uow,
            select(interest_people.c.interest_id).where(
                interest_people.c.contact_id == pair.survivor.id
            ),
        )
    )
    new = [one for one in theirs if one.interest_id not in own]
    if new:
        uow.conn.execute(
            insert(interest_people),
            [{**one._mapping, "contact_id": pair.survivor.id} for one in new],
        )
    note(uow, merge_id, "interest_people", [one.interest_id for one in new])
