"""Facts about segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChanged(Event):
    """A segment was made, changed, filled, removed or brought back (`what`: created, changed,
    filled, removed, restored)."""

    type: ClassVar[str] = "segment.changed"
    subject_kind: ClassVar[str] = "segment"
    subject_field: ClassVar[str] = "segment_id"

    segment_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEntered(Event):
    """A person came into a watched segment."""

    type: ClassVar[str] = "segment.entered"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    segment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLeft(Event):
    """A person is in a watched segment no more."""

    type: ClassVar[str] = "segment.left"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    segment_id: int
