"""Records of objects: made of their rows, with their tags and custom fields."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache, lru_cache
from inspect import ismemberdescriptor
from itertools import repeat
from operator import call, itemgetter
from typing import Any

from sqlalchemy import Column, Row, Select, String, Table, bindparam, literal_column, select

from crm_store import custom
from crm_store.nouns import Noun
from crm_store.rows import among, gathered_in, gathered_rows, listed, numbers, row_by_row
from crm_store.tables.objects import object_tags
from crm_store.viewer import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is asked for beside rows of objects: their tags, and the organisation's fields where a
    read does not know them yet."""

    tags: bool
    fields: bool

    @classmethod
    def of(cls, reader: Reader, noun: Noun) -> Beside:
        """Say what a reader needs to make records of a kind."""
        record: Any = noun.kind.record
        known = _names(record)
        return cls(tags="tags" in known, fields="custom" in known and not custom.is_told(reader))

    def of_one(self, dialect: str, noun: Noun, number: Any) -> list[Any]:
        """Give the values to ask for in the question of one object."""
        tag = object_tags.c
        own = select(gathered_rows(dialect, tag.object_id, tag.tag, tag.tag_folded)).where(
            tag.kind == literal_column(f"'{noun.kind.name}'", String), tag.object_id == number
        )
        return self._labelled(dialect, own)

    def of_many(self, dialect: str) -> Select[Any]:
        """Ask for the values beside a list of objects."""
        own = _tags(dialect).subquery("tags")
        return select(*self._labelled(dialect, select(gathered_rows(dialect, *own.c))))

    def _labelled(self, dialect: str, tags: Select[Any]) -> list[Any]:
        asked = [tags.scalar_subquery()] if self.tags else []
        asked += custom.every_field(dialect) if self.fields else ()
        return [one.label(f"beside_{n}") for n, one in enumerate(asked)]

    def told(self, reader: Reader, values: Sequence[Any]) -> dict[int, list[tuple[str, str]]]:
        """Let a read know the fields, and give the tags of each object."""
        if self.fields:
            fields, levels = values[-2:]
            custom.tell(reader, (fields, levels))
        # Put in order by who shows them: asked for in order, SQLite would read all tags of the kind.
        tags: dict[int, list[tuple[str, str]]] = {}
        for number, tag, folded in gathered_in(values[0]) if self.tags else ():
            tags.setdefault(number, []).append((folded, tag))
        return tags


def record(reader: Reader, noun: Noun, row: Row[Any], beside: Beside) -> Any:
    """Make the record of a row that ends with what is beside it."""
    count = beside.tags + 2 * beside.fields
    tags = beside.told(reader, row[-count:] if count else ())
    return _made(reader, noun, [row], tags)[0]


def records(reader: Reader, noun: Noun, rows: Sequence[Row[Any]]) -> list[Any]:
    """Make the records of rows, with their tags and custom fields."""
    if not rows:
        return []
    beside = Beside.of(reader, noun)
    tags: dict[int, list[tuple[str, str]]] = {}
    if beside.tags:
        dialect = reader.conn.dialect.name
        # `numbers` calls them by the name of their column.
        name = "given" if dialect == "sqlite" else "given_id"
        ids = listed(dialect, map(_number_of(rows), rows))
        given = {"kind": noun.kind.name, name: ids}
        tags = beside.told(reader, reader.conn.execute(_beside(dialect, beside), given).one())
    return _made(reader, noun, rows, tags)


@cache
def _beside(dialect: str, beside: Beside) -> Select[Any]:
    return beside.of_many(dialect)


def _made(
    reader: Reader,
    noun: Noun,
    rows: Sequence[Row[Any]],
    tags: Mapping[int, list[tuple[str, str]]],
) -> list[Any]:
    ids = list(map(_number_of(rows), rows))
    record: Any = noun.kind.record
    more: Mapping[int, Any] = {}
    known = _names(record)
    has_tags = "tags" in known
    if "custom" in known:
        more = custom.values_of(reader.conn, custom.whole_of(reader, noun), ids)
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


def _number_of(rows: Sequence[Row[Any]]) -> Callable[[Row[Any]], int]:
    return itemgetter(rows[0]._fields.index("id"))


@cache
def _names(record: Any) -> frozenset[str]:
    return frozenset(one.name for one in fields(record))


def columns_of(noun: Noun) -> list[Column[Any]]:
    """Give the columns of a kind's record: of the others, folded twins of texts, nothing is made."""
    record: Any = noun.kind.record
    known = {one.name for one in fields(record)}
    return [one for one in noun.table.c if one.name in known]


def named(names: tuple[str, ...], rows: Sequence[Row[Any]]) -> list[Any]:
    """Give rows as named tuples: a row looks for a name anew each time it is asked for it."""
    make, many = _tuple_of(names)._make, len(names) + 1
    return [make(row[:many]) for row in rows]


@cache
def _tuple_of(names: tuple[str, ...]) -> Any:
    return namedtuple("Shown", ("id", *names))


@lru_cache(256)
def _maker(
    record: Any, table: Table, columns: tuple[str, ...]
) -> Callable[[Row[Any], Mapping[str, Any]], Any]:
    """Give what makes a record of a row, and of what does not stand in its table.

    Slot by slot, without a loop in Python: a page makes hundreds of records of some thirty fields
    each, and half the time would go into handing over their names. A plugin's record that has no slots, or does something
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
        # To set a slot gives None, so that all of them are gone through.
        any(map(call, taken, repeat(made), values(row)))
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
    tag = object_tags.c
    columns, kind = (tag.object_id, tag.tag, tag.tag_folded), tag.kind == bindparam("kind")
    if dialect == "sqlite":
        return select(*columns).where(kind, among(dialect, tag.object_id, "given"))
    # By a list of ids PostgreSQL would read the tags of all there are.
    given = numbers(dialect, ("id",))
    own = kind & (tag.object_id == given.c.id)
    source, shown = row_by_row(dialect, given, object_tags, columns, own)
    return select(*shown.c).select_from(source).where(shown.c.object_id.is_not(None))
