"""What templates say of values: instants, days, sums, sizes by CLDR; texts that stay texts."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.dates import TIMEDELTA_UNITS, format_date, format_timedelta
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from hub.catalogues import translations
from hub.figures import lasting
from hub.terms import query_terms, term_spans
from hub.web import instants
from hub.web.instants import MINUTE_US, iso, today_in, zone_of

_REPLY = re.compile(r"(?i)^\s*(re|aw|sv|antw|отв|ответ)\s*(\[\d+\])?\s*:")
MAX_MARKS = 50
TWO_ARE_SAID = 1.2
"""From so many of a unit on it is used; less is said in the next smaller one."""
_UNITS = TIMEDELTA_UNITS[:-1]


def is_reply(subject: str) -> bool:
    """Say whether a subject only repeats that of the dialog."""
    return _REPLY.match(subject) is not None


def _zone(context: Context) -> str:
    return str(context.get("zone") or "UTC")


def _local(context: Context, micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone_of(_zone(context)))


@pass_context
def _when(context: Context, micros: int) -> str:
    """Give the short form of a list: time today, day and time of what is soon, day this year, date."""
    zone = _zone(context)
    return instants.when(micros, zone, str(context.get("language")), today_in(zone))


@pass_context
def _time(context: Context, micros: int, css: str = "nowrap", clock_only: bool = False) -> Markup:
    """Give an instant as an element: its short form, or the time of its day."""
    zone = _zone(context)
    language = str(context.get("language"))
    return instants.time_tag(micros, zone, language, today_in(zone), css, clock_only=clock_only)


@pass_context
def _moment(context: Context, micros: int) -> str:
    """Give the full form with its zone, for tooltips and readers."""
    return instants.moment(micros, _zone(context), str(context.get("language")))


@pass_context
def _clock(context: Context, micros: int) -> str:
    """Give the time of day."""
    return instants.clock(micros, _zone(context), str(context.get("language")))


@pass_context
def _daykey(context: Context, micros: int) -> str:
    """Give the reader's day as a key."""
    return _local(context, micros).date().isoformat()


@pass_context
def _day(context: Context, micros: int) -> str:
    """Give the day, for separators."""
    zone = _zone(context)
    return _day_words(micros // MINUTE_US, zone, str(context.get("language")), today_in(zone))


@lru_cache(4_000)
def _day_words(minute: int, zone: str, language: str, today: date) -> str:
    day = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone_of(zone)).date()
    if day == today:
        return translations(language).gettext("Today")
    if (today - day).days == 1:
        return translations(language).gettext("Yesterday")
    style = "EEEE, d MMMM" if day.year == today.year else "d MMMM y"
    return format_date(day, style, locale=language)


@pass_context
def _day_only(context: Context, micros: int) -> str:
    """Give a day of the calendar, which no time zone moves."""
    return instants.day_only(micros, str(context.get("language")))


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
    """Give how long something lasted, to the minute: what is summed up is not rounded."""
    return lasting(micros, str(context.get("language")))


@pass_context
def _roughly(context: Context, micros: int) -> str:
    """Give how long something usually lasts, in one unit."""
    return format_timedelta(
        timedelta(microseconds=micros),
        granularity="minute",
        threshold=1.5,
        locale=str(context.get("language")),
    )


@pass_context
def _money(context: Context, minor: int, currency: str = "") -> str:
    """Give a sum as people read it; whole sums without their kopecks."""
    return money(minor, currency, str(context.get("language")))


@lru_cache(4_000)
def money(minor: int, currency: str, locale: str) -> str:
    """Give a sum in words of a language."""
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
    return ago(int(time.time() - micros / 1_000_000), str(context.get("language")))


def ago(seconds: int, language: str) -> str:
    """Give a stretch of time in one short unit, a minute at least."""
    seconds = abs(seconds)
    unit, length = next((one for one in _UNITS if seconds >= TWO_ARE_SAID * one[1]), _UNITS[-1])
    # What began a moment ago began a minute ago.
    return _ago_form(round(max(seconds / length, min(seconds, 1))), unit, length, language)


@lru_cache(4_000)
def _ago_form(count: int, unit: Any, length: int, language: str) -> str:
    """Put it into words by what is said of it: a page of waiting dialogs says a few things only."""
    stretch = timedelta(seconds=count * length)
    return format_timedelta(stretch, unit, threshold=math.inf, format="short", locale=language)


def breakable(address: str) -> Markup:
    """Let a long address break before its @ and after its dots, not inside a word."""
    # Neither sign stands in what escaping writes.
    return Markup(str(escape(address)).replace("@", "<wbr>@").replace(".", ".<wbr>"))


def marked(text: str, asked: str) -> Markup:
    """Escape a text and mark the words of a search in it, whatever their form."""
    parts = []
    last = 0
    for start, end in term_spans(text, query_terms(asked), MAX_MARKS):
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


def _ahead(micros: int) -> int:
    """Give in how many seconds an instant comes; fewer than none where it has passed."""
    return micros // 1_000_000 - int(time.time())


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
    "time": _time,
    "moment": _moment,
    "day": _day,
    "daykey": _daykey,
    "clock": _clock,
    "since": _since,
    "is_reply": is_reply,
    "marked": marked,
    "breakable": breakable,
    "ahead": _ahead,
    "size": _size,
    "iso": iso,
    "money": _money,
    "lasting": _lasting,
    "roughly": _roughly,
    "day_only": _day_only,
    "away": _away,
    "month_name": _month_name,
    "weekday_name": _weekday_name,
}
"""Every filter of the templates that formats a value, by its name in them."""
