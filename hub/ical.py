"""A calendar of tasks and deadlines as iCalendar (RFC 5545), for any calendar program. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONG = 75
"""Octets of a line before it is folded (RFC 5545 3.1)."""
_SLOT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the calendar: something that ends (or happens) at an instant."""

    uid: str
    title: str
    at: int
    changed_at: int
    url: str = ""
    remind_at: int = 0
    minutes: int = 0


def calendar(name: str, entries: Iterable[Entry], now: int) -> str:
    """Write a calendar; entries end at their instant, those with a length begin there."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Dialog Hub//My day//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
    ]
    for one in entries:
        start, end = _times(one)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.uid}",
            f"DTSTAMP:{_stamp(now)}",
            f"LAST-MODIFIED:{_stamp(one.changed_at or now)}",
            f"DTSTART:{start}",
            f"DTEND:{end}",
            f"SUMMARY:{escaped(one.title)}",
            "TRANSP:TRANSPARENT",
        ]
        if one.url:
            lines.append(f"URL:{one.url}")
        if one.remind_at:
            lines += [
                "BEGIN:VALARM",
                "ACTION:DISPLAY",
                f"DESCRIPTION:{escaped(one.title)}",
                f"TRIGGER;VALUE=DATE-TIME:{_stamp(one.remind_at)}",
                "END:VALARM",
            ]
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in fold(line))


def _times(one: Entry) -> tuple[str, str]:
    if one.minutes:
        return _stamp(one.at), _stamp(one.at + one.minutes * 60_000_000)
    return _stamp(one.at - int(_SLOT.total_seconds()) * 1_000_000), _stamp(one.at)


def _stamp(micros: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=max(0, micros))
    return moment.strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """Escape a text value (RFC 5545 3.3.11); control characters have no place in it."""
    plain = "".join(one if one >= " " or one == "\n" else " " for one in text)
    for raw, safe in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(raw, safe)
    return plain


def fold(line: str) -> list[str]:
    """Break a line after 75 octets, never inside a character (RFC 5545 3.1)."""
    found, now, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > LONG:
            found.append(now)
            now, size = " ", 1
        now += letter
        size += octets
    return [*found, now]
