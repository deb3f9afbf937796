"""Ids out of addresses and forms."""

from __future__ import annotations

from hub.errors import Invalid


def number(text: object, name: str = "id") -> int:
    """Read an id out of an address or a body; raises Invalid."""
    try:
        value = int(str(text))
    except ValueError as error:
        raise Invalid("this is not an id", field=name) from error
    if not 0 <= value < 1 << 63:
        raise Invalid("this is not an id", field=name)
    return value
