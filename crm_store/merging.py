"""Two cards that are one: merging contacts or clients, taking that back, splitting an address off.

Everything that points to the merged card points to the survivor afterwards. The merged card stays
as it was, out of every list, and a merge writes down which rows went over and which of the
survivor's words it changed: from there it is undone. What happened since goes back too where it
can be told apart, that is by the address it came over; where dialogs of both were merged since,
it cannot, and the undoing is refused in words.

The addresses of both cards are locked first, in id order, then the cards: a message that arrives
meanwhile waits at its address and lands at the survivor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, delete, func, insert, literal, select, update

from crm_store import consents, custom, objects
from crm_store.moves import dialogs_of_addresses, hand_over, move_dialogs
from crm_store.nouns import NOUNS, Noun, pointing
from crm_store.people import reindex
from crm_store.search_index import remove_contact
from crm_store.sql import locked
from crm_store.tables import metadata
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_people
from crm_store.tables.objects import dialog_links, object_tags
from crm_store.tables.people import addresses, contacts, merge_moves, merges
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import MergeClients, MergeContacts, SplitContact, UndoMerge
from hub.errors import Conflict, Invalid, NotFound
from hub.events import (
    ClientsMerged,
    ClientsUnmerged,
    ContactChanged,
    ContactCreated,
    ContactsMerged,
    ContactSplit,
    ContactsUnmerged,
)
from hub.ids import AddressId, ClientId, ContactId, MergeId, Micros
from hub.properties import Property, PropertyType, empty_value, value_of
from hub.records.people import Merge, MergeField, MergePreview
from hub.terms import fold

CONTACT, CLIENT = NOUNS["contact"], NOUNS["client"]
LEFT = frozenset(
    {
        # Read again out of the log (`consents.rebuild`); what was sent stays as it was sent.
        "consents",
        "deliveries",
        "segment_members",
        # Moved with their addresses, in moves.py.
        "addresses",
        "dialogs",
        "messages",
        # The index is made again.
        "contact_grams",
        # What an import made is what it undoes.
        "import_rows",
        # Who takes part in an interest: the survivor is added there, below.
        "interest_people",
        # Who was erased is told by the number that he had.
        "erasures",
    }
)
"""Tables with a column for a contact that a merge does not move by itself."""


def places_of(kind: str, nouns: Mapping[str, Noun] = NOUNS) -> dict[str, Table]:
    """Give the tables whose rows point at contacts or clients and go over to the survivor."""
    column = f"{kind}_id"
    plugins = {one.table.name: one.table for one in pointing(nouns, kind)}
    return plugins | {
        name: table
        for name, table in sorted(metadata.tables.items())
        if column in table.c and name not in LEFT and "id" in table.primary_key.columns
    }


@dataclass(slots=True)
class _Pair:
    """Both cards, locked."""

    noun: Noun
    survivor: Any
    merged: Any

    @property
    def column(self) -> str:
        return f"{self.noun.kind.name}_id"


# -- merging -------------------------------------------------------------------------------


def merge_contacts(uow: UnitOfWork, command: MergeContacts) -> MergeId:
    """Make two contacts one; gives the number by which that is undone."""
    _lock_addresses(uow, (command.survivor_id, command.merged_id))
    pair = _pair(uow, CONTACT, command)
    merge_id = _begin(uow, pair, command.take)
    owned = _ids(uow, select(addresses.c.id).where(addresses.c.contact_id == pair.merged.id))
    _note(uow, merge_id, "addresses", owned)
    talks = _ids(uow, select(dialogs.c.id).where(dialogs.c.contact_id == pair.merged.id))
    _note(uow, merge_id, "dialogs", talks)
    source, target = ContactId(pair.merged.id), ContactId(pair.survivor.id)
    hand_over(uow, source, target, owned)
    move_dialogs(uow, talks, target)
    _move_rows(uow, merge_id, pair)
    _take_part(uow, merge_id, pair)
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == target)
        .values(last_at=max(pair.survivor.last_at, pair.merged.last_at))
    )
    remove_contact(uow.conn, source)
    consents.rebuild(uow, target)
    consents.rebuild(uow, source)
    reindex(uow, target)
    uow.record(ContactsMerged(contact_id=target, merged_id=source, merge_id=merge_id))
    return merge_id


def merge_clients(uow: UnitOfWork, command: MergeClients) -> MergeId:
    """Make two clients one; gives the number by which that is undone."""
    pair = _pair(uow, CLIENT, command)
    merge_id = _begin(uow, pair, command.take)
    _move_rows(uow, merge_id, pair)
    uow.record(
        ClientsMerged(
            client_id=ClientId(pair.survivor.id),
            merged_id=ClientId(pair.merged.id),
            merge_id=merge_id,
        )
    )
    return merge_id


def _lock_addresses(uow: UnitOfWork, ids: Iterable[int]) -> None:
    statement = select(addresses.c.id).where(addresses.c.contact_id.in_(sorted(set(ids))))
    uow.conn.execute(locked(uow.dialect, statement.order_by(addresses.c.id))).all()


def _pair(uow: UnitOfWork, noun: Noun, command: MergeContacts | MergeClients) -> _Pair:
    if command.survivor_id == command.merged_id:
        raise Invalid("a card cannot be merged with itself", field="merged_id")
    rows = {
        one: objects.lock(uow, noun, one)
        for one in sorted((int(command.survivor_id), int(command.merged_id)))
    }
    survivor, merged = rows[command.survivor_id], rows[command.merged_id]
    for row, version in (
        (survivor, command.survivor_version),
        (merged, command.merged_version),
    ):
        if row.merged_into:
            raise Conflict(
                "one of these cards was merged already",
                what="merged",
                details={"id": str(row.id), "into": str(row.merged_into)},
            )
        if row.deleted_at:
            raise Conflict("one of these cards is in the bin or erased", what="removed")
        if version is not None and version != row.version:
            raise Conflict(
                f"the {noun.kind.label} was changed meanwhile",
                what="version",
                details={"id": str(row.id), "version": row.version},
            )
    return _Pair(noun, survivor, merged)


def _begin(uow: UnitOfWork, pair: _Pair, take: Sequence[str]) -> MergeId:
    """Write the merge down, join the fields, and put the merged card away."""
    noun, merge_id = pair.noun, MergeId(uow.new_id())
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    before, other = objects.records(reader, noun, [pair.survivor, pair.merged])
    known = {one.name for one in custom.whole(uow.conn, noun).kind.properties if one.editable}
    for name in take:
        if name not in known:
            raise Invalid(f"a {noun.kind.label} has no property {name!r}", field="take")
    values: dict[str, object] = {}
    for field in _fields(uow, noun, before, other):
        if field.name in take or field.fills:
            values[field.name] = value_of(other, field.name)
    tags = tuple(dict.fromkeys((*before.tags, *other.tags)))[:50]
    added = [one for one in tags if one not in before.tags]
    version = objects.change(uow, noun, pair.survivor, {**values, "tags": tags})
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == pair.merged.id)
        .values(
            merged_into=pair.survivor.id,
            deleted_at=uow.now,
            version=noun.table.c.version + 1,
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
            },
        )
    )
    if version == pair.survivor.version:
        # What belongs to the card changed, so whoever saw it before has not seen this one.
        uow.conn.execute(
            update(noun.table)
            .where(noun.table.c.id == pair.survivor.id)
            .values(version=noun.table.c.version + 1)
        )
    return merge_id


def _fields(uow: UnitOfWork | Reader, noun: Noun, mine: Any, theirs: Any) -> list[MergeField]:
    """Give the properties in which two cards differ, and where the survivor's own is empty."""
    found = []
    for prop in custom.whole(uow.conn, noun).kind.properties:
        if not prop.editable or (prop.type is PropertyType.TAGS and not prop.is_custom):
            continue
        own, other = value_of(mine, prop.name), value_of(theirs, prop.name)
        if own == other or _is_empty(prop, other):
            continue
        bare = prop.name == noun.kind.title and noun is CONTACT and _is_bare(uow, mine, theirs)
        found.append(
            MergeField(
                name=prop.name,
                survivor=own,
                merged=other,
                fills=_is_empty(prop, own) or bare,
            )
        )
    return found


def _is_empty(prop: Property, value: object) -> bool:
    if prop.type is PropertyType.CHOICE and not prop.is_custom:
        return value == prop.choices[0].value
    return value == empty_value(prop.type)


def _is_bare(uow: UnitOfWork | Reader, mine: Any, theirs: Any) -> bool:
    """Say whether the survivor is named by an address only, and the other by a name."""
    owned = select(addresses.c.contact_id, addresses.c.value).where(
        addresses.c.contact_id.in_((mine.id, theirs.id))
    )
    known = {(row.contact_id, row.value) for row in uow.conn.execute(owned)}
    return (mine.id, mine.name) in known and (theirs.id, theirs.name) not in known


def _ids(uow: UnitOfWork, statement: Any) -> list[int]:
    return list(uow.conn.execute(statement).scalars())


def _note(uow: UnitOfWork, merge_id: MergeId, place: str, ids: Sequence[int]) -> None:
    if ids:
        uow.conn.execute(
            insert(merge_moves),
            [{"merge_id": merge_id, "place": place, "row_id": one} for one in ids],
        )


def _move_rows(uow: UnitOfWork, merge_id: MergeId, pair: _Pair) -> None:
    for name, table in places_of(pair.noun.kind.name, uow.tx.nouns).items():
        mine = table.c[pair.column] == pair.merged.id
        uow.conn.execute(
            insert(merge_moves).from_select(
                ["merge_id", "place", "row_id"],
                select(literal(int(merge_id)), literal(name), table.c.id).where(mine),
            )
        )
        uow.conn.execute(update(table).where(mine).values(_pointing(table, pair, pair.survivor.id)))


def _take_part(uow: UnitOfWork, merge_id: MergeId, pair: _Pair) -> None:
    """Let the survivor take part in the interests in which the merged card does."""
    theirs = uow.conn.execute(
        select(interest_people).where(interest_people.c.contact_id == pair.merged.id)
    ).all()
    own = set(
        _ids(
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
    _note(uow, merge_id, "interest_people", [one.interest_id for one in new])


def _pointing(table: Table, pair: _Pair, object_id: int) -> dict[str, Any]:
    values: dict[str, Any] = {pair.column: object_id}
    if "version" in table.c:
        values["version"] = table.c.version + 1
    return values


# -- taking it back ------------------------------------------------------------------------


def undo_merge(uow: UnitOfWork, command: UndoMerge) -> int:
    """Make one card two again, as they were; gives the id of the one that comes back."""
    merge = uow.conn.execute(select(merges).where(merges.c.id == command.merge_id)).first()
    if merge is None:
        raise NotFound("there is no such merge")
    noun = NOUNS[merge.kind]
    if noun is CONTACT:
        _lock_addresses(uow, (merge.survivor_id,))
    pair = _Pair(
        noun,
        *(objects.lock(uow, noun, one) for one in (merge.survivor_id, merge.merged_id)),
    )
    # Read again: the cards are locked now.
    merge = uow.conn.execute(select(merges).where(merges.c.id == command.merge_id)).one()
    _refuse(pair, merge)
    if noun is CONTACT:
        _dialogs_back(uow, pair, merge)
    else:
        _rows_of_people_back(uow, pair, merge)
    for name, table in places_of(noun.kind.name, uow.tx.nouns).items():
        moved = select(merge_moves.c.row_id).where(
            merge_moves.c.merge_id == merge.id, merge_moves.c.place == name
        )
        uow.conn.execute(
            update(table)
            .where(table.c.id.in_(moved), table.c[pair.column] == pair.survivor.id)
            .values(_pointing(table, pair, pair.merged.id))
        )
    _words_back(uow, pair, merge.kept)
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == pair.merged.id)
        .values(merged_into=0, deleted_at=0, version=noun.table.c.version + 1)
    )
    uow.conn.execute(delete(merge_moves).where(merge_moves.c.merge_id == merge.id))
    uow.conn.execute(
        update(merges).where(merges.c.id == merge.id).values(undone_at=uow.now, kept={})
    )
    if noun is CONTACT:
        for row in (pair.survivor, pair.merged):
            _heard_from(uow, row)
            consents.rebuild(uow, row.id)
            reindex(uow, ContactId(row.id))
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


def _refuse(pair: _Pair, merge: Any) -> None:
    if merge.undone_at:
        raise Conflict("this merge was undone already", what="undone")
    if pair.survivor.merged_into:
        raise Conflict(
            "the card was merged into another one since: undo that first",
            what="merged_again",
            details={"into": str(pair.survivor.merged_into)},
        )
    if not pair.merged.name:
        raise Conflict("this person was erased since", what="erased")
    if pair.survivor.deleted_at:
        raise Conflict("the card is in the bin: take it out first", what="removed")


def _dialogs_back(uow: UnitOfWork, pair: _Pair, merge: Any) -> None:
    """Give the merged card its addresses again, with what came over them before and since."""
    moved = {
        place: set(
            _ids(
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
    # What was made of a dialog that goes back, since, goes with it.
    _objects_of_dialogs(uow, sorted(talks), pair.survivor.id, pair.merged.id)


def _objects_of_dialogs(uow: UnitOfWork, talks: Sequence[int], source: int, target: int) -> None:
    for noun in NOUNS.values():
        if noun is CONTACT or "contact_id" not in noun.table.c:
            continue
        for start in range(0, len(talks), 500):
            about = select(dialog_links.c.object_id).where(
                dialog_links.c.kind == noun.kind.name,
                dialog_links.c.dialog_id.in_(talks[start : start + 500]),
            )
            uow.conn.execute(
                update(noun.table)
                .where(noun.table.c.id.in_(about), noun.table.c.contact_id == source)
                .values(contact_id=target, version=noun.table.c.version + 1)
            )


def _refuse_mixed(uow: UnitOfWork, talks: set[int], survivor_id: int) -> None:
    """Refuse where dialogs of both were merged: their messages cannot be told apart."""
    rows = uow.conn.execute(
        select(dialogs.c.id, dialogs.c.merged_into).where(
            dialogs.c.contact_id == survivor_id, dialogs.c.merged_into != 0
        )
    ).all()
    if any((row.id in talks) is not (row.merged_into in talks) for row in rows):
        raise Conflict(
            "dialogs of both people were merged since, and their messages cannot be told apart:"
            " split the dialog first",
            what="dialogs_merged",
        )


def _rows_of_people_back(uow: UnitOfWork, pair: _Pair, merge: Any) -> None:
    """What came since of people who go back to a client goes with them."""
    people = _ids(
        uow,
        select(merge_moves.c.row_id).where(
            merge_moves.c.merge_id == merge.id, merge_moves.c.place == "contacts"
        ),
    )
    for table in places_of("client", uow.tx.nouns).values():
        if "contact_id" not in table.c:
            continue
        uow.conn.execute(
            update(table)
            .where(table.c.contact_id.in_(people), table.c.client_id == pair.survivor.id)
            .values(_pointing(table, pair, pair.merged.id))
        )


def _words_back(uow: UnitOfWork, pair: _Pair, kept: Mapping[str, Any]) -> None:
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
    if objects.change(uow, noun, row, values) == row.version:
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


# -- splitting -----------------------------------------------------------------------------


def split_contact(uow: UnitOfWork, command: SplitContact) -> ContactId:
    """Make an address of a contact a person of its own, with all that came over it."""
    address = uow.conn.execute(
        select(addresses.c.contact_id).where(addresses.c.id == command.address_id)
    ).first()
    if address is None or not address.contact_id:
        raise NotFound("there is no such address")
    _lock_addresses(uow, (address.contact_id,))
    row = objects.lock(uow, CONTACT, address.contact_id)
    owned = uow.conn.execute(select(addresses).where(addresses.c.contact_id == row.id)).all()
    mine = next((one for one in owned if one.id == command.address_id), None)
    if mine is None:
        raise Conflict("this address went to another contact meanwhile", what="moved")
    if len(owned) == 1:
        raise Conflict("this is the person's only address", what="only_address")
    name = " ".join((command.name or mine.name or mine.value).split())[:400]
    new_id = command.new_contact_id or ContactId(uow.new_id())
    objects.create(uow, CONTACT, new_id, {"name": name, "last_at": uow.now})
    uow.record(ContactCreated(contact_id=new_id))
    talks = dialogs_of_addresses(uow, [command.address_id], ContactId(row.id))
    hand_over(uow, ContactId(row.id), new_id, [command.address_id])
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == command.address_id)
        .values(origin_id=new_id, matched_by="")
    )
    move_dialogs(uow, talks, new_id)
    _objects_of_dialogs(uow, talks, row.id, new_id)
    uow.conn.execute(
        update(contacts).where(contacts.c.id == row.id).values(version=contacts.c.version + 1)
    )
    for one in (row.id, new_id):
        reindex(uow, ContactId(one))
    uow.record(ContactChanged(contact_id=ContactId(row.id), fields=("addresses",)))
    uow.record(
        ContactSplit(
            contact_id=ContactId(row.id),
            new_contact_id=new_id,
            address_id=AddressId(command.address_id),
        )
    )
    return new_id


# -- reading -------------------------------------------------------------------------------


def merge_preview(reader: Reader, kind: str, survivor_id: int, merged_id: int) -> MergePreview:
    """Say what a merge would move, and in which properties the two cards differ."""
    noun = NOUNS[kind]
    mine, theirs = (objects.one(reader, noun, one) for one in (survivor_id, merged_id))
    counts: dict[str, int] = {}
    if noun is CONTACT:
        talks = reader.conn.execute(
            select(func.count(), func.coalesce(func.sum(dialogs.c.message_count), 0)).where(
                dialogs.c.contact_id == merged_id
            )
        ).one()
        counts |= {"dialogs": int(talks[0]), "messages": int(talks[1])}
        owned = select(func.count()).where(addresses.c.contact_id == merged_id)
        counts["addresses"] = int(reader.conn.execute(owned).scalar_one())
    for name, table in places_of(kind, reader.nouns).items():
        found = select(func.count()).where(table.c[f"{kind}_id"] == merged_id)
        counts[name] = int(reader.conn.execute(found).scalar_one())
    return MergePreview(
        survivor=mine,
        merged=theirs,
        moves={name: count for name, count in counts.items() if count},
        fields=tuple(_fields(reader, noun, mine, theirs)),
    )


def merges_of(reader: Reader, kind: str, object_id: int) -> list[Merge]:
    """Give the merges into a card that can be undone, the newest first, with the merged names."""
    noun = NOUNS[kind]
    reader.viewer.need(noun.kind.read)
    rows = reader.conn.execute(
        select(merges, noun.title.label("title"))
        .join(noun.table, noun.table.c.id == merges.c.merged_id)
        .where(merges.c.kind == kind, merges.c.survivor_id == object_id, merges.c.undone_at == 0)
        .order_by(merges.c.id.desc())
        .limit(100)
    )
    return [
        Merge(
            id=MergeId(row.id),
            kind=row.kind,
            survivor_id=row.survivor_id,
            merged_id=row.merged_id,
            merged_name=row.title,
            at=Micros(row.at),
        )
        for row in rows
    ]
