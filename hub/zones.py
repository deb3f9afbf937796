"""The time zones that this machine knows, and the quiet hours of people in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

US = 1_000_000


@cache
def zone_names() -> tuple[str, ...]:
    """Give their names, in order. To find them the standard library opens some six hundred files,
    and nobody adds one while the hub runs."""
    return tuple(sorted(available_timezones()))


def zone_called(given: str) -> str:
    """Give the zone that people mean by a name or by a city alone; raises ValueError."""
    wanted = given.lower().replace(" ", "_")
    whole = [one for one in zone_names() if one.lower() == wanted]
    found = whole or [one for one in zone_names() if one.lower().rpartition("/")[2] == wanted]
    if len(found) != 1:
        raise ValueError("there is no such time zone; one is written as Europe/Moscow")
    return found[0]


def days_later(instant: int, days: int, zone: str) -> int:
    """Give the same time of day in a zone so many days later, whatever its clocks did in between."""
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        place = ZoneInfo("UTC")
    seconds, rest = divmod(instant, US)
    local = datetime.fromtimestamp(seconds, place) + timedelta(days=days)
    return int(local.timestamp()) * US + rest


def quiet_until(now: int, zone: str, start: int, end: int) -> int:
    """Give when the quiet hours of a zone end, 0 where they are not on; over midnight too.

    `now` and what is given are instants, `start` and `end` minutes of the day.
    """
    try:
        local = datetime.fromtimestamp(now / US, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        local = datetime.fromtimestamp(now / US, ZoneInfo("UTC"))
    minute = local.hour * 60 + local.minute
    on = start <= minute < end if start < end else minute >= start or minute < end
    if not on:
        return 0
    day = local if minute < end else local + timedelta(days=1)
    over = day.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0)
    return int(over.timestamp() * US)
