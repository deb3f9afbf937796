"""Objects of every kind: reading one, a page, a count. They are written in `object_writes`.

What is the same for all kinds stands here once; what a kind does beyond it stands with its noun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
)

from crm_store import custom, object_grams
from crm_store.filter_sql import compile_sql
from crm_store.nouns import NOUNS as NOUNS
from crm_store.nouns import Noun as Noun
from crm_store.object_fields import query_fields
from crm_store.rows import among, listed
from crm_store.sql import LARGEST
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_helpers, interests
from crm_store.tables.objects import dialog_links, object_tags
from crm_store.tables.people import clients, contacts
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid, NotFound
from hub.filters import Moment, Use, parse
from hub.ids import DialogId
from hub.objects import Ref
from hub.properties import PropertyType
from hub.records.objects import ObjectPage
from hub.roles import Scope
from hub.terms import fold

FOLDED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectQuery:
    """What a list shows: a filter as JSON, words to look for, an order, a page."""

    filter: Mapping[str, object] | None = None
    text: str = ""
    sort: str = ""
    before: str = ""
    limit: int = 50
    removed: bool = False


def visible(viewer: Viewer, noun: Noun) -> ColumnElement[bool]:
    """Give the condition that keeps out what this viewer may not see.

    That is what is outside the scope of his role, and what came from channels closed to him.
    """
    if noun.kind.name == "contact":
        return visible_people(viewer)
    scope = viewer.objects_clause(noun.kind, noun.table)
    if viewer.hidden_accounts:
        hidden = (
            select(dialog_links.c.object_id)
            .join(dialogs, dialogs.c.id == dialog_links.c.dialog_id)
            .where(
                dialog_links.c.kind == noun.kind.name,
                dialog_links.c.object_id == noun.table.c.id,
                dialogs.c.account_id.in_(sorted(viewer.hidden_accounts)),
            )
        )
        scope = and_(scope, ~hidden.correlate(noun.table).exists())
    elif viewer.scope(noun.kind.subject) is Scope.ALL:
        return scope
    return or_(scope, _let_in(viewer)) if noun.kind.name == "interest" else scope


def _let_in(viewer: Viewer) -> ColumnElement[bool]:
    """Give the interests that were opened to a co-executor beyond what his role shows."""
    helps = select(interest_helpers.c.interest_id).where(
        interest_helpers.c.interest_id == interests.c.id,
        interest_helpers.c.user_id == viewer.user_id,
        interest_helpers.c.access,
    )
    return helps.correlate(interests).exists()


def visible_people(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition over contact persons: who may be seen of them."""
    condition: ColumnElement[bool] = viewer.people_clause(contacts, NOUNS["client"].kind, clients)
    return condition


def hidden_among(reader: Reader, named: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Give those of some objects and persons, by kind and id, that this reader may not see."""
    ids: dict[str, list[int]] = {}
    for kind, number in named:
        ids.setdefault(kind, []).append(number)
    found: set[tuple[str, int]] = set()
    for kind, numbers in ids.items():
        if kind not in reader.nouns:
            continue
        noun = reader.nouns[kind]
        table, seen = noun.table, visible(reader.viewer, noun)
        hidden = select(table.c.id).where(table.c.id.in_(numbers), not_(seen))
        found |= {(kind, number) for number in reader.conn.execute(hidden).scalars()}
    return found


def one(reader: Reader, noun: Noun, object_id: int) -> Any:
    """Give an object; raises NotFound, also for what this reader may not see."""
    return records(reader, noun, [_row(reader, noun, object_id)])[0]


def need(reader: Reader, noun: Noun, object_id: int) -> None:
    """Raise NotFound where `one` would."""
    _row(reader, noun, object_id)


def _row(reader: Reader, noun: Noun, object_id: int) -> Row[Any]:
    reader.viewer.need(noun.kind.read)
    statement = _one(reader.viewer.sight, Of(noun.table, noun))
    row = reader.conn.execute(statement, {"object": object_id}).first()
    if row is None:
        raise NotFound(f"there is no such {noun.kind.label}")
    return row


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
    reader.viewer.need(noun.kind.read)
    sort = query.sort or noun.kind.sort
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name.startswith(custom.PREFIX):
        noun = custom.whole_of(reader, noun)
    sortable = {one.name for one in noun.kind.columns if one.sortable} | {"id"}
    if name not in sortable:
        raise Invalid(f"lists are sorted by one of: {', '.join(sorted(sortable))}", field="sort")
    column, is_text = _order(noun, name)
    number = noun.table.c.id
    statement = found(reader, noun, query, select(noun.table, column.label("order_key")))
    if query.before:
        value, last = _key(query.before, text=is_text)
        further = column < value if descending else column > value
        same = number < last if descending else number > last
        # Said once more as a bound, from which an index is read on; an OR is only compared.
        bound = column <= value if descending else column >= value
        statement = statement.where(bound, or_(further, (column == value) & same))
    order = (column.desc(), number.desc()) if descending else (column.asc(), number.asc())
    limit = max(1, min(query.limit, 200))
    rows = reader.conn.execute(statement.order_by(*order).limit(limit + 1)).all()
    more, rows = len(rows) > limit, rows[:limit]
    following = f"{rows[-1].id}~{rows[-1].order_key}" if more else ""
    return ObjectPage(items=tuple(records(reader, noun, rows)), next=following)


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
    """Count objects by the values of one property."""
    reader.viewer.need(noun.kind.read)
    column = noun.table.c[name]
    statement = (
        select(column, func.count())
        .where(noun.table.c.deleted_at == 0, visible(reader.viewer, noun))
        .group_by(column)
    )
    return {row[0]: int(row[1]) for row in reader.conn.execute(statement)}


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
def _one(viewer: Viewer, of: Of) -> Select[Any]:
    """Make the question once for all who see the same."""
    return select(of.table).where(of.table.c.id == bindparam("object"), visible(viewer, of.noun))


@lru_cache(512)
def _several(viewer: Viewer, of: Of, dialect: str) -> Select[Any]:
    ids = among(dialect, of.table.c.id, "objects")
    return select(of.table).where(ids, visible(viewer, of.noun))


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


@cache
def _tags(dialect: str) -> Select[Any]:
    return select(object_tags.c.object_id, object_tags.c.tag, object_tags.c.tag_folded).where(
        object_tags.c.kind == bindparam("kind"), among(dialect, object_tags.c.object_id, "objects")
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
    rows = reader.conn.execute(statement, {"objects": listed(dialect, set(ids))})
    return {row.id: row.title for row in rows}


def found(reader: Reader, noun: Noun, query: ObjectQuery, statement: Select[Any]) -> Select[Any]:
    """Limit a statement over a kind's table to what a list would show on all its pages."""
    table = noun.table
    statement = statement.where(
        table.c.deleted_at > 0 if query.removed else table.c.deleted_at == 0,
        visible(reader.viewer, noun),
    )
    if query.removed and "merged_into" in table.c:
        # A merged card comes back by undoing the merge, not out of the bin.
        statement = statement.where(table.c.merged_into == 0)
    if query.filter:
        noun = custom.whole_of(reader, noun)
        known = noun.kind.registered()
        tree = parse(query.filter, known, Use.QUERY)
        moment = Moment(now=reader.now, me=reader.viewer.user_id)
        dialect = reader.conn.dialect.name
        statement = statement.where(
            compile_sql(tree, known, query_fields(noun), table.c.id, moment, dialect)
        )
    words = fold(query.text).split()
    if words:
        statement = statement.where(*object_grams.has_words(reader.conn, noun, words))
    return statement


def _key(before: str, *, text: bool) -> tuple[Any, int]:
    number, tilde, value = before.partition("~")
    digits = number.isascii() and number.isdecimal() and int(number) <= LARGEST
    if tilde and digits and text:
        return value, int(number)
    plain = value.removeprefix("-")
    if tilde and digits and plain.isascii() and plain.isdecimal() and int(plain) <= LARGEST:
        return int(value), int(number)
    raise Invalid("this is not the end of a page", field="before")


def records(reader: Reader, noun: Noun, rows: Sequence[Row[Any]]) -> list[Any]:
    """Make the records of rows, with their tags and custom fields."""
    # Put in order here: asked for in order, SQLite would read all tags of the kind.
    tags: dict[int, list[tuple[str, str]]] = {}
    if rows:
        dialect = reader.conn.dialect.name
        given = {"kind": noun.kind.name, "objects": listed(dialect, [row.id for row in rows])}
        for row in reader.conn.execute(_tags(dialect), given):
            tags.setdefault(row.object_id, []).append((row.tag_folded, row.tag))
    record: Any = noun.kind.record
    known = {one.name for one in fields(record)}
    names = [name for name in known if name in noun.table.c]
    more: Mapping[int, Any] = {}
    if rows and "custom" in known:
        whole = custom.whole_of(reader, noun)
        more = custom.values_of(reader.conn, whole, [row.id for row in rows])
    places = [rows[0]._fields.index(name) for name in names] if rows else []
    return [
        record(
            **{name: row[place] for name, place in zip(names, places, strict=True)},
            **({"custom": more[row.id]} if row.id in more else {}),
            **(
                {"tags": tuple(tag for _, tag in sorted(tags.get(row.id, ())))}
                if "tags" in known
                else {}
            ),
        )
        for row in rows
    ]
