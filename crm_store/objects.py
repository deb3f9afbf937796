"""Objects of every kind: reading one, a page, a count. They are written in `object_writes`.

What is the same for all kinds stands here once; what a kind does beyond it stands with its noun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    Select,
    Table,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from crm_store import custom, object_grams
from crm_store.filter_sql import ASKING, asking, compile_sql
from crm_store.nouns import NOUNS as NOUNS
from crm_store.nouns import Noun as Noun
from crm_store.object_fields import as_asked, query_fields
from crm_store.object_records import Beside, columns_of, named, record
from crm_store.object_records import records as records
from crm_store.rows import among, listed
from crm_store.sight import visible as visible
from crm_store.sight import visible_people as visible_people
from crm_store.sql import LARGEST, written
from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import merges
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid, NotFound
from hub.filters import DURATIONS, Filter, Moment, Use, conditions_of, parse
from hub.ids import DialogId, Micros, UserId
from hub.objects import Ref
from hub.properties import PropertyType
from hub.records.objects import ObjectPage

FOLDED = 400
MOST_COUNTED = 1_000
"""How far a number beside a tab is counted: how many thousand are closed, nobody acts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectQuery:
    """What a list shows: a filter as JSON, words to look for, an order, a page."""

    filter: Mapping[str, object] | None = None
    text: str = ""
    sort: str = ""
    before: str = ""
    limit: int = 50
    removed: bool = False


def one(reader: Reader, noun: Noun, object_id: int) -> Any:
    """Give an object; raises NotFound, also for what this reader may not see."""
    reader.viewer.need(noun.kind.read)
    beside = Beside.of(reader, noun)
    statement = _one(reader.viewer.sight, Of(noun.table, noun), reader.conn.dialect.name, beside)
    row = reader.conn.execute(statement, {"object": object_id}).first()
    if row is None:
        raise NotFound(f"there is no such {noun.kind.label}")
    return record(reader, noun, row, beside)


def need(reader: Reader, noun: Noun, object_id: int) -> None:
    """Raise NotFound where `one` would."""
    reader.viewer.need(noun.kind.read)
    statement = _there(reader.viewer.sight, Of(noun.table, noun))
    if reader.conn.execute(statement, {"object": object_id}).first() is None:
        raise NotFound(f"there is no such {noun.kind.label}")


def objects_by_id(reader: Reader, noun: Noun, ids: Sequence[int]) -> dict[int, Any]:
    """Give objects by their ids, those in the bin too; what is not there is left out."""
    if not ids:
        return {}
    dialect = reader.conn.dialect.name
    statement = _several(reader.viewer.sight, Of(noun.table, noun), dialect)
    rows = reader.conn.execute(statement, {"objects": listed(dialect, ids)}).all()
    return {one.id: one for one in records(reader, noun, rows)}


def page(reader: Reader, noun: Noun, query: ObjectQuery) -> ObjectPage[Any]:
    """Give a page of objects in the asked order, continued by key."""
    return pages(reader, noun, [query])[0]


def pages(
    reader: Reader, noun: Noun, queries: Sequence[ObjectQuery], names: tuple[str, ...] = ()
) -> list[ObjectPage[Any]]:
    """Give a page of each query; where nothing of them is asked by words, in one question.

    With `names` they are named tuples of the id and these columns: a board shows little of hundreds.
    """
    reader.viewer.need(noun.kind.read)
    if not queries:
        return []
    if len(queries) > 1 and any(query.text for query in queries):
        return [pages(reader, noun, [query], names)[0] for query in queries]
    if any(_is_custom(query.sort) for query in queries):
        noun = custom.whole_of(reader, noun)
    noun = as_asked(reader, noun, *(query.filter for query in queries))
    asked = [_asked(noun, query, names) for query in queries]
    given: dict[str, Any] = {ASKING: asking(reader.viewer.user_id)}
    words = object_grams.words_of(queries[0].text)
    if words:
        near = object_grams.candidates(reader.conn, noun, words)
        given |= object_grams.values(reader.conn.dialect.name, words, near)
        asked = [replace(asked[0], words=len(words), near=near is not None)]
    statement = _listing_for(reader, noun, tuple(asked))
    for n, (one, query) in enumerate(zip(asked, queries, strict=True)):
        if one.further:
            text = _order(noun, one.sort)[1]
            given[f"value_{n}"], given[f"last_{n}"] = _key(query.before, text=text)
    parts: list[list[Row[Any]]] = [[] for _ in queries]
    for row in reader.conn.execute(statement, given).all():
        # By its place, the last: a row looks for each name anew.
        parts[row[-1]].append(row)
    shown = [rows[: one.limit] for rows, one in zip(parts, asked, strict=True)]
    every = [row for rows in shown for row in rows]
    made = iter(named(names, every) if names else records(reader, noun, every))
    return [
        ObjectPage(
            items=tuple(islice(made, len(rows))),
            next=f"{rows[-1].id}~{rows[-1].order_key}" if len(every) > len(rows) else "",
        )
        for rows, every in zip(shown, parts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What makes the text of a list's question: its values come later."""

    tree: Filter | None
    sort: str
    descending: bool
    further: bool
    removed: bool
    limit: int
    names: tuple[str, ...]
    words: int = 0
    near: bool = False


def _is_custom(sort: str) -> bool:
    return sort.removeprefix("-").startswith(custom.PREFIX)


def _asked(noun: Noun, query: ObjectQuery, names: tuple[str, ...]) -> _Asked:
    sort = query.sort or noun.kind.sort
    name = sort.removeprefix("-")
    sortable = {one.name for one in noun.kind.columns if one.sortable} | {"id"}
    if name not in sortable:
        raise Invalid(f"lists are sorted by one of: {', '.join(sorted(sortable))}", field="sort")
    return _Asked(
        tree=parse(query.filter, noun.kind.registered(), Use.QUERY) if query.filter else None,
        sort=name,
        descending=sort.startswith("-"),
        further=bool(query.before),
        removed=query.removed,
        limit=max(1, min(query.limit, 200)),
        names=names,
    )


def _listing_for(reader: Reader, noun: Noun, asked: tuple[_Asked, ...]) -> Any:
    """Give the question of some pages, made once where nothing but its values changes."""
    conditions = [one for each in asked if each.tree for one in conditions_of(each.tree)]
    own = f"{noun.kind.name}.{custom.PREFIX}"
    # Whatever depends on the moment, or on fields that the organisation may change.
    passing = any(one.operator in DURATIONS or one.field.startswith(own) for one in conditions)
    passing = passing or any(_is_custom(one.sort) for one in asked)
    # Who asks is a value of the question (`pages`).
    moment = Moment(now=reader.now if passing else Micros(0), me=UserId(0))
    make = _listing.__wrapped__ if passing else _listing
    dialect = reader.conn.dialect.name
    return make(reader.viewer.sight, Of(noun.table, noun), dialect, moment, asked)


@lru_cache(512)
def _listing(
    viewer: Viewer, of: Of, dialect: str, moment: Moment, asked: tuple[_Asked, ...]
) -> Any:
    """Make the question once for all who see the same: colleagues ask for the same few lists."""
    made = [_one_list(viewer, of, dialect, moment, one, n) for n, one in enumerate(asked)]
    if len(made) == 1:
        return made[0]
    return union_all(*(select(one.subquery()) for one in made))


def _one_list(
    viewer: Viewer, of: Of, dialect: str, moment: Moment, asked: _Asked, n: int
) -> Select[Any]:
    column, _ = _order(of.noun, asked.sort)
    number = of.table.c.id
    part = literal_column(str(n), Integer).label("part")
    columns = (
        [of.table.c[name] for name in ("id", *asked.names)] if asked.names else columns_of(of.noun)
    )
    statement = select(*columns, column.label("order_key"), part)
    statement = statement.where(*_kept(viewer, of.noun, removed=asked.removed))
    if asked.tree is not None:
        statement = statement.where(_filtered(of.noun, asked.tree, moment, dialect))
    if asked.words:
        said = object_grams.conditions(of.noun, dialect, asked.words, near=asked.near)
        statement = statement.where(*said)
    if asked.further:
        value: BindParameter[Any] = bindparam(f"value_{n}")
        last: BindParameter[Any] = bindparam(f"last_{n}")
        further = column < value if asked.descending else column > value
        same = number < last if asked.descending else number > last
        # Said once more as a bound, from which an index is read on; an OR is only compared.
        bound = column <= value if asked.descending else column >= value
        statement = statement.where(bound, or_(further, (column == value) & same))
    order = (column.desc(), number.desc()) if asked.descending else (column.asc(), number.asc())
    return statement.order_by(*order).limit(written(asked.limit + 1))


def _order(noun: Noun, name: str) -> tuple[ColumnElement[Any], bool]:
    """Give what a list is sorted by, and whether it is a text."""
    if name.startswith(custom.PREFIX):
        prop = noun.kind.property(name)
        return custom.expression(noun, prop, noun.table.c.id), prop.type is PropertyType.LINE
    folded = noun.table.c.get(f"{name}_folded")
    return (noun.table.c[name], False) if folded is None else (folded, True)


def count(reader: Reader, noun: Noun, query: ObjectQuery) -> int:
    """Count what a list would show on all its pages."""
    reader.viewer.need(noun.kind.read)
    statement = found(reader, noun, query, select(func.count()).select_from(noun.table))
    return int(reader.conn.execute(statement).scalar_one())


def counts_by(reader: Reader, noun: Noun, name: str) -> dict[Any, int]:
    """Count objects by the choices of one property, each up to MOST_COUNTED."""
    reader.viewer.need(noun.kind.read)
    row = reader.conn.execute(_counts(reader.viewer.sight, Of(noun.table, noun), name)).one()
    choices = noun.kind.property(name).choices
    return {one.value: int(n) for one, n in zip(choices, row, strict=True) if n}


@lru_cache(128)
def _counts(viewer: Viewer, of: Of, name: str) -> Select[Any]:
    column = of.table.c[name]
    kept = (of.table.c.deleted_at == 0, visible(viewer, of.noun))
    counted = []
    for choice in of.noun.kind.property(name).choices:
        some = select(of.table.c.id).where(column == choice.value, *kept).limit(MOST_COUNTED)
        counted.append(select(func.count()).select_from(some.subquery()).scalar_subquery())
    return select(*(one.label(f"n_{n}") for n, one in enumerate(counted)))


def of_dialog(reader: Reader, noun: Noun, dialog_id: DialogId) -> list[Any]:
    """Give the objects of a kind that a dialog is about, the newest first."""
    reader.viewer.need(noun.kind.read)
    statement = _of_dialog(reader.viewer.sight, Of(noun.table, noun))
    return records(reader, noun, reader.conn.execute(statement, {"dialog": dialog_id}).all())


@dataclass(frozen=True, slots=True)
class Of:
    """A noun told apart by its table alone: to compare all that describes a kind takes long."""

    table: Table
    noun: Noun = field(compare=False)


@lru_cache(512)
def _one(viewer: Viewer, of: Of, dialect: str, beside: Beside) -> Select[Any]:
    """Make the question once for all who see the same."""
    shown = select(*columns_of(of.noun), *beside.of_one(dialect, of.noun, bindparam("object")))
    return shown.where(of.table.c.id == bindparam("object"), visible(viewer, of.noun))


@lru_cache(512)
def _there(viewer: Viewer, of: Of) -> Select[Any]:
    return select(of.table.c.id).where(
        of.table.c.id == bindparam("object"), visible(viewer, of.noun)
    )


@lru_cache(512)
def _several(viewer: Viewer, of: Of, dialect: str) -> Select[Any]:
    ids = among(dialect, of.table.c.id, "objects")
    return select(*columns_of(of.noun)).where(ids, visible(viewer, of.noun))


@lru_cache(512)
def _titles(viewer: Viewer, of: Of, dialect: str) -> Select[Any]:
    ids = among(dialect, of.table.c.id, "objects")
    found = select(of.table.c.id, of.noun.title.label("title"))
    return found.where(ids, visible(viewer, of.noun))


@lru_cache(512)
def _of_dialog(viewer: Viewer, of: Of) -> Select[Any]:
    """Make the question once for each viewer: every open dialog asks it for three kinds."""
    ids = select(dialog_links.c.object_id).where(
        dialog_links.c.dialog_id == bindparam("dialog"), dialog_links.c.kind == of.noun.kind.name
    )
    table = of.table
    return (
        select(table)
        .where(table.c.id.in_(ids), table.c.deleted_at == 0, visible(viewer, of.noun))
        .order_by(table.c.id.desc())
    )


def dialogs_of(reader: Reader, ref: Ref) -> list[DialogId]:
    """Give the dialogs that an object is linked to, the newest link first."""
    statement = select(dialog_links.c.dialog_id)
    if not reader.viewer.sees_all_dialogs:
        statement = statement.join(dialogs, dialogs.c.id == dialog_links.c.dialog_id).where(
            reader.viewer.dialogs_clause()
        )
    found = reader.conn.execute(
        statement.where(
            dialog_links.c.kind == ref.kind, dialog_links.c.object_id == ref.id
        ).order_by(dialog_links.c.created_at.desc())
    )
    return [DialogId(number) for number in found.scalars()]


def titles(reader: Reader, noun: Noun, ids: Sequence[int]) -> dict[int, str]:
    """Give the names of objects by their ids."""
    if not ids or not reader.viewer.may(noun.kind.read):
        return {}
    dialect = reader.conn.dialect.name
    statement = _titles(reader.viewer.sight, Of(noun.table, noun), dialect)
    rows = reader.conn.execute(statement, {"objects": listed(dialect, set(ids))}).all()
    return dict(tuple(row) for row in rows)


def has(reader: Reader, noun: Noun, object_id: int, *, none_of: Sequence[str] = ()) -> bool:
    """Say whether the reader may see an object in which nothing of these columns is set."""
    table = noun.table
    unset = [table.c[name] == 0 for name in none_of if name in table.c]
    statement = select(table.c.id).where(
        table.c.id == object_id, visible(reader.viewer, noun), *unset
    )
    return reader.conn.execute(statement).first() is not None


def found(reader: Reader, noun: Noun, query: ObjectQuery, statement: Select[Any]) -> Select[Any]:
    """Limit a statement over a kind's table to what a list would show on all its pages."""
    statement = statement.where(*_kept(reader.viewer, noun, removed=query.removed))
    if query.filter:
        noun = as_asked(reader, noun, query.filter)
        tree = parse(query.filter, noun.kind.registered(), Use.QUERY)
        moment = Moment(now=reader.now, me=reader.viewer.user_id)
        statement = statement.where(_filtered(noun, tree, moment, reader.conn.dialect.name))
    words = object_grams.words_of(query.text)
    if words:
        statement = statement.where(object_grams.has_words(reader.conn, noun, words))
    return statement


def _kept(viewer: Viewer, noun: Noun, *, removed: bool) -> list[ColumnElement[bool]]:
    """Give the conditions of what stands in a list, or in the bin, for this viewer."""
    table = noun.table
    kept = [table.c.deleted_at > 0 if removed else table.c.deleted_at == 0, visible(viewer, noun)]
    # A merged card comes back by undoing the merge, not out of the bin.
    if removed and "merged_into" in table.c:
        kept.append(table.c.merged_into == 0)
    elif removed:
        mine = (merges.c.kind == noun.kind.name) & (merges.c.merged_id == table.c.id)
        kept.append(~exists().where(mine, merges.c.undone_at == 0))
    return kept


def _filtered(noun: Noun, tree: Filter, moment: Moment, dialect: str) -> ColumnElement[bool]:
    known = noun.kind.registered()
    return compile_sql(tree, known, query_fields(noun), noun.table.c.id, moment, dialect)


def _key(before: str, *, text: bool) -> tuple[Any, int]:
    number, tilde, value = before.partition("~")
    digits = number.isascii() and number.isdecimal() and int(number) <= LARGEST
    if tilde and digits and text:
        return value, int(number)
    plain = value.removeprefix("-")
    if tilde and digits and plain.isascii() and plain.isdecimal() and int(plain) <= LARGEST:
        return int(value), int(number)
    raise Invalid("this is not the end of a page", field="before")
