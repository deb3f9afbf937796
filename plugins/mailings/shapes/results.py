"""What a mailing brought: numbers, cuts, links, money."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub import Body, Id, Shape, Text, Word


class Numbers(Shape):
    """How many people; `planned` is the sum of the states."""

    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    kept_back: int = 0
    seen: int = Field(default=0, description="Opened it: an estimate.")
    clicked: int = 0
    answered: int = 0


class Segment(Shape):
    """The segment that was made."""

    segment_id: Id


class Sum(Shape):
    """Money in minor units of a currency."""

    currency: str
    amount: int


class Earned(Shape):
    """What was made within the window after a touch; `people` are those who won."""

    leads: int
    interests: int
    won: int
    people: int
    sums: list[Sum]


class Brought(Numbers):
    """Numbers of one part."""

    unsubscribed: int = 0
    complained: int = 0


class Part(Shape):
    """One part of a cut."""

    key: str
    name: str
    numbers: Brought
    earned: Earned


class Compared(Shape):
    """Who got it beside who was kept out."""

    got: int
    with_it: Earned
    kept_out: int
    without_it: Earned
    won_because_of_it: float | None


class LinkPeople(Shape):
    """How many people, and how many machines, followed a link."""

    url: str
    people: int
    machines: int


class _Report(Shape):
    id: Id
    numbers: Brought
    earned: Earned
    cost: list[Sum]
    left_over: list[Sum]
    compared: Compared
    by: dict[str, list[Part]]
    links: list[LinkPeople]


class Report(_Report):
    """What a mailing brought, by each cut, within so many days, counted by a touch."""

    days: int
    touch: str


class ReportLine(_Report):
    """The same as one of several."""

    title: str


class Reports(Shape):
    """Mailings side by side."""

    days: int
    touch: str
    items: list[ReportLine]


class NumberBehind(Body):
    """A number of a report: of the whole, of a part of a cut, or of a link."""

    number: Word
    by: Word = ""
    key: Word = ""
    link: Text = Field(default="", description="With the number `sent`: who followed this link.")
    days: int = 30
    touch: Literal["any", "first", "last"] = "any"
