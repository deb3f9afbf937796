"""Segments as the API gives and takes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.shapes import Body, GivenId, Id, Instant, Shape

MAX_NAME = 200


class Segment(Shape):
    """A named group of people; `version` is also the ETag."""

    id: Id
    name: str
    static: bool
    filter: dict[str, Any]
    any_of: list[Id]
    all_of: list[Id]
    not_in: list[Id]
    watched: bool
    size: int = Field(description="At the hub's last look; 0 for who does not see everything.")
    counted_at: Instant
    version: int


class SegmentFieldChoice(Shape):
    """A value that a field may have, and what it is called in each language."""

    value: str
    labels: dict[str, str]


class SegmentField(Shape):
    """What a segment's filter can ask of a person: `name` is the `field` of a condition."""

    name: str
    type: str
    labels: dict[str, str] = Field(description="What it is called, by language: en, ru.")
    operators: list[str]
    choices: list[SegmentFieldChoice]


class SaveSegment(Body):
    """What makes or changes a segment."""

    name: str = Field(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00]*$")
    static: bool = False
    filter: dict[str, Any] = Field(default_factory=dict)
    any_of: list[GivenId] = Field(default_factory=list, max_length=50)
    all_of: list[GivenId] = Field(default_factory=list, max_length=50)
    not_in: list[GivenId] = Field(default_factory=list, max_length=50)
    watched: bool = False


class FillSegment(Body):
    """Who comes into a static segment and who leaves it."""

    add: list[GivenId] = Field(default_factory=list, max_length=500)
    remove: list[GivenId] = Field(default_factory=list, max_length=500)


class Filled(Shape):
    """How many changed."""

    changed: int


class Reason(Shape):
    """Why so many cannot be reached."""

    reason: str
    count: int


class Reach(Shape):
    """How many can be reached on a channel, and why the others cannot."""

    total: int
    reached: int
    kept_back: list[Reason]
    estimated: bool = Field(description="One person in 61 was asked; ask for `exact` to count all.")
    counted_at: Instant


class Member(Shape):
    """A person of a segment with an address of the asked channel, "" where there is none."""

    contact_id: Id
    address_id: Id
    name: str
    address: str
    time_zone: str
