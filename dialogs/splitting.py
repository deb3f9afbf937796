"""Cutting a text that is longer than a channel takes into parts, at the best place there is."""

from __future__ import annotations

_BREAKS = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


def split_text(text: str, limit: int) -> list[str]:
    """Cut a text into parts of at most `limit` characters; 0 means no limit.

    Nothing is lost but white space at the cuts. A part is never empty.
    """
    text = text.strip()
    if limit <= 0 or len(text) <= limit:
        return [text]
    parts = []
    while len(text) > limit:
        cut = _cut(text, limit)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    if text:
        parts.append(text)
    return [one for one in parts if one]


def _cut(text: str, limit: int) -> int:
    for mark in _BREAKS:
        # A break in the first third would make a part that is needlessly short.
        place = text.rfind(mark, limit // 3, limit - len(mark.rstrip()) + 1)
        if place > 0:
            return place + len(mark.rstrip()) if mark.strip() else place
    return limit
