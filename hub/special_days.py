"""A year's holidays, pasted: lines with a day or a range of days, a name, sometimes hours.

    01.01.2027-08.01.2027 Новогодние каникулы
    2027-02-20 работаем
    30.04.2027 9-17 short day
    23.02 Day of the defender          (the year of the form)

A day without hours is free; the word "work" ("работаем", "рабочий") gives it the hours of an
ordinary Monday to Friday, hours give it those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from hub.calendars import Hours, SpecialDay, read_hours
from hub.errors import Invalid

MOST_DAYS = 1000


class LineNotUnderstood(Invalid):
    """A pasted line is not a day; `line` is its number, `text` what stands there."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line} is not a day: {text}", field="days")
        self.line = line
        self.text = text


_DAY = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}(?:[./]\d{4})?)"
_LINE = re.compile(rf"({_DAY})(?:\s*(?:-|–|—|\.\.|…|to|по)\s*({_DAY}))?(?!\S)[\s:,]*(.*)")
_HOURS = re.compile(r"\d{1,2}(?:[:.]\d{2})?\s*[-–—]\s*\d{1,2}(?:[:.]\d{2})?")
_WORKED = re.compile(r"\b(?:work\w*|рабоч\w*|работа\w*)\b", re.IGNORECASE)


def read_days(text: str, year: int, ordinary: Hours) -> dict[date, SpecialDay]:
    """Read pasted days; raises Invalid naming the line that is not understood."""
    found: dict[date, SpecialDay] = {}
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip().strip("-•*").strip()
        if not plain or plain.startswith("#"):
            continue
        matched = _LINE.fullmatch(plain)
        if matched is None:
            raise _not_understood(number, line)
        try:
            first = _day(matched[1], year)
            last = _day(matched[2], year) if matched[2] else first
            special = _about(matched[3], ordinary)
        except (ValueError, Invalid) as error:
            raise _not_understood(number, line) from error
        if last < first:
            raise _not_understood(number, line)
        for day in _range(first, last):
            found[day] = special
            if len(found) > MOST_DAYS:
                raise Invalid("these are too many days at once", field="days")
    return found


def _not_understood(number: int, line: str) -> Invalid:
    return LineNotUnderstood(number, line.strip()[:100])


def _day(text: str, year: int) -> date:
    if "-" in text:
        return date.fromisoformat(text)
    parts = [int(one) for one in re.split(r"[./]", text)]
    return date(parts[2] if len(parts) == 3 else year, parts[1], parts[0])


def _range(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def _about(text: str, ordinary: Hours) -> SpecialDay:
    hours = _HOURS.findall(text)
    name = " ".join(_HOURS.sub(" ", text).split()).strip(" ,;:-")
    if hours:
        return SpecialDay(hours=read_hours(", ".join(hours)), name=name[:200])
    if _WORKED.search(text):
        return SpecialDay(hours=ordinary, name=name[:200])
    return SpecialDay(name=name[:200])
