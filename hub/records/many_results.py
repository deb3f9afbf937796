"""What a send to many led to: numbers by a cut, links, and what was earned after it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import NEVER, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The rows of sends in one part of a cut (`key`); `planned` is the sum of the states.

    `people` are whom any of it left to, each once: a chain has several rows of one person.
    """

    key: str = ""
    people: int = 0
    planned: int = 0
    kept_back: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    seen: int = 0
    clicked: int = 0
    answered: int = 0
    unsubscribed: int = 0
    complained: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTally:
    """One link of the words of sends: how many people followed it, and how many machines."""

    content_id: int
    n: int
    url: str
    people: int = 0
    machines: int = 0
    first_at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What was made within a window after a touch: leads, interests, won ones with their sums.

    `sums` are (currency, minor units); `people` are those who won.
    """

    key: str = ""
    leads: int = 0
    interests: int = 0
    won: int = 0
    people: int = 0
    sums: tuple[tuple[str, int], ...] = ()


TOUCHES = ("any", "first", "last")
"""Whose an interest is that several mailings touched: everyone's, the first one's, the last one's."""

CUTS = ("", "account", "channel", "hour", "variant", "domain")
"""By what the numbers of a send are cut."""

NUMBERS = (
    "planned",
    "kept_back",
    "waiting",
    "sent",
    "delivered",
    "failed",
    "unknown",
    "seen",
    "clicked",
    "answered",
    "unsubscribed",
    "complained",
    "leads",
    "interests",
    "won",
)
"""The numbers behind which there are people."""
