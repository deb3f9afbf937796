"""Facts about who is away, and about work that changed hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceChanged(Event):
    """An absence was planned, begun, ended or called off (`state`)."""

    type: ClassVar[str] = "absence.changed"
    subject_kind: ClassVar[str] = "absence"
    subject_field: ClassVar[str] = "absence_id"

    absence_id: int
    user_id: UserId
    substitute_id: UserId = UserId(0)
    state: str = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHandedOver(Event):
    """Work was given to another colleague, or taken back (`undone`)."""

    type: ClassVar[str] = "work.handed_over"
    subject_kind: ClassVar[str] = "handover"
    subject_field: ClassVar[str] = "handover_id"

    handover_id: int
    from_id: UserId
    to_id: UserId
    total: int = 0
    undone: bool = False
