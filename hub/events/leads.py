"""Facts about leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ClientId, ContactId, DialogId, InterestId, LeadId, MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCreated(Event):
    """Somebody may want something; `repeat_of` is an earlier lead of the same person."""

    type: ClassVar[str] = "lead.created"
    subject_kind: ClassVar[str] = "lead"
    subject_field: ClassVar[str] = "lead_id"
    shown: ClassVar[bool] = True

    lead_id: LeadId
    dialog_id: DialogId = DialogId(0)
    repeat_of: LeadId = LeadId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStatusChanged(Event):
    """A lead was taken into work, rejected, reopened or converted."""

    type: ClassVar[str] = "lead.status_changed"
    subject_kind: ClassVar[str] = "lead"
    subject_field: ClassVar[str] = "lead_id"

    lead_id: LeadId
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadConverted(Event):
    """A lead became a client, or (`undone`) is a lead again."""

    type: ClassVar[str] = "lead.converted"
    subject_kind: ClassVar[str] = "lead"
    subject_field: ClassVar[str] = "lead_id"

    lead_id: LeadId
    client_id: ClientId
    contact_id: ContactId
    undone: bool = False
    interest_id: InterestId = InterestId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsMerged(Event):
    """Two leads became one: `lead_id` lives on with all that the other had; or (`undone`) are two."""

    type: ClassVar[str] = "lead.merged"
    subject_kind: ClassVar[str] = "lead"
    subject_field: ClassVar[str] = "lead_id"

    lead_id: LeadId
    merged_id: LeadId
    merge_id: MergeId
    undone: bool = False
