"""Commands about working calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import CalendarId


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCalendar(Command):
    """Create (id 0) or change a working calendar; what is None stays as it is. Gives the id.

    `week` holds hours by weekday (`mon` to `sun`: lists of ["09:00", "18:00"]), `special` all
    days that differ, `add_special` some more of them, by date: {"hours": [], "name": ""}.
    `time_zone` empty is the organisation's. `version`, where given, must be the record's.
    """

    permission: ClassVar[str] = "system.manage"

    calendar_id: CalendarId = CalendarId(0)
    name: str | None = None
    time_zone: str | None = None
    week: Mapping[str, object] | None = None
    special: Mapping[str, object] | None = None
    add_special: Mapping[str, object] | None = None
    make_default: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCalendar(Command):
    """Delete a calendar that is neither the default nor in use, else Conflict."""

    permission: ClassVar[str] = "system.manage"

    calendar_id: CalendarId
