"""Working time: weekly hours, holidays, moved working days, in a time zone with its summer time.

Pure and without a clock: instants go in, instants come out. Deadlines of requests, office hours
of rules and "when is somebody there" all count by this one file. Hours are written as minutes of
the wall clock of one day; an hour that the spring change leaves out is nobody's working time, and
one that the autumn change repeats is worked twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hub.errors import Invalid
from hub.ids import Micros

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY_MINUTES = 24 * 60
HORIZON_DAYS = 4000
"""How far deadlines are looked for: a calendar without any working time must not hang us."""

LATEST = Micros(250_000_000_000_000_000)
"""The end of calendars, in the year 9892: what lies behind it is a mistake."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=1)


class NoWorkingTime(Invalid):
    """The calendar has no working time within ten years of the instant asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Working hours within one day: minutes after midnight, `end` at most 1440 (24:00)."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= DAY_MINUTES:
            raise ValueError("hours begin before they end, within one day")

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"


Hours = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A day that is not as its weekday: a holiday (no hours), a short or a moved working day."""

    hours: Hours = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working time of an organisation, a team or a promise to clients.

    `week` holds the hours of Monday to Sunday, `special` the days that differ. `zone` is a name
    of the IANA time zone database.
    """

    zone: str
    week: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    special: Mapping[date, SpecialDay] = field(default_factory=dict)

    def hours(self, day: date) -> Hours:
        """Give the working hours of one day."""
        special = self.special.get(day)
        return self.week[day.weekday()] if special is None else special.hours

    def is_open(self, at: Micros) -> bool:
        """Say whether somebody works at an instant."""
        day = self.day(at)
        # An hour that was repeated may reach into the next date's first minutes of UTC.
        return any(
            start <= at < end
            for one in (day - _STEP, day, day + _STEP)
            for start, end in self.spans(one)
        )

    def next_open(self, at: Micros) -> Micros:
        """Give the first working instant at or after `at`; raises NoWorkingTime."""
        for start, end in self._from(at):
            if end > at:
                return max(at, start)
        raise NoWorkingTime("this calendar has no working time")

    def add_working(self, start: Micros, amount: int) -> Micros:
        """Give the instant at which `amount` microseconds of working time have passed.

        It is the first such instant: a day's work that begins at opening time ends when the
        office closes, not when it opens again. Raises NoWorkingTime.
        """
        if amount < 0:
            raise ValueError("working time is added, not taken away")
        if amount == 0:
            return start
        left = amount
        for opens, closes in self._from(start):
            opens = max(opens, start)
            if closes - opens >= left:
                return Micros(opens + left)
            left -= max(0, closes - opens)
        raise NoWorkingTime("this calendar has no working time")

    def working_between(self, start: Micros, end: Micros) -> int:
        """Give the working time between two instants, in microseconds; 0 where end is earlier."""
        total = 0
        if end <= start:
            return 0
        last = self.day(end) + _STEP
        day = self.day(start) - _STEP
        while day <= last:
            for opens, closes in self.spans(day):
                total += max(0, min(closes, end) - max(opens, start))
            day += _STEP
        return total

    def day(self, at: Micros) -> date:
        """Give the date on the wall at an instant."""
        if not 0 <= at < LATEST:
            raise NoWorkingTime("this calendar has no working time")
        return (_EPOCH + timedelta(microseconds=at)).astimezone(_zone(self.zone)).date()

    def spans(self, day: date) -> list[tuple[Micros, Micros]]:
        """Give the working hours of a day as instants; spans that touch are one."""
        found: list[tuple[Micros, Micros]] = []
        for one in sorted(self.hours(day)):
            start, end = _instant(self.zone, day, one.start), _instant(self.zone, day, one.end)
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            elif start < end:
                found.append((start, end))
        return found

    def _from(self, at: Micros) -> Iterator[tuple[Micros, Micros]]:
        """Walk working spans from an instant on; each of them once, in order."""
        day = self.day(at) - _STEP
        for _ in range(HORIZON_DAYS):
            for start, end in self.spans(day):
                if end > at:
                    yield start, end
            day += _STEP

    @property
    def works(self) -> bool:
        """Say whether any weekday has working hours."""
        return any(self.week)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@lru_cache(maxsize=200)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=20_000)
def _instant(zone: str, day: date, minutes: int) -> Micros:
    """Give the instant of a wall time; one that the spring change leaves out is the change itself."""
    where = _zone(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=where)
    wall = midnight + timedelta(minutes=minutes)
    at = _micros(wall)
    if (_EPOCH + timedelta(microseconds=at)).astimezone(where).replace(tzinfo=None) == wall.replace(
        tzinfo=None
    ):
        return at
    low: int = _micros(wall.replace(fold=1))
    high: int = at
    after = wall.replace(fold=1).utcoffset()
    while high - low > 1_000_000:
        middle = (low + high) // 2_000_000 * 1_000_000
        offset = (_EPOCH + timedelta(microseconds=middle)).astimezone(where).utcoffset()
        low, high = (low, middle) if offset == after else (middle, high)
    return Micros(high)


def _micros(at: datetime) -> Micros:
    return Micros((at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))


# -- how calendars are kept and typed --------------------------------------------------------


def read_hours(given: object) -> Hours:
    """Read hours: a list of ["09:00", "13:00"] pairs, or a text as "9-13, 14:00-18"."""
    parts: Iterable[Any]
    if isinstance(given, str):
        text = given.replace("–", "-").replace("—", "-")
        parts = [one.split("-") for one in text.replace(";", ",").split(",") if one.strip()]
    elif isinstance(given, list | tuple):
        parts = given
    else:
        raise Invalid("hours are written as 09:00-18:00", field="hours")
    spans = []
    for one in parts:
        if not isinstance(one, list | tuple) or len(one) != 2:
            raise Invalid("hours are written as 09:00-18:00", field="hours")
        try:
            spans.append(Span(_minutes(one[0]), _minutes(one[1])))
        except ValueError as error:
            raise Invalid("hours are written as 09:00-18:00", field="hours") from error
    spans.sort()
    for before, after in pairwise(spans):
        if after.start < before.end:
            raise Invalid("the hours of a day overlap", field="hours")
    return tuple(spans)


def _minutes(given: object) -> int:
    if not isinstance(given, str):
        raise ValueError("a time is needed, as 09:00")
    hour, colon, minute = given.strip().replace(".", ":").partition(":")
    if not (hour.isascii() and hour.isdecimal() and len(hour) <= 2):
        raise ValueError("a time is needed, as 09:00")
    if colon and not (minute.isascii() and minute.isdecimal() and len(minute) == 2):
        raise ValueError("a time is needed, as 09:00")
    if int(minute or 0) > 59:
        raise ValueError("a time is needed, as 09:00")
    return int(hour) * 60 + int(minute or 0)


def hours_data(hours: Hours) -> list[list[str]]:
    """Give hours as they are kept."""
    return [[_clock(one.start), _clock(one.end)] for one in hours]


def hours_text(hours: Hours) -> str:
    """Give hours as people write them."""
    return ", ".join(str(one) for one in hours)


_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
}
_ALWAYS = {"en": "around the clock", "ru": "круглосуточно"}
_WHOLE_DAY = (Span(0, DAY_MINUTES),)


def week_text(week: Iterable[Hours], language: str) -> str:
    """Say the hours of a week to a client, days alike together: "Mon–Fri 9:00–18:00, Sat 10:00–14:00".

    In Russian or English; "" where nobody ever works.
    """
    language = "ru" if language.startswith("ru") else "en"
    days, said = _DAYS[language], []
    hours = [tuple(one) for one in week]
    if all(one == _WHOLE_DAY for one in hours):
        return _ALWAYS[language]
    for alike, run in groupby(range(len(hours)), key=lambda n: hours[n]):
        first, *others = run
        if alike:
            name = f"{days[first]}–{days[others[-1]]}" if others else days[first]
            times = " ".join(
                f"{one.start // 60}:{one.start % 60:02d}–{one.end // 60}:{one.end % 60:02d}"
                for one in alike
            )
            said.append(f"{name} {times}")
    return ", ".join(said)


def read_week(given: Mapping[str, object]) -> tuple[Hours, ...]:
    """Read the hours of a week by the names of its days; a day left out is free."""
    unknown = set(given) - set(WEEKDAYS)
    if unknown:
        raise Invalid(f"the days are {', '.join(WEEKDAYS)}", field="week")
    week = tuple(read_hours(given.get(name, ())) for name in WEEKDAYS)
    if not any(week):
        raise Invalid("a calendar needs working hours on at least one day", field="week")
    return week


def week_data(week: Iterable[Hours]) -> dict[str, list[list[str]]]:
    """Give a week as it is kept."""
    return {name: hours_data(hours) for name, hours in zip(WEEKDAYS, week, strict=True)}


def read_special(given: Mapping[str, object]) -> dict[date, SpecialDay]:
    """Read special days: {"2027-01-01": {"hours": [], "name": "New Year"}}."""
    found = {}
    for day, about in given.items():
        try:
            when = date.fromisoformat(day)
        except ValueError:
            raise Invalid("a day is needed, as 2026-12-31", field="special") from None
        if not isinstance(about, Mapping) or not isinstance(about.get("name", ""), str):
            raise Invalid("a special day has hours and a name", field="special")
        hours = read_hours(about.get("hours", ()))
        found[when] = SpecialDay(hours=hours, name=str(about.get("name", "")).strip()[:200])
    return found


def special_data(special: Mapping[date, SpecialDay]) -> dict[str, dict[str, object]]:
    """Give special days as they are kept, in the order of the calendar."""
    return {
        day.isoformat(): {"hours": hours_data(one.hours), "name": one.name}
        for day, one in sorted(special.items())
    }


def calendar_from(zone: str, week: Mapping[str, object], special: Mapping[str, object]) -> Calendar:
    """Make a calendar of what is kept."""
    return Calendar(zone=zone, week=read_week(week), special=read_special(special))  # type: ignore[arg-type]


OFFICE_WEEK = week_data([(Span(9 * 60, 18 * 60),)] * 5 + [(), ()])
"""Monday to Friday, nine to six."""

ALWAYS_WEEK = week_data([(Span(0, DAY_MINUTES),)] * 7)
"""Around the clock."""
