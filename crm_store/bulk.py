"""Many objects of one kind in a few statements: for imports, where one by one costs too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from crm_store import custom, object_writes, objects
from crm_store.object_writes import NO_FILES
from crm_store.objects import FOLDED, Noun
from crm_store.rows import insert_missing, insert_rows
from crm_store.sql import locked
from crm_store.tables.objects import object_tags
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.objects import Change
from hub.properties import CardFile, PropertyType, empty_value, value_of
from hub.terms import fold

CHUNK = 400
"""How many values stand in one IN list."""


def create_many(
    uow: UnitOfWork, noun: Noun, rows: Sequence[tuple[int, Mapping[str, object]]]
) -> None:
    """Write new objects: pairs of an id and checked values."""
    if not rows:
        return
    empty: dict[str, Any] = {}
    for prop in noun.kind.properties:
        if prop.name in noun.table.c:
            first = prop.choices[0].value if prop.choices else ""
            is_choice = prop.type is PropertyType.CHOICE
            value = first if is_choice else empty_value(prop.type)
            empty |= object_writes.columns_of(noun, prop.name, value)
    made: list[dict[str, Any]] = []
    for object_id, values in rows:
        row = {**empty, "id": object_id, "created_at": uow.now, **stored(noun, values)}
        row |= object_writes.owned(uow, noun, row)
        made.append(row | object_writes.derived(noun, row))
    insert_rows(uow.conn, noun.table, made)
    custom.write(uow, noun, rows)
    _add_tags(uow, noun, [(number, values.get("tags")) for number, values in rows])


def stored(noun: Noun, values: Mapping[str, object]) -> dict[str, object]:
    """Give the columns of values, of a line its folded twin too."""
    row: dict[str, object] = {}
    for name, value in values.items():
        if name in noun.table.c:
            row |= object_writes.columns_of(noun, name, value)
    return row


def _add_tags(uow: UnitOfWork, noun: Noun, rows: Sequence[tuple[int, object]]) -> None:
    found = [
        {"kind": noun.kind.name, "object_id": number, "tag_folded": fold(tag)[:FOLDED], "tag": tag}
        for number, tags in rows
        if isinstance(tags, tuple)
        for tag in tags
        if fold(tag)
    ]
    if found:
        insert_missing(uow.conn, object_tags, found)


def lock_many(uow: UnitOfWork, noun: Noun, ids: Sequence[int]) -> dict[int, Any]:
    """Lock objects in the order of their ids; gives their records with versions, by id."""
    found: dict[int, Any] = {}
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    for chunk in chunks(sorted(set(ids))):
        rows = uow.conn.execute(
            locked(
                uow.dialect,
                select(noun.table)
                .where(noun.table.c.id.in_(chunk), objects.visible(uow.viewer, noun))
                .order_by(noun.table.c.id),
            )
        ).all()
        for one in objects.records(reader, noun, rows):
            found[one.id] = one
    return found


def change_many(
    uow: UnitOfWork,
    noun: Noun,
    rows: Sequence[tuple[Any, Mapping[str, object]]],
    files: Mapping[int, CardFile] = NO_FILES,
    *,
    undoable: bool = False,
) -> tuple[Change, ...]:
    """Write what differs: pairs of a locked record and values; gives the Changes.

    `files` describes those that stand among the values; for `undoable` see `custom.write`.
    """
    changes: list[Change] = []
    by_shape: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for before, values in rows:
        also = object_writes.derived(noun, _Changed(before, values))
        new = {**values, **{n: value for n, value in also.items() if getattr(before, n) != value}}
        # With no column of its own an object still has a new version.
        columns = stored(noun, new)
        by_shape.setdefault(tuple(sorted(columns)), []).append({"b_id": before.id, **columns})
        known = {**before.custom.files, **files} if files else NO_FILES
        changes += [
            object_writes.change_of(
                noun.kind, before.id, name, value_of(before, name), value, known
            )
            for name, value in new.items()
        ]
    for names, found in by_shape.items():
        uow.conn.execute(
            update(noun.table)
            .where(noun.table.c.id == bindparam("b_id"))
            .values(
                version=noun.table.c.version + 1, **{name: bindparam(f"v_{name}") for name in names}
            ),
            [{"b_id": one["b_id"], **{f"v_{name}": one[name] for name in names}} for one in found],
        )
    custom.write(uow, noun, [(before.id, values) for before, values in rows], undoable=undoable)
    for before, values in rows:
        if isinstance(values.get("tags"), tuple):
            object_writes.write_tags(uow, noun, before.id, values["tags"])  # type: ignore[arg-type]
    return tuple(changes)


class _Changed(dict[str, Any]):
    """A record with new values, as what follows from a row is asked for."""

    def __init__(self, before: Any, values: Mapping[str, object]) -> None:
        super().__init__(values)
        self._before = before

    def __missing__(self, name: str) -> Any:
        return getattr(self._before, name)

    def get(self, name: str, default: Any = None) -> Any:
        """Look where `[]` does."""
        return self[name]


def chunks(ids: Sequence[Any]) -> list[list[Any]]:
    """Cut a list into parts that fit an IN list."""
    return [list(ids[n : n + CHUNK]) for n in range(0, len(ids), CHUNK)]
