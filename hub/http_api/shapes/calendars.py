"""Working calendars."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.shapes import Body, GivenInstant, Id, Instant, Shape, Word


class SpecialDay(Shape):
    """A day that is not as its weekday; without hours nobody works."""

    hours: list[list[str]] = Field(examples=[[["09:00", "17:00"]]])
    name: str


class Calendar(Shape):
    """A calendar of working time."""

    id: Id
    name: str
    time_zone: str = Field(description="Empty: the organisation's.")
    zone: str = Field(description="The time zone that counts.")
    week: dict[str, list[list[str]]] = Field(description="Hours of `mon` to `sun`.")
    special: dict[str, SpecialDay] = Field(description="Days that differ, by date.")
    is_default: bool
    version: int


class GivenDay(Body):
    """A day that differs."""

    hours: list[list[Word]] = Field(default_factory=list, max_length=24)
    name: str = Field(default="", max_length=200)


class SaveCalendar(Body):
    """What to change; what is left out stays as it is."""

    name: Word | None = None
    time_zone: Word | None = None
    week: dict[str, list[list[Word]]] | None = Field(
        default=None, examples=[{"mon": [["09:00", "13:00"], ["14:00", "18:00"]]}]
    )
    special: dict[str, GivenDay] | None = Field(default=None, max_length=5000)
    make_default: bool = False
    version: int | None = Field(
        default=None, description="The version you saw; another is refused with 409."
    )


class CreateCalendar(SaveCalendar):
    """A new calendar."""

    name: Word = Field(min_length=1)
    week: dict[str, list[list[Word]]]


class AddDays(Body):
    """Special days, as data or as lines of text: `01.01.2027-08.01.2027 New Year`."""

    days: dict[str, GivenDay] = Field(default_factory=dict, max_length=1000)
    text: str = Field(default="", max_length=50_000)
    year: int = Field(default=0, ge=0, le=9999, description="Of lines without one; 0: this year.")


class Count(Body):
    """A question to a calendar: when `minutes` of working time have passed since `start`."""

    start: GivenInstant
    minutes: int = Field(ge=0, le=1_000_000)


class Counted(Shape):
    """The answer: the end, and whether and when somebody works at the start."""

    ends_at: Instant
    is_open: bool
    next_open_at: Instant


def days_of(given: dict[str, GivenDay]) -> dict[str, Any]:
    """Give special days as the command takes them."""
    return {day: {"hours": one.hours, "name": one.name} for day, one in given.items()}
