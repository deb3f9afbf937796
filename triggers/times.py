"""When a time comes: schedules in their zone, dates of cards, working time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from hub.ids import Micros

US = 1_000_000
_START = datetime(2026, 1, 1, tzinfo=UTC)


def check_cron(expression: str) -> None:
    """Look at a schedule; raises ValueError in words."""
    if len(expression.split()) != 5:
        raise ValueError("minute, hour, day, month and day of week are needed, as 30 8 * * 1-5")
    try:
        next(CronSim(expression, _START))
    except (CronSimError, StopIteration) as error:
        raise ValueError("this schedule never comes: write it as 30 8 * * 1-5") from error


def next_time(expression: str, zone: str, after: int) -> Micros:
    """Give the next instant of a schedule after another one, in its zone's clock."""
    at = datetime.fromtimestamp(after / US, ZoneInfo(zone or "UTC"))
    found = next(CronSim(expression, at))
    return Micros(int(found.timestamp()) * US)


def date_time(stored: int, offset: int, at: str, zone: str, *, yearly: bool, after: int) -> Micros:
    """Give when a rule about a date fires next; 0 where that lies in the past for ever.

    `stored` is the card's date: midnight UTC of its day. A birthday of 29 February is kept on the
    28th of other years.
    """
    if not stored:
        return Micros(0)
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stored)).date()
    hours, minutes = (int(one) for one in at.split(":"))
    clock = ZoneInfo(zone or "UTC")

    def instant(one: date) -> int:
        moved = one + timedelta(microseconds=offset)
        return int(datetime.combine(moved, time(hours, minutes), clock).timestamp()) * US

    if not yearly:
        found = instant(day)
        return Micros(found if found > after else 0)
    year = datetime.fromtimestamp(after / US, clock).year
    for one in (year - 1, year, year + 1, year + 2):
        found = instant(_in_year(day, one))
        if found > after:
            return Micros(found)
    return Micros(0)


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def local_midnight(now: int, zone: str) -> Micros:
    """Give the beginning of the day in a zone."""
    at = datetime.fromtimestamp(now / US, ZoneInfo(zone or "UTC"))
    begun = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Micros(int(begun.timestamp()) * US)


def day_of(now: int, zone: str = "UTC") -> str:
    """Name the day in a zone."""
    return datetime.fromtimestamp(now / US, ZoneInfo(zone or "UTC")).date().isoformat()


def quiet_until(now: int, quiet: tuple[str, str], zone: str) -> Micros:
    """Give when quiet hours that last now are over, 0 outside of them; by the zone's clock."""
    try:
        clock = ZoneInfo(zone)
    except (ValueError, KeyError):
        clock = ZoneInfo("UTC")
    here = datetime.fromtimestamp(now / US, clock)
    begins, ends = (time.fromisoformat(one) for one in quiet)
    inside = begins <= here.time() < ends if begins < ends else not ends <= here.time() < begins
    if not inside:
        return Micros(0)
    day = here.date() if here.time() < ends else here.date() + timedelta(days=1)
    return Micros(int(datetime.combine(day, ends, clock).timestamp()) * US)
