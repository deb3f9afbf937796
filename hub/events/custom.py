"""Facts about custom fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import FieldId


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChanged(Event):
    """A custom field was added, changed, archived, restored or moved."""

    type: ClassVar[str] = "field.changed"
    subject_kind: ClassVar[str] = "field"
    subject_field: ClassVar[str] = "field_id"

    field_id: FieldId
    object_kind: str
    what: str
