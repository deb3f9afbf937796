"""Records of who works, and of how dialogs are given out."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import DialogId, Micros, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskStatus:
    """A status to choose: whether one works, and whether one takes new dialogs."""

    id: int
    name: str
    works: bool
    takes_new: bool
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A colleague at work: status, open dialogs of how many (0: any number)."""

    user_id: UserId
    name: str
    teams: tuple[TeamId, ...]
    status_id: int
    status: str
    works: bool
    takes_new: bool
    comment: str
    since: Micros
    load: int
    waiting: int
    capacity: int
    last_given_at: Micros

    @property
    def is_full(self) -> bool:
        """True where no further dialog is given."""
        return bool(self.capacity) and self.load >= self.capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """How new dialogs of an account or a team are given out."""

    kind: str
    subject_id: int
    mode: str = "nobody"
    owner_first: bool = False
    last_days: int = 0
    idle_minutes: int = 0
    calendar_id: int = 0

    @property
    def is_on(self) -> bool:
        """True where anybody is looked for at all."""
        return self.mode != "nobody" or self.owner_first or self.last_days > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDialog:
    """A dialog that waits to be given out, and why it still does."""

    dialog_id: DialogId
    team_id: TeamId
    since: Micros
    reason: str
