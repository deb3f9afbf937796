"""Facts about who works, and who was given what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import DialogId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogRouted(Event):
    """A dialog was given out, or nobody was found for it (`user_id` 0).

    `reason` says why him (evenly, in_order, least_busy, owner, last, kept), or why nobody (away,
    full, closed, nobody). `before_user_id` let it pass.
    """

    type: ClassVar[str] = "dialog.routed"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    user_id: UserId = UserId(0)
    team_id: TeamId = TeamId(0)
    reason: str = ""
    before_user_id: UserId = UserId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChanged(Event):
    """How new dialogs of an account or a team are given out was changed."""

    type: ClassVar[str] = "route.changed"
    subject_kind: ClassVar[str] = "route"
    subject_field: ClassVar[str] = "subject_id"

    kind: str
    subject_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskChanged(Event):
    """A colleague has another status, or other limits."""

    type: ClassVar[str] = "desk.changed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    status_id: int = 0
    works: bool = False
    takes_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskStatusesChanged(Event):
    """The statuses to choose from were changed."""

    type: ClassVar[str] = "desk_statuses.changed"
    subject_kind: ClassVar[str] = "desk_status"
    subject_field: ClassVar[str] = "status_id"

    status_id: int
