"""The time zones that this machine knows."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> tuple[str, ...]:
    """Give their names, in order. To find them the standard library opens some six hundred files,
    and nobody adds one while the hub runs."""
    return tuple(sorted(available_timezones()))
