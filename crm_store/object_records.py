"""Records of objects: made of their rows, with their tags and custom fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache, lru_cache
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
    asked = {"kind": noun.kind.name, "objects": listed(dialect, [row.id for row in rows])}
    for row in reader.conn.execute(_tags(dialect), asked):
        tags.setdefault(row.object_id, []).append((row.tag_folded, row.tag))
    record: Any = noun.kind.record
    known, names, values = _reading(record, noun.table, rows[0]._fields)
    more: Mapping[int, Any] = {}
    if "custom" in known:
        whole = custom.whole_of(reader, noun)
        more = custom.values_of(reader.conn, whole, [row.id for row in rows])
    has_tags = "tags" in known
    made = []
    for row in rows:
        number, given = row.id, dict(zip(names, values(row), strict=True))
        if number in more:
            given["custom"] = more[number]
        if has_tags:
            own = tags.get(number)
            given["tags"] = tuple(tag for _, tag in sorted(own)) if own else ()
        made.append(record(**given))
    return made


@lru_cache(256)
def _reading(
    record: Any, table: Table, columns: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], Callable[[Row[Any]], tuple[Any, ...]]]:
    """Give the names that a record knows, those that rows hold, and what takes these out of a row."""
    # The record's own names: a call compares keywords by identity before it reads them.
    known = tuple(one.name for one in fields(record))
    names = tuple(name for name in known if name in table.c)
    return known, names, itemgetter(*(columns.index(name) for name in names))


@cache
def _tags(dialect: str) -> Select[Any]:
    return select(object_tags.c.object_id, object_tags.c.tag, object_tags.c.tag_folded).where(
        object_tags.c.kind == bindparam("kind"), among(dialect, object_tags.c.object_id, "objects")
    )
