"""What programs give to and get from call lists."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Text, Word

State = Literal["draft", "running", "paused", "done", "removed"]
Kind = Literal["text", "choice", "yesno", "number"]


class Question(Shape):
    """A question of the script; `number` is its own for good, wherever it stands."""

    text: str
    kind: Kind
    choices: list[str]
    number: int


class Result(Shape):
    """A result of the list's own; after `again` the person is called again."""

    code: str
    label: str
    again: bool


class Plan(Shape):
    """Whom, what to say and ask, when and by whom."""

    segment_id: OptionalId
    advertising: bool
    words: str
    questions: list[Question]
    results: list[Result]
    attempts: int
    interval_minutes: int
    call_from: str
    call_until: str
    team_id: OptionalId
    callers: list[Id]


class GivenQuestion(Body):
    """A question; `choices` of a `choice` only."""

    text: Word
    kind: Kind = "text"
    choices: list[Word] = Field(default=[])
    number: int | None = Field(
        default=None,
        ge=0,
        lt=1_000_000,
        description="Of a question that is there: its answers stay its own, whatever its words.",
    )


class GivenResult(Body):
    """A result beside talked, missed, later, refused and wrong."""

    label: Word
    again: bool = False


class GivenPlan(Body):
    """What is left out stays as it is."""

    segment_id: GivenId = 0
    advertising: bool = True
    words: Text = ""
    questions: list[GivenQuestion] = Field(default=[])
    results: list[GivenResult] = Field(default=[])
    attempts: int = Field(default=3, ge=1, le=50)
    interval_minutes: int = Field(default=120, ge=1, le=43_200)
    call_from: Word = Field(default="10:00", description="By the clock of the person called.")
    call_until: Word = "20:00"
    team_id: GivenId = 0
    callers: list[GivenId] = Field(default=[])


class GivenCallList(Body):
    """A list's title and plan; what is left out stays as it is."""

    title: Word = ""
    plan: GivenPlan = GivenPlan()


class Progress(Shape):
    """How many people: all, done, talked to, called at all, to be called now."""

    people: int
    done: int
    talked: int
    called: int
    due: int


class Filling(Shape):
    """How far a list is filled from its segment; `starts` where it starts when everybody is there."""

    state: Literal["running", "done", "cancelled", "failed"]
    reason: str
    looked: int
    added: int
    starts: bool


class CallList(Shape):
    """A call list with its progress."""

    id: Id
    title: str
    state: State
    plan: Plan
    created_at: Instant
    started_at: Instant
    version: int
    progress: Progress
    filling: Filling | None = Field(default=None, description="Null where it was never filled.")


class CallLists(Shape):
    """All lists that the caller may see."""

    items: list[CallList]


class Steered(Body):
    """The state to go to."""

    state: State


class GivenPeople(Body):
    """People by hand or from a report; nobody means whoever is in the segment now."""

    contact_ids: list[GivenId] = Field(default=[], max_length=500)
    numbers: Text = Field(default="", description="A telephone a line, after it a name.")


class Added(Shape):
    """How many are new on the list, and the lines of numbers that could not be taken."""

    added: int
    left: list[str] = Field(default=[])
    filling: bool = Field(default=False, description="Whether others of its segment follow.")


class Next(Shape):
    """The person who was taken: his alone for half an hour; null ids where nobody is to be called now."""

    person_id: OptionalId
    contact_id: OptionalId
    name: str = ""
    number: str = ""
    attempts: int = 0
    local_time: str = ""
    words: str = ""
    questions: list[Question] = Field(default=[])


class GivenCall(Body):
    """What came of a call with who was taken. `answers` are by the `number` of the question."""

    person_id: GivenId
    result: Word
    answers: dict[str, Text] = Field(default={})
    note: Text = ""
    again: Word = Field(default="", description="For `later`: in words, as `tomorrow 15:00`.")
    again_at: GivenInstant | None = Field(default=None, description="For `later`: the instant.")
    made_kind: Literal["", "interest", "lead", "request", "task"] = ""
    made_title: Word = ""


class CallMade(Shape):
    """The call that was kept."""

    call_id: Id


class Back(Body):
    """Who is left to others."""

    person_id: GivenId


class Call(Shape):
    """A call that counts. The note stands in `meeting_id`, the noted call of the history."""

    id: Id
    contact_id: Id
    user_id: OptionalId
    at: Instant
    result: str
    answers: dict[str, str]
    again_at: Instant
    meeting_id: OptionalId
    made_kind: str
    made_id: OptionalId


class Calls(Shape):
    """Calls by id, continued with `after`."""

    items: list[Call]
    next: str


class Counted(Shape):
    """A result, with how many calls had it."""

    code: str
    label: str
    calls: int


class Caller(Shape):
    """What a colleague did."""

    user_id: Id
    name: str
    calls: int
    talked: int
    made: int


class Said(Shape):
    """An answer, with how many people gave it at last."""

    answer: str
    people: int


class Answered(Shape):
    """A question with its answers; `mean` of numbers."""

    number: int
    text: str
    kind: Kind
    people: int
    answers: list[Said]
    mean: float


class Sum(Shape):
    """Money in minor units."""

    currency: str
    amount: int


class Attempts(Shape):
    """How many people were called so often."""

    attempts: int
    people: int


class Report(Shape):
    """What a list brought."""

    people: int
    done: int
    called: int
    due: int
    calls: int
    results: list[Counted]
    callers: list[Caller]
    questions: list[Answered]
    made: dict[str, int]
    won: int
    sums: list[Sum]
    attempts: list[Attempts]


class Behind(Body):
    """A number: people, called, waiting, result:CODE, or answer:N:VALUE."""

    what: Word


class Segment(Shape):
    """The segment that was made."""

    segment_id: Id
