"""Commands about interests and the pipelines they go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import InterestId, PipelineId, StageId, UserId
from hub.records.interests import Line, Participant, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveInterest(Command):
    """Move an interest in work to a stage, of another pipeline too.

    `seen` is the stage that the mover saw it in: Conflict `moved` where it stands elsewhere by
    now. Conflict `forbidden` where the stage allows no such step, `missing` where properties or
    points of the checklist are still to be filled; the details name them.
    """

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    stage_id: StageId
    seen: StageId = StageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WinInterest(Command):
    """Close an interest as won.

    Conflict `missing` where properties that any stage of the pipeline needs, or points of the
    checklist of its own stage, are still to be filled; the details name them.
    """

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseInterest(Command):
    """Close an interest as lost, with a reason of its pipeline; some reasons need a comment."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    reason_id: int
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenInterest(Command):
    """Take a won or lost interest into work again, in the stage it was in."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInterestLines(Command):
    """Say what an interest is for, line by line; its amount is their sum from now on."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInterestPeople(Command):
    """Say which contact persons take part in an interest, and in which roles."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    people: tuple[Participant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCoExecutor(Command):
    """Let a second colleague work on an interest.

    Conflict `no_access` where that colleague may not see it: repeated with `grant`, it is opened.
    """

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    user_id: UserId
    role: str = ""
    grant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCoExecutor(Command):
    """Take a second colleague off an interest, with the access that was granted for it."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class TickPoint(Command):
    """Tick a point of the checklist of the stage an interest is in, or (`done` false) untick it."""

    permission: ClassVar[str] = "interests.edit"

    interest_id: InterestId
    point: str
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePipeline(Command):
    """Create (id 0) or change a pipeline. Gives the id; a new one gets a first stage."""

    permission: ClassVar[str] = "pipelines.manage"

    pipeline_id: PipelineId = PipelineId(0)
    name: str
    position: int = 0
    active: bool = True
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePipeline(Command):
    """Remove a pipeline in which no interest is, with its stages."""

    permission: ClassVar[str] = "pipelines.manage"

    pipeline_id: PipelineId


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveStage(Command):
    """Create (id 0) or change a stage. Gives the id. `position` -1 puts a new one last.

    Custom fields may be `required` too, as `custom.<name>`.
    """

    permission: ClassVar[str] = "pipelines.manage"

    pipeline_id: PipelineId
    stage_id: StageId = StageId(0)
    name: str
    position: int = -1
    colour: str = ""
    probability: int = 0
    norm_us: int = 0
    wip_limit: int = 0
    required: tuple[str, ...] = ()
    checklist: tuple[Point, ...] = ()
    allowed: tuple[StageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveStage(Command):
    """Remove a stage; interests in it go to another stage of the same pipeline."""

    permission: ClassVar[str] = "pipelines.manage"

    stage_id: StageId
    move_to: StageId = StageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveLossReason(Command):
    """Create (id 0) or change a reason of losing in a pipeline. Gives the id."""

    permission: ClassVar[str] = "pipelines.manage"

    pipeline_id: PipelineId
    reason_id: int = 0
    name: str
    position: int = 0
    needs_comment: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFunnels(Command):
    """The hub's own: count days of the funnel anew in which something changed. Gives how many.

    At most `limit` of them, the newest first.
    """

    limit: int = 10
