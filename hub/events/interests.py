"""Facts about interests and pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ClientId, DialogId, InterestId, PipelineId, StageId


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfInterest(Event):
    subject_kind: ClassVar[str] = "interest"
    subject_field: ClassVar[str] = "interest_id"

    interest_id: InterestId
    pipeline_id: PipelineId = PipelineId(0)
    stage_id: StageId = StageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestCreated(_OfInterest):
    """A client may buy something; `dialog_id` is where that was said."""

    type: ClassVar[str] = "interest.created"
    shown: ClassVar[bool] = True

    client_id: ClientId = ClientId(0)
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestStageChanged(_OfInterest):
    """An interest went on (or back) to `stage_id`."""

    type: ClassVar[str] = "interest.stage_changed"

    before: StageId = StageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestChecklistDone(_OfInterest):
    """The last open point of the checklist of `stage_id` was ticked."""

    type: ClassVar[str] = "interest.checklist_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestWon(_OfInterest):
    """An interest was won."""

    type: ClassVar[str] = "interest.won"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestLost(_OfInterest):
    """An interest was lost, for a reason of its pipeline."""

    type: ClassVar[str] = "interest.lost"

    reason_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestReopened(_OfInterest):
    """A closed interest is worked on again."""

    type: ClassVar[str] = "interest.reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanged(Event):
    """A pipeline, its stages or its reasons were set up anew."""

    type: ClassVar[str] = "pipeline.changed"
    subject_kind: ClassVar[str] = "pipeline"
    subject_field: ClassVar[str] = "pipeline_id"

    pipeline_id: PipelineId
