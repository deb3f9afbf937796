"""Consent and suppression as the API gives and takes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.shapes import Body, Id, Instant, OptionalId, Shape

Way = Literal["form", "message", "hand", "import", "api", "link", "double_opt_in"]
Reason = Literal[
    "bounced_hard",
    "bounced_soft",
    "complained",
    "blocked",
    "operator_refused",
    "by_hand",
    "imported",
]


class ConsentEntry(Shape):
    """One word of a person: on which channel ("" is every one), about what ("" is everything)."""

    id: Id
    channel: str
    topic: str
    state: str
    at: Instant
    how: str
    evidence: str
    ip: str
    user_id: OptionalId
    days: int = Field(
        description='In the state "limited": at most one advertising message in so many days; 0 lifts it.'
    )


class Suppression(Shape):
    """Why an address takes no advertising; soft bounces count from the fifth in a row on."""

    address_id: Id
    kind: str
    value: str
    reason: str
    count: int
    at: Instant
    text: str
    counts: bool


class Standing(Shape):
    """Where a person stands: the newest word for each channel and topic, and all of them."""

    contact_id: Id
    current: list[ConsentEntry]
    log: list[ConsentEntry]
    suppressions: list[Suppression]
    days: int = Field(
        description="At most one advertising message in so many days, by the person's wish; 0 for none."
    )


class Word(Body):
    """A word of a person, with its evidence. `limited` needs `days`: at most one advertising message
    in so many days over all channels, 0 for as it comes."""

    state: Literal["given", "withdrawn", "limited"]
    days: int = Field(default=0, ge=0, le=365)
    channel: str = Field(default="", max_length=100, pattern=r"^[^\x00]*$")
    topic: str = Field(default="", max_length=100, pattern=r"^[^\x00]*$")
    how: Way = "hand"
    evidence: str = Field(default="", max_length=4000, pattern=r"^[^\x00]*$")
    ip: str = Field(default="", max_length=100, pattern=r"^[^\x00]*$")


class Why(Body):
    """Why an address is suppressed, in words."""

    text: str = Field(default="", max_length=400, pattern=r"^[^\x00]*$")
