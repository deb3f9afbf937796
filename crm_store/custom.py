"""Custom fields: a kind as this organisation has it, and the values of its objects.

A kind is made whole from the rows of its fields inside the same transaction that uses it, so a
new field counts at once, in every process, without a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select

from crm_store import card_files
from crm_store.filter_sql import QueryField, Subject
from crm_store.nouns import Noun
from crm_store.rows import gathered_in, gathered_rows, insert_rows
from crm_store.sql import written
from crm_store.support_levels import every_level, levels_in, with_levels
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
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
    "file": PropertyType.FILE,
}
SORTED = frozenset({"line", "number", "date", "money"})
_TEXTS = frozenset({PropertyType.LINE, PropertyType.TEXT, PropertyType.CHOICE})
Told = tuple[str | None, str | None]
"""All custom fields and support levels there are, as the database told them: two lists of rows."""


@cache
def every_field(dialect: str) -> tuple[Any, Any]:
    """Give two values to ask for beside anything else: what `tell` takes."""
    field = custom_fields.c
    gathered = gathered_rows(
        dialect,
        field.position,
        field.id,
        field.kind,
        field.name,
        field.type,
        field.label,
        field.label_ru,
        field.help,
        field.choices,
        field.group_name,
        field.required,
        field.personal,
        field.listed,
    )
    fields = select(gathered).where(field.archived_at == written(0))
    return fields.scalar_subquery(), every_level(dialect).scalar_subquery()


@cache
def _telling(dialect: str) -> Select[Any]:
    return select(*every_field(dialect))


def whole(conn: Connection, noun: Noun) -> Noun:
    """Give a noun whose kind has this organisation's fields too."""
    return _made(noun, _asked(conn))


def whole_of(reader: Reader, noun: Noun) -> Noun:
    """Give the same to a reader, asked once in a read."""
    found: Noun | None = reader.known.get((whole, noun.kind.name))
    if found is None:
        if not is_told(reader):
            tell(reader, _asked(reader.conn))
        found = reader.known[whole, noun.kind.name] = _made(noun, reader.known[tell])
    return found


def is_told(reader: Reader) -> bool:
    """Say whether a read knows the fields already."""
    return tell in reader.known


def tell(reader: Reader, told: Told) -> None:
    """Let a read know the fields that were asked for beside something else (`every_field`)."""
    reader.known[tell] = told


def whole_kinds(conn: Connection, nouns: Mapping[str, Noun]) -> list[Kind]:
    """Give every kind with this organisation's fields."""
    told = _asked(conn)
    return [_made(one, told).kind for one in nouns.values()]


def _asked(conn: Connection) -> Told:
    fields, levels = conn.execute(_telling(conn.dialect.name)).one()
    return fields, levels


def _made(noun: Noun, told: Told) -> Noun:
    fields, levels = told
    noun = with_levels(_bare(noun), levels_in(levels))
    own = _by_kind(fields).get(noun.kind.name)
    return _whole(noun, own) if own else noun


@lru_cache(64)
def _by_kind(fields: str | None) -> Mapping[str, tuple[Property, ...]]:
    """Give the fields of each kind in their order, made once of what is told alike."""
    found: dict[str, list[Property]] = {}
    for _, number, kind, *described in sorted(gathered_in(fields), key=itemgetter(0, 1)):
        found.setdefault(kind, []).append(_property(number, *described))
    return {kind: tuple(own) for kind, own in found.items()}


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
    fields = tuple(one.filter_field(kind.name) for one in more)
    return replace(
        noun,
        kind=replace(
            kind,
            properties=(*kind.properties, *more),
            columns=(*kind.columns, *columns),
            fields=(*kind.fields, *fields),
        ),
    )


def _property(
    number: int,
    name: str,
    type: str,
    label: str,
    label_ru: str,
    help: str,
    choices: Sequence[Mapping[str, str]],
    group: str,
    required: int,
    personal: int,
    listed: int,
) -> Property:
    return Property(
        name=f"{PREFIX}{name}",
        label=label,
        type=TYPES[type],
        choices=tuple(
            Choice(
                one["value"],
                one["label"] or one["value"],
                {"ru": one.get("label_ru", "") or one["label"] or one["value"]},
            )
            for one in choices
        ),
        ref="user" if type == "person" else "",
        required=bool(required),
        personal=bool(personal),
        listed=bool(listed),
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
    files: set[int] = set()
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
            if prop.type is PropertyType.FILE:
                files.add(row.number)
    if files:
        described = card_files.described(conn, files)
        for one in found.values():
            one.files = described
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
    if prop.type not in _TEXTS:
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


def files_in(noun: Noun, values: Mapping[str, object]) -> dict[str, int]:
    """Give those of checked values that are files."""
    known = {one.name for one in customs(noun) if one.type is PropertyType.FILE}
    return {name: int(str(one)) for name, one in values.items() if name in known}


def write(
    uow: UnitOfWork,
    noun: Noun,
    rows: Sequence[tuple[int, Mapping[str, object]]],
    *,
    undoable: bool = False,
) -> None:
    """Write checked values of custom fields: pairs of an object and what is new on it.

    Files that are replaced are let go, but where the caller may bring them back (`undoable`).
    """
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
    before: set[int] = set()
    for names, ids in by_names.items():
        files = [known[one].field_id for one in names if known[one].type is PropertyType.FILE]
        for start in range(0, len(ids), 400):
            before |= card_files.held(uow, kind, ids[start : start + 400], files)
            uow.conn.execute(
                delete(custom_values).where(
                    custom_values.c.kind == kind,
                    custom_values.c.object_id.in_(ids[start : start + 400]),
                    custom_values.c.field_id.in_([known[name].field_id for name in names]),
                )
            )
    if new:
        insert_rows(uow.conn, custom_values, new)
    if not undoable:
        card_files.release(uow, before)


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
    files = personal.where(custom_fields.c.type == card_files.TYPE)
    before = card_files.held(uow, noun.kind.name, ids, uow.conn.execute(files).scalars().all())
    uow.conn.execute(
        delete(custom_values).where(
            custom_values.c.kind == noun.kind.name,
            custom_values.c.object_id.in_(ids),
            custom_values.c.field_id.in_(personal),
        )
    )
    card_files.release(uow, before)
