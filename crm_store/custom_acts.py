"""Commands about custom fields: adding, renaming, ordering and archiving them; and their list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, or_, select, update

from crm_store.custom import PREFIX, TYPES
from crm_store.nouns import Noun
from crm_store.segment_fields import asking
from crm_store.sql import locked
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import ArchiveField, OrderFields, SaveField
from hub.errors import Conflict, Invalid, NotFound
from hub.events import FieldChanged
from hub.ids import FieldId, Micros
from hub.records.custom import CustomField, FieldChoice
from hub.terms import fold

MOST = 100
MOST_CHOICES = 200
_NOT_NAME = re.compile(r"[^a-z0-9]+")
_LATIN = dict(
    zip(
        "абвгдезийклмнопрстуфхыэёъь",
        [*"abvgdeziyklmnoprstufhye", "e", "", ""],
        strict=True,
    )
) | {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"}


def extendable(nouns: Mapping[str, Noun]) -> list[str]:
    """Give the kinds whose cards take fields."""
    return [
        name
        for name, noun in nouns.items()
        if "custom" in {one.name for one in fields(noun.kind.record)}  # type: ignore[arg-type]
    ]


def all_fields(reader: Reader, kind: str = "", *, archived: bool = False) -> list[CustomField]:
    """Give the fields of a kind (or of all) in their order; with `archived` those put away too."""
    statement = select(custom_fields).order_by(
        custom_fields.c.kind, custom_fields.c.position, custom_fields.c.id
    )
    if kind:
        statement = statement.where(custom_fields.c.kind == kind)
    if not archived:
        statement = statement.where(custom_fields.c.archived_at == 0)
    return [_record(row) for row in reader.conn.execute(statement)]


def one_field(reader: Reader, field_id: FieldId) -> CustomField:
    """Give one field; raises NotFound."""
    row = reader.conn.execute(select(custom_fields).where(custom_fields.c.id == field_id)).first()
    if row is None:
        raise NotFound("there is no such field")
    return _record(row)


def _record(row: Row[Any]) -> CustomField:
    return CustomField(
        id=FieldId(row.id),
        kind=row.kind,
        name=row.name,
        type=row.type,
        label=row.label,
        label_ru=row.label_ru,
        help=row.help,
        choices=tuple(FieldChoice(**one) for one in row.choices),
        group=row.group_name,
        position=row.position,
        required=row.required,
        personal=row.personal,
        listed=row.listed,
        archived_at=Micros(row.archived_at),
        version=row.version,
    )


def save_field(uow: UnitOfWork, command: SaveField) -> FieldId:
    """Add a field, or change what may change of one."""
    label = " ".join(command.label.split())[:100] or " ".join(command.label_ru.split())[:100]
    if not label:
        raise Invalid("say what the field is called", field="label")
    values: dict[str, Any] = {
        "label": label,
        "label_ru": " ".join(command.label_ru.split())[:100],
        "help": command.help.strip()[:400],
        "group_name": " ".join(command.group.split())[:100],
        "required": command.required,
        "personal": command.personal,
        "listed": command.listed,
    }
    if command.field_id:
        return _change(uow, command, values)
    known = extendable(uow.tx.nouns)
    if command.kind not in known:
        raise Invalid(f"fields are added to: {', '.join(known)}", field="kind")
    if command.type not in TYPES:
        raise Invalid(f"a field's type is one of: {', '.join(TYPES)}", field="type")
    taken = {
        row.name
        for row in uow.conn.execute(
            select(custom_fields.c.name).where(custom_fields.c.kind == command.kind)
        )
    }
    if len(taken) >= MOST:
        raise Invalid(f"a kind has at most {MOST} fields", field="kind")
    name = slug(command.name or label)
    if command.name and name in taken:
        raise Invalid("another field is called so", field="name")
    field_id = FieldId(uow.new_id())
    choices = _choices(command.type, command.choices)
    last = uow.conn.execute(
        select(func.max(custom_fields.c.position)).where(custom_fields.c.kind == command.kind)
    ).scalar()
    uow.conn.execute(
        insert(custom_fields).values(
            id=field_id,
            kind=command.kind,
            name=_free(name, taken),
            type=command.type,
            choices=choices,
            position=int(last or 0) + 1,
            created_at=uow.now,
            **values,
        )
    )
    _say(uow, field_id, command.kind, "added")
    return field_id


def _change(uow: UnitOfWork, command: SaveField, values: dict[str, Any]) -> FieldId:
    row = _lock(uow, command.field_id)
    if command.version is not None and command.version != row.version:
        raise Conflict("the field was changed meanwhile", what="version")
    choices = _choices(row.type, command.choices)
    gone = {one["value"] for one in row.choices} - {str(one["value"]) for one in choices}
    held = _held(uow, row, sorted(gone))
    if held:
        raise Conflict(
            f"cards hold the choice {held[0]!r}: change them first, or keep it", what="in_use"
        )
    uow.conn.execute(
        update(custom_fields)
        .where(custom_fields.c.id == row.id)
        .values(version=row.version + 1, choices=choices, **values)
    )
    _say(uow, command.field_id, row.kind, "changed")
    return command.field_id


def _held(uow: UnitOfWork, row: Row[Any], gone: Sequence[str]) -> list[str]:
    found = uow.conn.execute(
        select(custom_values.c.item, custom_values.c.text)
        .where(
            custom_values.c.field_id == row.id,
            or_(custom_values.c.item.in_(gone), custom_values.c.folded.in_(gone)),
        )
        .limit(1)
    ).first()
    return [] if found is None else [found.item or found.text]


def _choices(type: str, given: Sequence[FieldChoice]) -> list[dict[str, str]]:
    if type not in ("choice", "choices"):
        return []
    found: dict[str, dict[str, str]] = {}
    for one in given[:MOST_CHOICES]:
        label = " ".join(one.label.split())[:100] or " ".join(one.label_ru.split())[:100]
        if label:
            value = one.value.strip()[:100] or _free(slug(label), set(found))
            if value in found or "," in value:
                raise Invalid("each choice is there once, and has no comma", field="choices")
            found[value] = {
                "value": value,
                "label": label,
                "label_ru": " ".join(one.label_ru.split())[:100],
            }
    if not found:
        raise Invalid("say what there is to choose", field="choices")
    return list(found.values())


def slug(label: str) -> str:
    """Give the name that programs call something by."""
    latin = "".join(_LATIN.get(one, one) for one in fold(label))
    return _NOT_NAME.sub("_", latin).strip("_")[:50] or "field"


def _free(name: str, taken: set[str]) -> str:
    found, n = name, 2
    while found in taken:
        found, n = f"{name}_{n}", n + 1
    return found


def _lock(uow: UnitOfWork, field_id: FieldId) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(custom_fields).where(custom_fields.c.id == field_id))
    ).first()
    if row is None:
        raise NotFound("there is no such field")
    return row


def _say(uow: UnitOfWork, field_id: FieldId, kind: str, what: str) -> None:
    uow.record(FieldChanged(field_id=field_id, object_kind=kind, what=what))


def archive_field(uow: UnitOfWork, command: ArchiveField) -> None:
    """Take a field off the cards, or bring it back."""
    row = _lock(uow, command.field_id)
    if bool(row.archived_at) is not command.restore:
        return
    if not command.restore and (names := asking(uow.conn, f"{row.kind}.{PREFIX}{row.name}")):
        raise Conflict(f"segments ask for this field: {', '.join(names)}", what="segments")
    uow.conn.execute(
        update(custom_fields)
        .where(custom_fields.c.id == row.id)
        .values(archived_at=0 if command.restore else uow.now, version=row.version + 1)
    )
    _say(uow, command.field_id, row.kind, "restored" if command.restore else "archived")


def order_fields(uow: UnitOfWork, command: OrderFields) -> None:
    """Write the order of a kind's fields; those that are not named come last."""
    rows = uow.conn.execute(
        locked(
            uow.dialect,
            select(custom_fields.c.id)
            .where(custom_fields.c.kind == command.kind)
            .order_by(custom_fields.c.position, custom_fields.c.id),
        )
    ).all()
    known = [int(row.id) for row in rows]
    wanted = [one for one in dict.fromkeys(command.field_ids) if one in known]
    order = [*wanted, *(one for one in known if one not in wanted)]
    if not order:
        return
    uow.conn.execute(
        update(custom_fields)
        .where(custom_fields.c.id == bindparam("b_id"))
        .values(position=bindparam("b_position")),
        [{"b_id": one, "b_position": n + 1} for n, one in enumerate(order)],
    )
    _say(uow, FieldId(order[0]), command.kind, "ordered")
