"""Interests and pipelines as the API gives and takes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.http_api.shapes.objects import OF_DIALOG, body_of, shape_of
from hub.nouns import INTERESTS
from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape, Word

Interest: Any = shape_of(INTERESTS, "Interest", "What a client may buy, on its way to won or lost.")
CreateInterest: Any = body_of(
    INTERESTS,
    "CreateInterest",
    "A new interest; with `dialog_id` what is left out is taken from the dialog.",
    dialog_id=OF_DIALOG,
    pipeline_id=(GivenId | None, Field(None, description="Where it begins; else the first one.")),
    stage_id=(GivenId | None, Field(None, description="In which stage; else the first one.")),
    lead_id=(GivenId | None, Field(None, description="The lead it comes from.")),
)
ChangeInterest: Any = body_of(
    INTERESTS, "ChangeInterest", "What to change; what is left out stays, null empties."
)


class LineShape(Shape):
    """One line of demand; `sum` is quantity times price in minor units."""

    name: str
    quantity: int = Field(description="In thousandths: 1500 is one and a half.")
    price: int = Field(description="Of one, in minor units.")
    sum: int


class GivenLine(Body):
    """One line of demand."""

    name: Word = Field(min_length=1)
    quantity: int = Field(1000, ge=-(10**12), le=10**12, description="In thousandths.")
    price: int = Field(0, ge=-(10**12), le=10**12, description="Of one, in minor units.")


class ParticipantShape(Shape):
    """A contact person who takes part."""

    contact_id: Id
    role: str


class GivenParticipant(Body):
    """A contact person who takes part."""

    contact_id: GivenId
    role: Word = ""


class CoExecutorShape(Shape):
    """A second colleague; `access` says that it was opened beyond the scope of the role."""

    user_id: Id
    role: str
    since: Instant
    access: bool


class TickShape(Shape):
    """A ticked point of a stage's checklist."""

    stage_id: Id
    point: str
    done_by: OptionalId
    done_at: Instant


class Particulars(Shape):
    """What an interest has beyond its properties."""

    lines: list[LineShape]
    people: list[ParticipantShape]
    helpers: list[CoExecutorShape]
    ticks: list[TickShape]


class SetLines(Body):
    """What it is for; the amount becomes the sum."""

    lines: list[GivenLine] = Field(max_length=200)


class SetPeople(Body):
    """Who takes part, in which roles."""

    people: list[GivenParticipant] = Field(max_length=50)


class AddHelper(Body):
    """A second colleague; `grant` opens what that colleague may not see."""

    user_id: GivenId
    role: Word = ""
    grant: bool = False


class TickPoint(Body):
    """A point of the checklist of the stage it is in."""

    point: Word
    done: bool = True


class MoveInterest(Body):
    """Where to; `seen` is the stage you saw it in."""

    stage_id: GivenId
    seen: GivenId | None = None


class LoseInterest(Body):
    """Why it was lost."""

    reason_id: GivenId
    comment: Word = ""


class PointShape(Shape):
    """A point of a checklist."""

    id: str
    text: str
    required: bool


class GivenPoint(Body):
    """A point of a checklist; its id is yours."""

    id: Word = Field(min_length=1, max_length=40)
    text: Word = Field(min_length=1)
    required: bool = False


class StageShape(Shape):
    """A step of a pipeline."""

    id: Id
    name: str
    position: int
    colour: str
    probability: int
    norm_us: int = Field(
        description="How long it may stay, in microseconds; 0: as long as it will."
    )
    wip_limit: int = Field(
        description="How many interests in work it holds at most; 0: any number."
    )
    required: list[str]
    checklist: list[PointShape]
    allowed: list[Id]


class ReasonShape(Shape):
    """A reason of losing."""

    id: Id
    name: str
    position: int
    needs_comment: bool
    active: bool


class PipelineShape(Shape):
    """A line of business with its stages."""

    id: Id
    name: str
    position: int
    active: bool
    roles: list[str]
    stages: list[StageShape]
    reasons: list[ReasonShape]


class SavePipeline(Body):
    """A pipeline; no roles: everybody."""

    name: Word = Field(min_length=1)
    position: int = Field(0, ge=0, le=1000)
    active: bool = True
    roles: list[Word] = Field(default_factory=list, max_length=50)


class SaveStage(Body):
    """A stage; -1 puts a new one last."""

    name: Word = Field(min_length=1)
    position: int = Field(-1, ge=-1, le=1000)
    colour: Word = ""
    probability: int = Field(0, ge=0, le=100)
    norm_us: int = Field(0, ge=0, le=10**15)
    wip_limit: int = Field(0, ge=0, le=1_000_000)
    required: list[Word] = Field(default_factory=list, max_length=50)
    checklist: list[GivenPoint] = Field(default_factory=list, max_length=30)
    allowed: list[GivenId] = Field(default_factory=list, max_length=30)


class SaveReason(Body):
    """A reason of losing."""

    name: Word = Field(min_length=1)
    position: int = Field(0, ge=0, le=1000)
    needs_comment: bool = False
    active: bool = True


class MoneyShape(Shape):
    """A sum of one currency."""

    currency: str
    amount: int


class FunnelStepShape(Shape):
    """How many came so far; percents are of the step before and of all."""

    stage: StageShape
    count: int
    conversion: int
    share: int
    median_us: int = Field(
        description="The middle time in the stage, of the newest 2,000 or so interests of the cut."
    )
    sums: list[MoneyShape]


class LossCount(Shape):
    """How often a reason was given."""

    reason_id: OptionalId
    count: int


class FunnelShape(Shape):
    """What became of the interests that began in a period."""

    pipeline_id: Id
    began: int
    won: int
    lost: int
    won_sums: list[MoneyShape]
    reasons: list[LossCount]
    steps: list[FunnelStepShape]
