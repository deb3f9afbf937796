"""Instants in words, by CLDR: what a day, a minute of the day and a zone are called is made once.

A list shows other instants to everybody, but few days; to put one form together by its pattern takes
as long as drawing its whole row.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from markupsafe import Markup, escape

# Nothing in words is finer than a minute, and a page shows the same instants again and again.
MINUTE_US = 60_000_000

SOON_DAYS = 7
"""Days ahead within which the hour matters: what is due tomorrow is due at an hour."""


@cache
def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its name; UTC for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def today_in(zone: str) -> date:
    """Give the day that it is in a zone."""
    return datetime.now(zone_of(zone)).date()


def iso(micros: int) -> str:
    """Give an instant as RFC 3339."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")


def when(micros: int, zone: str, language: str, today: date) -> str:
    """Give the short form of a list: time today, day and time of what is soon, day this year, date."""
    return _short_form(micros // MINUTE_US, zone, language, today)


def moment(micros: int, zone: str, language: str) -> str:
    """Give the full form with its zone, for tooltips and readers."""
    return _full_form(micros // MINUTE_US, zone, language)


@lru_cache(8_000)
def time_tag(
    micros: int,
    zone: str,
    language: str,
    today: date,
    css: str = "nowrap",
    *,
    clock_only: bool = False,
) -> Markup:
    """Give an instant as HTML: its short form, or the time of its day, with the full one beside it."""
    title = moment(micros, zone, language)
    shown = clock(micros, zone, language) if clock_only else when(micros, zone, language, today)
    return Markup(
        f'<time class="{css}" datetime="{iso(micros)}" title="{escape(title)}">{escape(shown)}</time>'
    )


def clock(micros: int, zone: str, language: str) -> str:
    """Give the time of day."""
    at = _at(micros // MINUTE_US, zone)
    return _clock_form(at.hour, at.minute, language)


def day_only(micros: int, language: str) -> str:
    """Give a day of the calendar, which no time zone moves."""
    at = datetime.fromtimestamp(micros // MINUTE_US // 1440 * 86_400, UTC)
    return _day_form(at.date(), "medium", language)


def _at(minute: int, zone: str) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(zone_of(zone))


@lru_cache(4_000)
def _short_form(minute: int, zone: str, language: str, today: date) -> str:
    at = _at(minute, zone)
    if at.date() == today:
        return _clock_form(at.hour, at.minute, language)
    day = _day_form(at.date(), "d MMM" if at.year == today.year else "short", language)
    if 0 < (at.date() - today).days <= SOON_DAYS:
        return f"{day}, {_clock_form(at.hour, at.minute, language)}"
    return day


@lru_cache(4_000)
def _full_form(minute: int, zone: str, language: str) -> str:
    at = _at(minute, zone)
    day = _day_form(at.date(), "d MMMM y", language)
    return f"{day}, {at.hour:02}:{at.minute:02} {_zone_form(at, zone, language)}"


@lru_cache(4_000)
def _day_form(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=language)


@lru_cache(4_000)
def _clock_form(hour: int, minute: int, language: str) -> str:
    return format_time(time(hour, minute), "short", locale=language)


_ZONES: dict[tuple[object, ...], str] = {}


def _zone_form(at: datetime, zone: str, language: str) -> str:
    """Say what a zone is called while its clocks are set as they are at a moment."""
    key = (zone, at.utcoffset(), at.dst(), language)
    found = _ZONES.get(key)
    if found is None:
        found = _ZONES[key] = format_datetime(at, "z", locale=language)
    return found
