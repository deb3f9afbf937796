"""A plan: what is sent to whom, over what, when, and how fast."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub import Body, GivenId, Id, Shape, Text, Word

Clock = Field(default="", description="A time of day such as 21:00.")
Wall = Field(default="", description="A moment on the wall, 2027-03-10T09:00, in the house's zone.")
Erid = Field(default="", description="The mark of advertising of these words; empty: the plan's.")


class PlanButton(Body):
    """A button under a message; one without an address is an answer when it is pressed."""

    label: Word
    url: Word = Field(default="", description="Where it leads; clicks are counted as of links.")


BUTTONS = "Under messages where the channel shows them."


class Wording(Body):
    """One wording: a letter in light markup with its subject, or a message's text."""

    subject: Word = ""
    text: Text = Field(
        default="",
        description="Light markup (docs/letters.md), or code that begins with <mjml or <html.",
    )
    short: Text = Field(default="", description="What channels that take no letters get instead.")
    plain: Text = Field(default="", description="The letter's plain twin; empty: made of the text.")
    letter: Word = Field(
        default="", description="The letter of the library it began as, id:version."
    )
    erid: Word = Erid
    short_erid: Word = Erid
    buttons: list[PlanButton] = Field(default=[], description=BUTTONS)


class Step(Body):
    """A later letter of a chain."""

    days: int = Field(description="So many days after the first one, unless it was answered.")
    subject: Word = ""
    text: Text = ""
    short: Text = ""
    erid: Word = Erid
    short_erid: Word = Erid
    buttons: list[PlanButton] = Field(default=[], description=BUTTONS)


class _Said(Shape):
    """What a plan says in words, numbers and flags, given and told alike."""

    topic: Word = Field(default="", description="The topic of consent that it asks for.")
    advertising: bool = True
    variants: list[Wording] = Field(default=[], description="One wording, or two that compete.")
    share: int = Field(default=20, description="Per cent of the people who get a trial wording.")
    winner_hours: int = Field(default=4, description="After how many hours the winner is chosen.")
    hold_out: int = Field(default=0, description="Per cent of the people who are kept out.")
    at: Word = Wall
    local: bool = Field(default=False, description="`at` is each person's own time.")
    quiet_from: Word = Clock
    quiet_until: Word = Clock
    cap_count: int = Field(
        default=0, description="Most mailings to a person in `cap_days`; 0: any."
    )
    cap_days: int = 7
    per_minute: int = Field(
        default=0, description="Most messages in `minutes`; 0: as the senders say."
    )
    minutes: int = Field(default=1, ge=1, le=1440, description="1 is a minute, 60 an hour.")
    domain_per_minute: int = Field(default=0, description="The same for one domain of addresses.")
    domain_minutes: int = Field(default=1, ge=1, le=1440)
    fail_percent: int = Field(
        default=20, description="From which share of failures it pauses itself."
    )
    utm: Word = Field(default="", description="What is added to links as utm_campaign.")
    tracks_clicks: bool = True
    tracks_opens: bool = False
    sender_name: Word = ""
    fall_back_minutes: int = Field(
        default=0, description="Not delivered in this time: the person's next channel is tried."
    )
    template: Word = Field(default="", description="A provider's approved template.")
    template_language: Word = ""
    template_values: Word = ""
    audience: Literal["living", "frozen"] = Field(
        default="living", description="Whether the segment is asked when it leaves, or kept now."
    )
    repeat: Literal["", "day", "week", "month", "enter"] = Field(
        default="", description="How often, or `enter`: to whoever comes into the segment."
    )
    repeat_every: int = 1
    repeat_until: Word = Wall
    steps: list[Step] = Field(default=[])
    stop_answered: bool = Field(default=True, description="Whether an answer ends the chain.")
    ad_kind: Literal["", "own", "third"] = ""
    advertiser: Word = ""
    inn: Word = ""
    erid: Word = ""


class Plan(_Said):
    """What is sent to whom, over what, when, and how fast."""

    segment_id: Id = "0"
    without: list[Id] = Field(default=[], description="Segments that are left out.")
    accounts: list[Id] = Field(default=[], description="In the order in which they are tried.")
    files: list[Id] = Field(default=[])


class GivenPlan(_Said, Body):
    """A plan, or the part of it that shall change."""

    segment_id: GivenId = 0
    without: list[GivenId] = Field(default=[], description="Segments that are left out.")
    accounts: list[GivenId] = Field(default=[], description="In the order in which they are tried.")
    files: list[GivenId] = Field(default=[], description="Files kept by `POST /mailings/files`.")
