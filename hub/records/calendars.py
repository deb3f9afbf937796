"""Records of working calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ids import BrandId, CalendarId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """A named calendar of working time, as it is kept (hub/calendars.py counts with it).

    `week` holds hours by the names of weekdays, `special` days that differ by their date.
    `time_zone` is empty where it is the organisation's own; `zone` is the one that counts.
    """

    id: CalendarId
    brand_id: BrandId
    name: str
    time_zone: str
    zone: str
    week: Mapping[str, object]
    special: Mapping[str, object]
    is_default: bool
    version: int
