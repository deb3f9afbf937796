"""Cleans what a channel brings of the few signs that no database takes.

JSON lets a stranger write nul bytes and halves of surrogate pairs; PostgreSQL refuses the first,
UTF-8 has no place for the second. They are dropped once, for every channel, before the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")
NOT_KEPT = "a text has a character that cannot be kept"
"""What is said of such signs where nothing may be dropped: in a command, in a request."""


def storable(arrival: T) -> T:
    """Give an arrival without nul bytes and lone surrogates; the same object where it has none."""
    cleaned: T = _clean(arrival)
    return cleaned


def is_storable(value: Any) -> bool:
    """Say whether a value has no such sign."""
    return storable(value) is value


def _clean(value: Any) -> Any:
    # Exact types: an enumeration's member is a str too, and stays what it is.
    kind = type(value)
    if kind is str:
        return value if _is_clean(value) else _clean_text(value)
    if kind is tuple or kind is list:
        cleaned = [_clean(one) for one in value]
        same = all(new is old for new, old in zip(cleaned, value, strict=True))
        return value if same else kind(cleaned)
    if (names := _names(kind)) is not None:
        return _clean_parts(value, names)
    if isinstance(value, Mapping):
        found = {_clean(name): _clean(one) for name, one in value.items()}
        same = len(found) == len(value) and all(
            name in found and found[name] is one for name, one in value.items()
        )
        return value if same else found
    return value


def _clean_parts(value: Any, names: tuple[str, ...]) -> Any:
    """Clean a dataclass; most fields of most arrivals are empty, and this is every message's way."""
    changed = {}
    for name in names:
        old = getattr(value, name)
        if old:
            new = _clean(old)
            if new is not old:
                changed[name] = new
    return replace(value, **changed) if changed else value


_NAMES: dict[type, tuple[str, ...] | None] = {}


def _names(kind: type) -> tuple[str, ...] | None:
    """Give the fields of a dataclass, None for every other type; found once per type."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(one.name for one in fields(kind)) if is_dataclass(kind) else None
    return _NAMES[kind]


def _is_clean(text: str) -> bool:
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clean_text(text: str) -> str:
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
