"""Figures in words: sums and durations as people of a language write them."""

from __future__ import annotations

import re

MINUTE = 60_000_000
_SPANS = ((1440, "d", "д"), (60, "h", "ч"), (1, "min", "мин"))


def lasting(number: int, language: str, one: int = 1) -> str:
    """Say how long something lasts, to the minute; `one` is how many microseconds one is."""
    russian = language.startswith("ru")
    left = round(abs(number) * one / MINUTE)
    parts: list[str] = []
    for span, english, word in _SPANS:
        count, left = divmod(left, span)
        if count or (span == 1 and not parts):
            parts.append(f"{count}\u00a0{word if russian else english}")
    return f"{'-' if number < 0 else ''}{' '.join(parts)}"


def sum_said(minor: int, language: str) -> str:
    """Say a sum without its currency; a whole one without its kopecks."""
    russian = language.startswith("ru")
    whole, rest = divmod(abs(minor), 100)
    digits = f"{whole:,}".replace(",", "\u00a0" if russian else ",")
    if rest:
        digits += f"{',' if russian else '.'}{rest:02}"
    return f"{'-' if minor < 0 else ''}{digits}"


def minor_units(given: str) -> int:
    """Read a sum as people write it; raises ValueError."""
    plain = re.sub(r"[\s\u00a0\u202f'_]", "", given)
    found = re.fullmatch(
        r"(-?)([0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]{1,15})(?:[.,]([0-9]{1,2}))?", plain
    )
    if found is None:
        raise ValueError("a sum is needed, as 1200 or 1200.50")
    whole = int(re.sub("[.,]", "", found[2]))
    cents = int((found[3] or "0").ljust(2, "0"))
    return (whole * 100 + cents) * (-1 if found[1] else 1)
