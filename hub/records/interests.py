"""Records of sales: interests, their pipelines with stages, and the funnel."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.ids import (
    ClientId,
    ContactId,
    InterestId,
    LeadId,
    Micros,
    PipelineId,
    StageId,
    TeamId,
    UserId,
)
from hub.properties import CustomValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What a client may buy. `status` is in_work, won or lost; `amount` is in minor units.

    `probability_from` says where the probability comes from: the stage, past interests, a person.
    """

    id: InterestId
    title: str
    status: str
    client_id: ClientId
    contact_id: ContactId
    pipeline_id: PipelineId
    stage_id: StageId
    stage_since: Micros
    owner_id: UserId
    team_id: TeamId
    amount: int
    currency: str
    probability: int
    probability_from: str
    expected_close: Micros
    source: str
    tags: tuple[str, ...]
    next_step: str
    next_step_at: Micros
    loss_reason_id: int
    loss_comment: str
    closed_at: Micros
    lead_id: LeadId
    created_at: Micros
    deleted_at: Micros
    version: int
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a stage's checklist; a required one must be ticked before going on."""

    id: str
    text: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step of a pipeline.

    `required` are the properties that an interest needs to come here or further, or to be won. `allowed` are
    the stages that one may go to from here; empty means any. `norm_us` is how long it may stay.
    `wip_limit` is how many interests in work it holds at most, 0 any number.
    """

    id: StageId
    pipeline_id: PipelineId
    name: str
    position: int
    colour: str = ""
    probability: int = 0
    norm_us: int = 0
    wip_limit: int = 0
    required: tuple[str, ...] = ()
    checklist: tuple[Point, ...] = ()
    allowed: tuple[StageId, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReason:
    """Why interests of a pipeline are lost; some need a comment."""

    id: int
    pipeline_id: PipelineId
    name: str
    position: int = 0
    needs_comment: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The stages of one line of business. `roles` are those that may use it; empty means all."""

    id: PipelineId
    name: str
    position: int
    active: bool = True
    roles: tuple[str, ...] = ()
    version: int = 1
    stages: tuple[Stage, ...] = ()
    reasons: tuple[LossReason, ...] = ()

    def stage(self, stage_id: int) -> Stage | None:
        """Give one of its stages."""
        return next((one for one in self.stages if one.id == stage_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of demand: what, how much (in thousandths), for how much each (minor units)."""

    name: str
    quantity: int = 1000
    price: int = 0

    @property
    def sum(self) -> int:
        """Its price in minor units, halves rounded away from zero."""
        product = abs(self.quantity * self.price)
        whole = (product + 500) // 1000
        return whole if self.quantity * self.price >= 0 else -whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A contact person of an interest with the role that person plays."""

    contact_id: ContactId
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoExecutor:
    """A second colleague on an interest; `access` lets one see it beyond one's own scope."""

    user_id: UserId
    role: str = ""
    since: Micros = Micros(0)
    access: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A ticked point of a stage's checklist."""

    stage_id: StageId
    point: str
    done_by: UserId
    done_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What an interest has beyond its row."""

    lines: tuple[Line, ...] = ()
    people: tuple[Participant, ...] = ()
    helpers: tuple[CoExecutor, ...] = ()
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A sum of one currency in minor units."""

    currency: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One stage of a funnel: how many came so far, of those before, how long they stayed.

    `median_us` is the middle time in microseconds of the newest 2,000 interests of the cut, and of
    what else began on the day of the last of them.
    """

    stage: Stage
    count: int
    conversion: int
    share: int
    median_us: int
    sums: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What became of the interests that began in a period."""

    pipeline: Pipeline
    steps: tuple[FunnelStep, ...]
    began: int
    won: int
    lost: int
    won_sums: tuple[Money, ...] = ()
    reasons: tuple[tuple[int, int], ...] = field(default=())
