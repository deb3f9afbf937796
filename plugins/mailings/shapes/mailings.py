"""A mailing with its plan and numbers, and what is done with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub import Body, GivenId, Id, Instant, Listing, Shape, Word
from plugins.mailings.shapes.plans import GivenPlan, Plan
from plugins.mailings.shapes.results import Numbers


class GivenMailing(Body):
    """A mailing's title and plan; what is left out stays as it is."""

    title: Word = ""
    plan: GivenPlan = GivenPlan()


class MailingNumbers(Numbers):
    """Of a whole mailing, with the looks of machines."""

    machines: int = 0


class Cause(Shape):
    """How many did not get it, and why."""

    status: str
    reason: str
    count: int


class Tried(Shape):
    """What became of one of two wordings."""

    name: str
    subject: str
    sent: int
    clicked: int
    answered: int
    share: float = Field(description="Per cent of who got it that followed a link.")
    won: bool


class Mailing(Shape):
    """A mailing with its plan, where it stands, and its numbers."""

    id: Id
    title: str
    state: str
    reason: str
    plan: Plan
    version: int
    held_out: int
    due_at: Instant
    started_at: Instant
    winner: str
    numbers: MailingNumbers
    reasons: list[Cause]


class WholeMailing(Mailing):
    """The same with what became of its wordings, and how fast it goes."""

    per_minute: float | None = Field(
        description="How many left a minute since it was asked before; null: nobody knows yet."
    )
    ends_at: Instant = Field(description="When the last one leaves at this pace.")
    wordings: list[Tried]


class Finding(Shape):
    """One line of the list before sending; a `bad` one must be mended first."""

    level: Literal["bad", "warn", "good"]
    text: str
    detail: str


class Findings(Shape):
    """The list before sending; its numbers are about so many where they are `estimated`."""

    ready: bool
    estimated: bool
    findings: list[Finding]


class Link(Shape):
    """Whether a link answers."""

    url: str
    state: Literal["alive", "dead", "unsure"]
    cause: str
    code: int


class Links(Shape):
    """Every link of the words."""

    items: list[Link]


class Confirmed(Body):
    """The number of people, typed to confirm a mailing above a thousand."""

    people: str | int = ""


class Steered(Body):
    """Where a mailing shall go; a draft is put away (`removed`) and back (`draft`)."""

    state: Literal["paused", "running", "cancelled", "removed", "draft"]


class Behind(Body):
    """Which people: those of a state, or who were missed for a reason."""

    what: Word = Field(default="", description="sent, failed, clicked, answered, missed")
    reason: Word = ""


class Again(Body):
    """To whom again: those who failed, or were missed for one reason; neither: a plain copy."""

    failed: bool = False
    reason: Word = Field(
        default="", description="Of the mailing's `reasons`; `unknown` for the status unknown."
    )


class Way(Shape):
    """One try to reach a person."""

    account_id: Id
    state: str
    reason: str
    text: str
    at: Instant
    told: str = Field(
        description="Said of it after it was passed: delivered, read, failed; else empty."
    )
    told_at: Instant


class Ways(Shape):
    """A person and every way that was tried."""

    contact_id: Id
    delivery_id: Id
    name: str
    ways: list[Way]


class Test(Body):
    """A test: to whom, over what, filled in for whom."""

    to: Word | list[Word] = Field(default=[], description="Addresses; none: the caller's own.")
    account_id: GivenId = Field(default=0, description="Of the plan; none: its first.")
    contact_id: GivenId = Field(default=0, description="Filled in for; none: a sample.")
    variant: int = Field(default=0, ge=0, le=1)
    step: int = Field(default=0, ge=0)
    language: Word = ""


class TestsMade(Shape):
    """The sends of a test."""

    send_ids: list[Id]


class TestSent(Shape):
    """What became of a test."""

    send_id: Id
    account_id: Id
    at: Instant
    state: str
    reason: str


class KeptFile(Shape):
    """A file that plans and letters may name."""

    id: Id
    name: str
    size: int


class Picture(Shape):
    """A picture that letters may show."""

    url: str


class ListedMailing(Mailing):
    """One of a list, with when its numbers were counted."""

    counted_at: Instant


Mailings = Listing[ListedMailing]
Tests = Listing[TestSent]
AllWays = Listing[Ways]
