"""Single values of a rule's JSON: read, or refused with the path where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hub.errors import Invalid
from hub.filters.reading import UNITS

SECOND = 1_000_000
LONGEST = 5 * 366 * UNITS["d"]
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdw])")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def wrong(path: str, text: str) -> Invalid:
    """Make the objection to a place of a rule's JSON."""
    return Invalid(f"{path}: {text}", field=path)


def number(data: object, path: str, least: int, most: int) -> int:
    """Read a whole number within bounds."""
    if type(data) is not int or not least <= data <= most:
        raise wrong(path, f"a number from {least} to {most} is needed")
    return data


def duration(data: object, path: str) -> int:
    """Read 30s, 10m, 12h, 3d, 2w into microseconds."""
    found = _DURATION.fullmatch(data) if isinstance(data, str) else None
    length = 0
    if found is not None:
        length = int(found[1]) * (SECOND if found[2] == "s" else UNITS[found[2]])
    if not 0 < length <= LONGEST:
        raise wrong(path, "a duration is needed: 30s, 10m, 12h, 3d, 2w")
    return length


def mapping(data: object, path: str) -> dict[str, Any]:
    """Read an object with names."""
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise wrong(path, "an object is needed")
    return dict(data)


def only(tree: Mapping[str, object], path: str, known: Sequence[str]) -> None:
    """Refuse a name that is not known here."""
    for key in tree:
        if key not in known:
            place = f"{path}.{key}" if path else key
            raise wrong(place, f"known here: {', '.join(known) or 'nothing more'}")


def listed(data: object, path: str, most: int) -> list[object]:
    """Read a list."""
    if not isinstance(data, list | tuple):
        raise wrong(path, "a list is needed")
    if len(data) > most:
        raise wrong(path, f"at most {most}")
    return list(data)


def text(data: object, path: str, most: int) -> str:
    """Read a text; one of a single line loses what spaces are too many."""
    if not isinstance(data, str):
        raise wrong(path, "a text is needed")
    if len(data) > most:
        raise wrong(path, f"at most {most} characters")
    return " ".join(data.split()) if "\n" not in data else data.strip()


def flag(data: object, path: str) -> bool:
    """Read true or false."""
    if not isinstance(data, bool):
        raise wrong(path, "true or false is needed")
    return data


def one_of(data: object, known: Sequence[str], path: str) -> str:
    """Read one of some words."""
    if data not in known:
        names = ", ".join(one for one in known if one)
        raise wrong(path, f"one of these is needed: {names}")
    return str(data)


def zone(data: object, path: str) -> str:
    """Read the name of a time zone."""
    if not isinstance(data, str) or data not in available_timezones():
        raise wrong(path, "a time zone is needed, as Europe/Moscow")
    return ZoneInfo(data).key


def time_of_day(data: object, path: str) -> str:
    """Read a time of the day."""
    found = _TIME.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise wrong(path, "a time of the day is needed, as 10:00")
    return clock(int(found[1]), int(found[2])).strftime("%H:%M")
