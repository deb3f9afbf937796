"""Points to tick in a long text: its lines that begin with ☐, and with ☑ once they are done."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import Conflict, Invalid
from hub.kinds import Kind
from hub.properties import PropertyType

OPEN, DONE = "☐", "☑"
TEXT = "description"
"""The long text of an object that may hold points."""
LONGEST = 400


@dataclass(frozen=True, slots=True)
class TextPoint:
    """A point: the number of its line from 0, its words, whether it is done."""

    line: int
    text: str
    done: bool


def has_points(kind: Kind) -> bool:
    """Tell whether objects of a kind have a text for points."""
    return any(
        one.name == TEXT and one.type is PropertyType.TEXT and one.editable
        for one in kind.properties
    )


def points_of(text: str) -> list[TextPoint]:
    """Give the points of a text in their order."""
    return [
        TextPoint(line, words[1:].strip(), words[0] == DONE)
        for line, words in enumerate(map(str.strip, text.splitlines()))
        if words[:1] in (OPEN, DONE) and words
    ]


def ticked(text: str, line: int, words: str) -> str:
    """Tick the point of a line, or untick it; raises Conflict where these words are not there."""
    found = next((one for one in points_of(text) if (one.line, one.text) == (line, words)), None)
    if found is None:
        raise Conflict("somebody changed the points meanwhile", what="points")
    lines = text.splitlines()
    lines[line] = f"{OPEN if found.done else DONE} {found.text}"
    return "\n".join(lines)


def with_point(text: str, words: str) -> str:
    """Add a point after the last one, or at the end; raises Invalid without words."""
    line = " ".join(words.split())[:LONGEST]
    if not line:
        raise Invalid("write what is to be done", field="text")
    lines = text.rstrip().splitlines()
    place = max((one.line + 1 for one in points_of(text)), default=len(lines))
    return "\n".join([*lines[:place], f"{OPEN} {line}", *lines[place:]])
