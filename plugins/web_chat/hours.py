"""Working hours as people write them: `Mon-Fri 9:00-18:00, Sat 10-14`, also in Russian."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = {
    name: number
    for number, names in enumerate(
        ("mon пн", "tue вт", "wed ср", "thu чт", "fri пт", "sat сб", "sun вс")
    )
    for name in names.split()
}
_PART = re.compile(
    r"(?P<days>[a-zа-я]+(?:\s*[-–—,]\s*[a-zа-я]+)*)?\s*"
    r"(?P<from>\d{1,2}(?:[:.]\d{2})?)\s*[-–—]\s*(?P<to>\d{1,2}(?:[:.]\d{2})?)$"
)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Spans of (weekday, from minute, to minute); none at all means always open."""

    spans: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def read(cls, text: str) -> WorkingHours:
        """Read the words; raises ValueError that quotes the part nobody can read."""
        spans: list[tuple[int, int, int]] = []
        for part in _parts(text.lower()):
            found = _PART.match(part)
            if not found:
                raise ValueError(f"cannot read “{part}”; write for example: Mon-Fri 9:00-18:00")
            start, end = _minute(found["from"]), _minute(found["to"])
            if not 0 <= start < 24 * 60 or not 0 < end <= 24 * 60 or start == end:
                raise ValueError(f"“{part}” is not a span of one day")
            for day in _days(found["days"] or "mon-sun"):
                if start < end:
                    spans.append((day, start, end))
                else:
                    # A night shift belongs to two days.
                    spans += [(day, start, 24 * 60), ((day + 1) % 7, 0, end)]
        return cls(spans=tuple(sorted(set(spans))))

    def is_open(self, at_us: int, zone: ZoneInfo) -> bool:
        """Whether an instant lies inside a span, by the wall clock of the zone."""
        if not self.spans:
            return True
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).astimezone(zone)
        minute = local.hour * 60 + local.minute
        return any(day == local.weekday() and a <= minute < b for day, a, b in self.spans)


def _parts(text: str) -> list[str]:
    """Split at commas, keeping lists of days (`mon, wed 9-18`) together."""
    parts: list[str] = []
    days = ""
    for piece in re.split(r"[;,\n]", text):
        piece = piece.strip()
        if piece and not re.search(r"\d", piece):
            days += f"{piece}, "
        elif piece:
            parts.append(days + piece)
            days = ""
    return [*parts, days] if days else parts


def _minute(text: str) -> int:
    hour, _, minute = text.replace(".", ":").partition(":")
    if int(minute or 0) > 59:
        raise ValueError(f"“{text}” is not a time")
    return int(hour) * 60 + int(minute or 0)


def _days(text: str) -> list[int]:
    days: list[int] = []
    for one in text.split(","):
        first, _, last = re.sub(r"\s*[-–—]\s*", "-", one.strip()).partition("-")
        start, end = _day(first), _day(last or first)
        days += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return days


def _day(word: str) -> int:
    for size in (3, 2):
        if word[:size] in _DAYS:
            return _DAYS[word[:size]]
    raise ValueError(f"“{word}” is not a day of the week")
