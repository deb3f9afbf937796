"""Facts of marks, and the field by which rules judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub import ContactId, DialogId, Event, Facts, Field, FieldType, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class CsatAsked(Event):
    """A client was asked for a mark."""

    type: ClassVar[str] = "csat.asked"
    translations: ClassVar[Mapping[str, str]] = {"ru": "у клиента попросили оценку"}
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"

    dialog_id: DialogId
    contact_id: ContactId
    ask_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CsatRated(Event):
    """A client gave a mark from 1 to 5, or changed it."""

    type: ClassVar[str] = "csat.rated"
    translations: ClassVar[Mapping[str, str]] = {"ru": "клиент поставил оценку или изменил её"}
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"

    dialog_id: DialogId
    contact_id: ContactId
    ask_id: int
    mark: int


def _mark(facts: Facts) -> object:
    return facts.event.mark if isinstance(facts.event, CsatRated) else None


FIELDS = [
    Field(
        name="csat.mark",
        label="Mark",
        type=FieldType.NUMBER,
        value=_mark,
        where=Where.FACT,
        translations={"ru": "Оценка"},
    )
]
