"""Facts about working calendars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import CalendarId


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Event):
    """A working calendar was made, changed or removed."""

    type: ClassVar[str] = "calendar.changed"
    subject_kind: ClassVar[str] = "calendar"
    subject_field: ClassVar[str] = "calendar_id"

    calendar_id: CalendarId
    removed: bool = False
