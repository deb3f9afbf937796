"""What templates say of values: instants, days, sums, sizes by CLDR; texts that stay texts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from hub.terms import query_terms, term_spans
from hub.web.i18n import translations

_REPLY = re.compile(r"(?i)^\s*(re|aw|sv|antw|отв|ответ)\s*(\[\d+\])?\s*:")
MAX_MARKS = 50


@cache
def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its name; UTC for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def is_reply(subject: str) -> bool:
    """Say whether a subject only repeats that of the dialog."""
    return _REPLY.match(subject) is not None


def _local(context: Context, micros: int) -> datetime:
    zone = zone_of(str(context.get("zone") or "UTC"))
    return datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone)


def iso(micros: int) -> str:
    """Give an instant as RFC 3339."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")


# Nothing below is finer than a minute, and a page shows the same instants again and again.
MINUTE_US = 60_000_000


def _at(minute: int, zone: str) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(zone_of(zone))


@lru_cache(4_000)
def _short_form(minute: int, zone: str, language: str, today: date) -> str:
    at = _at(minute, zone)
    if at.date() == today:
        return format_time(at, "short", locale=language)
    return format_date(at, "d MMM" if at.year == today.year else "short", locale=language)


@lru_cache(4_000)
def _full_form(minute: int, zone: str, language: str) -> str:
    return format_datetime(_at(minute, zone), "d MMMM y, HH:mm z", locale=language)


@lru_cache(4_000)
def _time_form(minute: int, zone: str, language: str) -> str:
    return format_time(_at(minute, zone), "short", locale=language)


@pass_context
def _when(context: Context, micros: int) -> str:
    """Give the short form of a list: time today, day this year, else the date."""
    zone = str(context.get("zone") or "UTC")
    today = datetime.now(zone_of(zone)).date()
    return _short_form(micros // MINUTE_US, zone, str(context.get("language")), today)


@pass_context
def _moment(context: Context, micros: int) -> str:
    """Give the full form with its zone, for tooltips and readers."""
    zone = str(context.get("zone") or "UTC")
    return _full_form(micros // MINUTE_US, zone, str(context.get("language")))


@pass_context
def _clock(context: Context, micros: int) -> str:
    """Give the time of day."""
    zone = str(context.get("zone") or "UTC")
    return _time_form(micros // MINUTE_US, zone, str(context.get("language")))


@pass_context
def _daykey(context: Context, micros: int) -> str:
    """Give the reader's day as a key."""
    return _local(context, micros).date().isoformat()


@pass_context
def _day(context: Context, micros: int) -> str:
    """Give the day, for separators."""
    at = _local(context, micros)
    language = str(context.get("language"))
    now = datetime.now(UTC).astimezone(at.tzinfo)
    if at.date() == now.date():
        return translations(language).gettext("Today")
    if (now.date() - at.date()).days == 1:
        return translations(language).gettext("Yesterday")
    style = "EEEE, d MMMM" if at.year == now.year else "d MMMM y"
    return format_date(at, style, locale=language)


@pass_context
def _day_only(context: Context, micros: int) -> str:
    """Give a day of the calendar, which no time zone moves."""
    return _date_form(micros // MINUTE_US // 1440, str(context.get("language")))


@lru_cache(4_000)
def _date_form(day: int, language: str) -> str:
    return format_date(datetime.fromtimestamp(day * 86_400, UTC), "medium", locale=language)


@pass_context
def _month_name(context: Context, day: date) -> str:
    """Give a month and its year: November 2026."""
    return format_date(day, "LLLL y", locale=str(context.get("language"))).capitalize()


@pass_context
def _weekday_name(context: Context, day: date) -> str:
    """Give the short name of a day of the week."""
    return format_date(day, "ccc", locale=str(context.get("language")))


@pass_context
def _away(context: Context, one: Any) -> str:
    """Say after a colleague's name until when he is away; nothing of who is here."""
    until = getattr(one, "away_until", 0)
    if not until:
        return ""
    words = translations(str(context.get("language"))).gettext("away until")
    return f" ({words} {_when(context, until - MINUTE_US)})"


@pass_context
def _lasting(context: Context, micros: int) -> str:
    """Give how long something lasted, in one unit."""
    return format_timedelta(
        timedelta(microseconds=micros),
        granularity="minute",
        threshold=1.5,
        locale=str(context.get("language")),
    )


@pass_context
def _money(context: Context, minor: int, currency: str = "") -> str:
    """Give a sum as people read it; whole sums without their kopecks."""
    return _sum_form(minor, currency, str(context.get("language")))


@lru_cache(4_000)
def _sum_form(minor: int, currency: str, locale: str) -> str:
    amount = Decimal(minor) / 100
    if not currency:
        return format_decimal(amount, locale=locale)
    pattern = "#,##0.## ¤"
    whole = minor % 100 == 0
    return format_currency(
        amount,
        currency,
        format=pattern.replace(".##", "" if whole else ".00"),
        currency_digits=False,
        locale=locale,
    )


@pass_context
def _since(context: Context, micros: int) -> str:
    """Give how long ago something was, in one short unit."""
    seconds = int(time.time() - micros / 1_000_000)
    # Of hours and days the seconds do not matter.
    seconds -= seconds % 60 if seconds >= 3_600 else 0
    return _ago_form(seconds, str(context.get("language")))


@lru_cache(8_000)
def _ago_form(seconds: int, language: str) -> str:
    return format_timedelta(
        timedelta(seconds=seconds),
        granularity="minute",
        threshold=1.2,
        format="short",
        locale=language,
    )


def breakable(address: str) -> Markup:
    """Let a long address break before its @ and after its dots, not inside a word."""
    return escape(address).replace("@", Markup("<wbr>@")).replace(".", Markup(".<wbr>"))


def marked(text: str, asked: str) -> Markup:
    """Escape a text and mark the words of a search in it, whatever their form."""
    parts = []
    last = 0
    for start, end in term_spans(text, query_terms(asked), MAX_MARKS):
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


@pass_context
def _size(context: Context, count: int) -> str:
    """Give a file's size as people read it."""
    language = str(context.get("language"))
    unit, value = "byte", float(count)
    for bigger in ("kilobyte", "megabyte", "gigabyte"):
        if value < 1000:
            break
        unit, value = bigger, value / 1000
    pattern = "0" if unit == "byte" or value >= 10 else "0.#"
    return format_unit(value, unit, "short", format=pattern, locale=language)


FILTERS: dict[str, Callable[..., object]] = {
    "when": _when,
    "moment": _moment,
    "day": _day,
    "daykey": _daykey,
    "clock": _clock,
    "since": _since,
    "is_reply": is_reply,
    "marked": marked,
    "breakable": breakable,
    "size": _size,
    "iso": iso,
    "money": _money,
    "lasting": _lasting,
    "day_only": _day_only,
    "away": _away,
    "month_name": _month_name,
    "weekday_name": _weekday_name,
}
"""Every filter of the templates that formats a value, by its name in them."""
