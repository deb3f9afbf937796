"""Custom fields: a kind as this organisation has it, and the values of its objects.

A kind is made whole from the rows of its fields inside the same transaction that uses it, so a
new field counts at once, in every process, without a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select

from crm_store.filter_sql import QueryField, Subject
from crm_store.nouns import Noun
from crm_store.rows import insert_rows
from crm_store.support_levels import with_levels
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, once_a_read
from hub.errors import Invalid
from hub.filters import Choice
from hub.kinds import Column, Kind
from hub.properties import CustomValues, Property, PropertyType, empty_value, read_value
from hub.terms import fold

FOLDED = 400
PREFIX = "custom."
TYPES: Mapping[str, PropertyType] = {
    "line": PropertyType.LINE,
    "text": PropertyType.TEXT,
    "number": PropertyType.NUMBER,
    "date": PropertyType.DATE,
    "choice": PropertyType.CHOICE,
    "choices": PropertyType.TAGS,
    "person": PropertyType.REF,
    "money": PropertyType.MONEY,
    "flag": PropertyType.FLAG,
}
SORTED = frozenset({"line", "number", "date", "money"})
_TEXTS = frozenset({PropertyType.LINE, PropertyType.TEXT, PropertyType.CHOICE})
Described = tuple[Any, ...]


_FIELDS = (
    select(
        custom_fields.c.id,
        custom_fields.c.name,
        custom_fields.c.type,
        custom_fields.c.label,
        custom_fields.c.label_ru,
        custom_fields.c.help,
        custom_fields.c.choices,
        custom_fields.c.group_name,
        custom_fields.c.required,
        custom_fields.c.personal,
        custom_fields.c.listed,
        custom_fields.c.kind,
    )
    .where(custom_fields.c.archived_at == 0)
    .order_by(custom_fields.c.position, custom_fields.c.id)
)
_OF_KIND = _FIELDS.where(custom_fields.c.kind == bindparam("kind"))


def whole(conn: Connection, noun: Noun) -> Noun:
    """Give a noun whose kind has this organisation's fields too."""
    return _with_fields(conn, noun, conn.execute(_OF_KIND, {"kind": noun.kind.name}).all())


def _with_fields(conn: Connection, noun: Noun, rows: Sequence[Any]) -> Noun:
    noun = with_levels(conn, _bare(noun))
    if not rows:
        return noun
    return _whole(noun, tuple(_property(_described(row)) for row in rows))


@once_a_read
def _fields(reader: Reader) -> tuple[Any, ...]:
    """Give the fields of all kinds: a page has objects of several, and no kind has many fields."""
    return tuple(reader.conn.execute(_FIELDS))


def whole_of(reader: Reader, noun: Noun) -> Noun:
    """Give the same to a reader, asked once for each kind in a read."""
    found: Noun | None = reader.known.get((whole, noun.kind.name))
    if found is None:
        own = [one for one in _fields(reader) if one.kind == noun.kind.name]
        found = reader.known[whole, noun.kind.name] = _with_fields(reader.conn, noun, own)
    return found


def whole_kinds(conn: Connection, nouns: Mapping[str, Noun]) -> list[Kind]:
    """Give every kind with this organisation's fields."""
    used = set(conn.execute(select(custom_fields.c.kind).distinct()).scalars())
    return [
        (whole(conn, one) if name in used else with_levels(conn, one)).kind
        for name, one in nouns.items()
    ]


def _described(row: Any) -> Described:
    choices = tuple((one["value"], one["label"], one.get("label_ru", "")) for one in row.choices)
    # Of which kind it is, the last of them, is known to whoever asks.
    return (*row[:6], choices, *row[7:-1])


def _bare(noun: Noun) -> Noun:
    """Give a noun as it is described, also where it was made whole before."""
    if not customs(noun):
        return noun
    kind = noun.kind
    mark = f"{kind.name}.{PREFIX}"
    return replace(
        noun,
        kind=replace(
            kind,
            properties=tuple(one for one in kind.properties if not one.is_custom),
            columns=tuple(one for one in kind.columns if not one.name.startswith(PREFIX)),
            fields=tuple(one for one in kind.fields if not one.name.startswith(mark)),
        ),
    )


def _whole(noun: Noun, more: tuple[Property, ...]) -> Noun:
    kind = noun.kind
    columns = tuple(
        Column(name=one.name, label=one.label, sortable=one.sortable, translations=one.translations)
        for one in more
        if one.listed or one.sortable
    )
    fields = tuple(one.filter_field(kind.name) for one in more if one.type is not PropertyType.TEXT)
    return replace(
        noun,
        kind=replace(
            kind,
            properties=(*kind.properties, *more),
            columns=(*kind.columns, *columns),
            fields=(*kind.fields, *fields),
        ),
    )


@lru_cache(maxsize=1024)
def _property(row: Described) -> Property:
    number, name, type, label, label_ru, help, choices, group, required, personal, listed = row
    return Property(
        name=f"{PREFIX}{name}",
        label=label,
        type=TYPES[type],
        choices=tuple(
            Choice(value, one or value, {"ru": russian or one or value})
            for value, one, russian in choices
        ),
        ref="user" if type == "person" else "",
        required=required,
        personal=personal,
        listed=listed,
        sortable=type in SORTED,
        group=group,
        help=help,
        translations={"ru": label_ru or label},
        field_id=number,
    )


def customs(noun: Noun) -> list[Property]:
    """Give the custom properties of a whole noun."""
    return [one for one in noun.kind.properties if one.is_custom]


# -- reading -------------------------------------------------------------------------------


def values_of(conn: Connection, noun: Noun, ids: Sequence[int]) -> dict[int, CustomValues]:
    """Give the values of objects by their ids; what is not set is empty."""
    known = customs(noun)
    if not known:
        return {}
    types = {one.name.removeprefix(PREFIX): one.type for one in known}
    empty = {
        one.name.removeprefix(PREFIX): "" if one.type is PropertyType.CHOICE else empty_value(
            one.type
        )
        for one in known
    }  # fmt: skip
    found = {number: CustomValues(empty, types) for number in ids}
    by_id = {one.field_id: one for one in known}
    for row in conn.execute(
        select(custom_values)
        .where(custom_values.c.kind == noun.kind.name, custom_values.c.object_id.in_(ids))
        .order_by(custom_values.c.item)
    ):
        prop = by_id.get(row.field_id)
        if prop is None:
            continue
        name, values = prop.name.removeprefix(PREFIX), found[row.object_id]
        if prop.type is PropertyType.TAGS:
            values[name] = (*values[name], row.item)  # type: ignore[misc]
        elif prop.type in _TEXTS:
            values[name] = row.text
        elif prop.type is PropertyType.FLAG:
            values[name] = bool(row.number)
        else:
            values[name] = row.number
    return found


def query_field(noun: Noun, prop: Property) -> QueryField:
    """Say where a custom field stands in the database."""
    if prop.type is PropertyType.TAGS:
        return QueryField(sql=lambda subject: _rows(noun, prop, subject, custom_values.c.folded))
    return QueryField(sql=lambda subject: expression(noun, prop, subject), nullable=False)


def expression(noun: Noun, prop: Property, subject: Subject) -> ColumnElement[Any]:
    """Give the value of a field as SQL; empty where it is not set."""
    column: Any = custom_values.c.folded
    empty: Any = ""
    if prop.type not in (PropertyType.LINE, PropertyType.CHOICE):
        column, empty = custom_values.c.number, 0
    value = func.coalesce(_rows(noun, prop, subject, column).scalar_subquery(), empty)
    return value == 1 if prop.type is PropertyType.FLAG else value


def _rows(noun: Noun, prop: Property, subject: Subject, column: Any) -> Any:
    return select(column).where(
        custom_values.c.kind == noun.kind.name,
        custom_values.c.object_id == subject,
        custom_values.c.field_id == prop.field_id,
    )


# -- writing -------------------------------------------------------------------------------


def split(values: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Part the values of a card's own properties from those of custom fields."""
    own: dict[str, object] = {}
    more: dict[str, object] = {}
    for name, one in values.items():
        if name == "custom":
            if one is not None and not isinstance(one, Mapping):
                raise Invalid("values by the names of fields are needed", field="custom")
            more |= {f"{PREFIX}{key}": value for key, value in (one or {}).items()}
        else:
            (more if name.startswith(PREFIX) else own)[name] = one
    return own, more


def read(noun: Noun, given: Mapping[str, object]) -> dict[str, object]:
    """Check values of custom fields, as `read_value` does; raises Invalid."""
    known = {one.name: one for one in customs(noun)}
    found: dict[str, object] = {}
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"a {noun.kind.label} has no field {name!r}", field=name)
        prop = known[name]
        if prop.type is PropertyType.CHOICE and value in (None, ""):
            if prop.required:
                raise Invalid("this is needed", field=name)
            found[name] = ""
        else:
            found[name] = read_value(prop, value)
    return found


def write(uow: UnitOfWork, noun: Noun, rows: Sequence[tuple[int, Mapping[str, object]]]) -> None:
    """Write checked values of custom fields: pairs of an object and what is new on it."""
    known = {one.name: one for one in customs(noun)}
    kind = noun.kind.name
    new: list[dict[str, object]] = []
    by_names: dict[tuple[str, ...], list[int]] = {}
    for object_id, values in rows:
        own = {name: one for name, one in values.items() if name in known}
        if own:
            by_names.setdefault(tuple(sorted(own)), []).append(object_id)
        for name, value in own.items():
            new += _stored(kind, object_id, known[name], value)
    for names, ids in by_names.items():
        for start in range(0, len(ids), 400):
            uow.conn.execute(
                delete(custom_values).where(
                    custom_values.c.kind == kind,
                    custom_values.c.object_id.in_(ids[start : start + 400]),
                    custom_values.c.field_id.in_([known[name].field_id for name in names]),
                )
            )
    if new:
        insert_rows(uow.conn, custom_values, new)


def _stored(kind: str, object_id: int, prop: Property, value: object) -> list[dict[str, object]]:
    row = {"kind": kind, "object_id": object_id, "field_id": prop.field_id, "item": ""}
    row |= {"text": "", "folded": "", "number": 0}
    if prop.type is PropertyType.TAGS:
        items = value if isinstance(value, tuple) else ()
        return [{**row, "item": one, "folded": fold(one)[:FOLDED]} for one in items]
    if value in ("", 0, False, None):
        return []
    if prop.type in _TEXTS:
        is_choice = prop.type is PropertyType.CHOICE
        folded = str(value) if is_choice else fold(str(value))[:FOLDED]
        return [{**row, "text": value, "folded": folded}]
    return [{**row, "number": int(value)}]  # type: ignore[call-overload]


def erase(uow: UnitOfWork, noun: Noun, ids: Sequence[int]) -> None:
    """Forget the values of objects: of personal fields, archived ones too."""
    personal = select(custom_fields.c.id).where(
        custom_fields.c.kind == noun.kind.name, custom_fields.c.personal
    )
    uow.conn.execute(
        delete(custom_values).where(
            custom_values.c.kind == noun.kind.name,
            custom_values.c.object_id.in_(ids),
            custom_values.c.field_id.in_(personal),
        )
    )
