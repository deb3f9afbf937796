"""What merging, undoing and splitting share: both cards, and what points at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, select, true

from crm_store import custom
from crm_store.nouns import NOUNS, Noun, pointing
from crm_store.sql import locked
from crm_store.survivors import merged_into
from crm_store.tables import metadata
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.properties import Property, PropertyType, empty_value, value_of
from hub.records.people import MergeField

CONTACT, CLIENT = NOUNS["contact"], NOUNS["client"]
SPLIT = "split"
"""The kind under which a split stands among merges: `survivor_id` is the card whose the address was,
`merged_id` the one that was made of it."""
LEFT = frozenset(
    {
        # Read again out of the log (`consents.rebuild`); what was sent stays as it was sent.
        "consents",
        "frequency_limits",
        "deliveries",
        # Who was put into a segment: the survivor is added there, in merging.py.
        "segment_members",
        # Moved with their addresses, in moves.py.
        "addresses",
        "dialogs",
        "messages",
        # The index is made again.
        "contact_grams",
        # What an import made is what it undoes.
        "import_rows",
        # Who takes part in an interest: the survivor is added there, in merging.py.
        "interest_people",
        # Who was erased is told by the number that he had.
        "erasures",
    }
)
"""Tables with a column for a contact that a merge does not move by itself."""


def places_in(uow: UnitOfWork, kind: str) -> dict[str, Table]:
    """Give the tables whose rows go over to the survivor, with those that plugins say follow."""
    follow = {name: table for name, table in uow.tx.references.items() if f"{kind}_id" in table.c}
    return follow | places_of(kind, uow.tx.nouns)


def places_of(kind: str, nouns: Mapping[str, Noun] = NOUNS) -> dict[str, Table]:
    """Give the tables whose rows point at contacts or clients and are shown where cards are merged."""
    plugins = {one.table.name: one.table for one in pointing(nouns, kind)}
    return plugins | {
        name: table
        for name, table in sorted(metadata.tables.items())
        if ({f"{kind}_id", "object_kind"} & set(table.c.keys()))
        and name not in LEFT
        and "id" in table.primary_key.columns
    }


def points_at(table: Table, kind: str, object_id: int) -> ColumnElement[bool]:
    """Say that a row of one of these tables points at a card: by its number, or also by its kind."""
    column, theirs = pointer_of(table, kind)
    return and_(column == object_id, theirs)


def pointer_of(table: Table, kind: str) -> tuple[Column[int], ColumnElement[bool]]:
    """Give the column of a table that holds the number of a card, and which rows mean this kind."""
    if "object_kind" in table.c:
        return table.c.object_id, table.c.object_kind == kind
    return table.c[f"{kind}_id"], true()


@dataclass(slots=True)
class Pair:
    """Both cards, locked."""

    noun: Noun
    survivor: Any
    merged: Any


def into_of(uow: UnitOfWork, noun: Noun, row: Any) -> int:
    """Give the card that another was merged into, or 0."""
    if "merged_into" in noun.table.c:
        return int(row.merged_into)
    return merged_into(uow.conn, noun.kind.name, row.id)


def put_away(noun: Noun, survivor_id: int) -> dict[str, int]:
    """Give what a merged card's row says of it; a lead's row says no more than that it is away."""
    return {"merged_into": survivor_id} if "merged_into" in noun.table.c else {}


def lock_addresses(uow: UnitOfWork, ids: Iterable[int]) -> None:
    """Let no message of these people in before the transaction ends."""
    statement = select(addresses.c.id).where(addresses.c.contact_id.in_(sorted(set(ids))))
    uow.conn.execute(locked(uow.dialect, statement.order_by(addresses.c.id))).all()


def differences(uow: UnitOfWork | Reader, noun: Noun, mine: Any, theirs: Any) -> list[MergeField]:
    """Give the properties in which two cards differ, and where the survivor's own is empty."""
    found = []
    for prop in custom.whole(uow.conn, noun).kind.properties:
        if not prop.editable or prop.is_joined:
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


def ids_of(uow: UnitOfWork, statement: Any) -> list[int]:
    """Give the ids that a statement selects."""
    return list(uow.conn.execute(statement).scalars())


def pointing_at(table: Table, pair: Pair, object_id: int) -> dict[str, Any]:
    """Give the columns by which a row points at one of both cards."""
    column, _ = pointer_of(table, pair.noun.kind.name)
    values: dict[str, Any] = {column.name: object_id}
    if "version" in table.c:
        values["version"] = table.c.version + 1
    return values
