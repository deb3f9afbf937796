"""The time zones that this machine knows."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


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
