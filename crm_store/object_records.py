"""Records of objects: made of their rows, with their tags and custom fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from functools import cache, lru_cache
from inspect import ismemberdescriptor
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, select

from crm_store import custom
from crm_store.nouns import Noun
from crm_store.rows import among, listed
from crm_store.tables.objects import object_tags
from crm_store.viewer import Reader


def records(reader: Reader, noun: Noun, rows: Sequence[Row[Any]]) -> list[Any]:
    """Make the records of rows, with their tags and custom fields."""
    if not rows:
        return []
    # Put in order here: asked for in order, SQLite would read all tags of the kind.
    tags: dict[int, list[tuple[str, str]]] = {}
    dialect = reader.conn.dialect.name
    ids = [row.id for row in rows]
    asked = {"kind": noun.kind.name, "objects": listed(dialect, ids)}
    for row in reader.conn.execute(_tags(dialect), asked):
        tags.setdefault(row.object_id, []).append((row.tag_folded, row.tag))
    record: Any = noun.kind.record
    more: Mapping[int, Any] = {}
    known = {one.name for one in fields(record)}
    if "custom" in known:
        more = custom.values_of(reader.conn, custom.whole_of(reader, noun), ids)
    has_tags = "tags" in known
    make = _maker(record, noun.table, rows[0]._fields)
    made = []
    for number, row in zip(ids, rows, strict=True):
        given = {}
        if number in more:
            given["custom"] = more[number]
        if has_tags:
            own = tags.get(number)
            given["tags"] = tuple(tag for _, tag in sorted(own)) if own else ()
        made.append(make(row, given))
    return made


@lru_cache(256)
def _maker(
    record: Any, table: Table, columns: tuple[str, ...]
) -> Callable[[Row[Any], Mapping[str, Any]], Any]:
    """Give what makes a record of a row, and of what does not stand in its table.

    Slot by slot: a board makes hundreds of records of some thirty fields each, and half the time
    would go into handing over their names. A plugin's record that has no slots, or does something
    of its own when it is made, is made by its names.
    """
    known = fields(record)
    names = [one.name for one in known if one.name in table.c]
    values = itemgetter(*(columns.index(name) for name in names))
    plain = all(ismemberdescriptor(getattr(record, one.name, None)) for one in known)
    if not plain or hasattr(record, "__post_init__"):
        return lambda row, given: record(**dict(zip(names, values(row), strict=True)), **given)
    slots = {one.name: getattr(record, one.name).__set__ for one in known}
    taken = [slots[name] for name in names]
    others = [(one, slots[one.name]) for one in known if one.name not in table.c]

    def make(row: Row[Any], given: Mapping[str, Any]) -> Any:
        made = object.__new__(record)
        for put, value in zip(taken, values(row), strict=True):
            put(made, value)
        for one, put in others:
            put(made, given[one.name] if one.name in given else _default(record, one))
        return made

    return make


def _default(record: Any, one: Field[Any]) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    if one.default is MISSING:
        raise TypeError(f"{record.__name__} needs {one.name}")
    return one.default


@cache
def _tags(dialect: str) -> Select[Any]:
    return select(object_tags.c.object_id, object_tags.c.tag, object_tags.c.tag_folded).where(
        object_tags.c.kind == bindparam("kind"), among(dialect, object_tags.c.object_id, "objects")
    )
