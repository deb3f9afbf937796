"""What segments can ask of plugins' tables: their fields, with no more than the reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    String,
    cast,
    false,
    literal,
    null,
    select,
    true,
)

from crm_store.filter_sql import QueryField, Subject
from crm_store.tables.dialogs import dialogs
from crm_store.viewer import Reader, Viewer
from hub.filters import FieldType
from hub.segment_fields import Asking, SegmentField

_HELD = {
    FieldType.CHOICE: String,
    FieldType.NUMBER: Float,
    FieldType.FLAG: Boolean,
    FieldType.INSTANT: BigInteger,
}


def brought(reader: Reader) -> dict[str, QueryField]:
    """Say how plugins' fields are asked for this reader."""
    return {name: _asked(reader, one) for name, one in reader.segment_fields.items()}


def beyond_sight(reader: Reader) -> Iterator[str]:
    """Give the fields whose answer may depend on what this reader does not see."""
    for name, one in reader.segment_fields.items():
        if reader.viewer.is_limited or not _may(reader.viewer, one):
            yield name


def _may(viewer: Viewer, one: SegmentField) -> bool:
    return viewer.may("dialogs.view") and (not one.permission or viewer.may(one.permission))


def _asked(reader: Reader, one: SegmentField) -> QueryField:
    viewer, now = reader.viewer, reader.now
    if one.permission and not viewer.may(one.permission):
        return QueryField(sql=lambda _: _nothing(one.type))

    def sees_dialog(column: Any) -> ColumnElement[bool]:
        if not viewer.may("dialogs.view"):
            return false()
        if viewer.sees_all_dialogs and not viewer.hidden_accounts:
            return true()
        seen: ColumnElement[bool] = column.in_(select(dialogs.c.id).where(viewer.dialogs_clause()))
        return seen

    def sql(subject: Subject) -> Any:
        return one.sql(Asking(person=subject, now=now, sees_dialog=sees_dialog))

    return QueryField(sql=sql)


def _nothing(kind: FieldType) -> Any:
    """Give what is known of somebody of whom nothing may be known."""
    if kind is FieldType.SET:
        return select(literal("").label("member")).where(false())
    return cast(null(), _HELD[kind])
