"""What the endpoints of mailings take and give, for whoever writes programs against them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub import Body, GivenId, Id, Instant, Listing, Shape, Text, Word

Clock = Field(default="", description="A time of day such as 21:00.")
Wall = Field(default="", description="A moment on the wall, 2027-03-10T09:00, in the house's zone.")
Erid = Field(default="", description="The mark of advertising of these words; empty: the plan's.")


# -- a plan ---------------------------------------------------------------------------------------


class Wording(Body):
    """One wording: a letter in light markup with its subject, or a message's text."""

    subject: Word = ""
    text: Text = ""
    short: Text = Field(default="", description="What channels that take no letters get instead.")
    plain: Text = Field(default="", description="The letter's plain twin; empty: made of the text.")
    letter: Word = Field(
        default="", description="The letter of the library it began as, id:version."
    )
    erid: Word = Erid
    short_erid: Word = Erid


class Step(Body):
    """A later letter of a chain."""

    days: int = Field(description="So many days after the first one, unless it was answered.")
    subject: Word = ""
    text: Text = ""
    short: Text = ""
    erid: Word = Erid
    short_erid: Word = Erid


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
    per_minute: int = Field(default=0, description="Most messages a minute; 0: as the senders say.")
    domain_per_minute: int = Field(default=0, description="The same for one domain of addresses.")
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


class GivenPlan(Body, _Said):
    """A plan, or the part of it that shall change."""

    segment_id: GivenId = 0
    without: list[GivenId] = Field(default=[], description="Segments that are left out.")
    accounts: list[GivenId] = Field(default=[], description="In the order in which they are tried.")
    files: list[GivenId] = Field(default=[], description="Files kept by `POST /mailings/files`.")


class GivenMailing(Body):
    """A mailing's title and plan; what is left out stays as it is."""

    title: Word = ""
    plan: GivenPlan = GivenPlan()


# -- a mailing ------------------------------------------------------------------------------------


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
    """The same with what became of its wordings."""

    wordings: list[Tried]


class Finding(Shape):
    """One line of the list before sending; a `bad` one must be mended first."""

    level: Literal["bad", "warn", "good"]
    text: str
    detail: str


class Findings(Shape):
    """The list before sending."""

    ready: bool
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
    """Where a mailing shall go."""

    state: Literal["paused", "running", "cancelled"]


class Behind(Body):
    """Which people: those of a state, or who were missed for a reason."""

    what: Word = Field(default="", description="sent, failed, clicked, answered, missed")
    reason: Word = ""


class Segment(Shape):
    """The segment that was made."""

    segment_id: Id


class Again(Body):
    """To whom again: those who failed, or were missed for one reason; neither: a plain copy."""

    failed: bool = False
    reason: Word = ""


class Way(Shape):
    """One try to reach a person."""

    account_id: Id
    state: str
    reason: str
    text: str
    at: Instant


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


# -- what it brought ------------------------------------------------------------------------------


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
    link: Text = ""
    days: int = 30
    touch: Literal["any", "first", "last"] = "any"


# -- the library ----------------------------------------------------------------------------------


class GivenLetter(Body):
    """A letter of the library; what is left out stays as it is."""

    title: Word = ""
    folder: Word = ""
    scope: Literal["mine", "team", "all"] = "mine"
    team_id: GivenId = 0
    subject: Word = ""
    text: Text = ""
    short: Text = ""
    plain: Text = ""
    files: list[GivenId] = Field(default=[])


class Letter(Shape):
    """A letter of the library."""

    id: Id
    title: str
    folder: str
    scope: str
    owner_id: Id
    team_id: Id
    subject: str
    text: str
    short: str
    plain: str
    files: list[Id]
    changed_at: Instant
    version: int


class Removed(Shape):
    """What was put away."""

    removed: Id


class Copy(Body):
    """The copy's title; empty: made of the letter's."""

    title: Word = ""


class MailingMade(Shape):
    """The draft that was made."""

    mailing_id: Id


class Version(Shape):
    """What it was before: a letter's words, or a mailing's plan."""

    version: int
    at: Instant
    user_id: Id
    title: str
    body: dict[str, Any]


class Versions(Shape):
    """The newest first."""

    items: list[Version]


class MailingVersions(Versions):
    """The same of a mailing, with the version of now and those that were sent."""

    now: int
    sent: list[int]


class Change(Shape):
    """One line that came (+), went (-) or stayed."""

    sign: str
    text: str


class ComparedVersion(Version):
    """A version, and what changed since."""

    changes: list[Change]


class Restored(Body):
    """Which version comes back."""

    version: int


class DraftRestored(Shape):
    """The draft that has its earlier words again."""

    id: Id
    title: str


class Recipient(Body):
    """An address of the account's kind, and whose it is."""

    value: Word
    name: Word = ""


class ServiceMessage(Body):
    """A letter of the library to one person: `contact_id`, or an `address`."""

    letter_id: GivenId
    account_id: GivenId
    contact_id: GivenId = 0
    address: Recipient | Word | None = None
    given: dict[str, str | int | float] = Field(
        default={}, description="Values of the letter's `{{ given.… }}`."
    )


class ServiceMessageQueued(Shape):
    """Where to look what becomes of it."""

    message_id: Id
    dialog_id: Id
    status: str


# -- senders --------------------------------------------------------------------------------------


class Kinds(Body):
    """The kinds of advertising that need an erid in this house."""

    kinds: list[Word]


class Limits(Body):
    """How fast an account may send to many, and what a message costs (minor units)."""

    per_minute: int = 0
    per_day: int = 0
    warm_first: int = Field(default=0, description="How many leave on the first day of a warm-up.")
    warm_percent: int = Field(default=0, description="How many per cent more each day after.")
    warm_from: Word = Field(default="", description="Its first day, 2027-03-10.")
    price: int = 0
    currency: Word = ""


class AccountLimits(Shape):
    """The limits of one account."""

    account_id: Id
    per_minute: int
    per_day: int
    warm_first: int
    warm_percent: int
    warm_from: str
    price: int
    currency: str


class Check(Shape):
    """What the world asks of a sender; `add` is the exact text to put somewhere."""

    name: str
    ok: bool
    text: str
    add: str


class Sender(AccountLimits):
    """An account that sends, with the checks of its sender."""

    title: str
    checks: list[Check]


class Senders(Shape):
    """Every account that sends."""

    items: list[Sender]


Mailings = Listing[Mailing]
Letters = Listing[Letter]
Tests = Listing[TestSent]
AllWays = Listing[Ways]
