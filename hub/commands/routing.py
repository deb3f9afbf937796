"""Commands about who works now, and who gets the next dialog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import DialogId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDialog(Command):
    """Give a dialog to whoever should have it now. Gives his id, 0 where nobody is found.

    `mode` is one of `evenly` (who got none for the longest), `in_order`, `least_busy`, `owner`
    (whoever is responsible for the client), `last` (who answered this person within `last_days`),
    or "" for what the account, else the team, has set. Only people of `team_id` are asked (0: of
    the dialog's team, or everybody the account is open to), who are at work, take new dialogs, are
    not absent and have a place left. A dialog that somebody has stays with him, unless `again`.
    Where nobody is found it waits, and is given out when somebody comes, the oldest first.
    """

    permission: ClassVar[str] = "dialogs.assign"

    dialog_id: DialogId
    team_id: TeamId = TeamId(0)
    mode: str = ""
    last_days: int = 30
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteWaiting(Command):
    """Give out what waits, the oldest first, and pass on what nobody answered (the hub's own)."""

    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRoute(Command):
    """Set how new dialogs of an account or of a team (`kind`) are given out.

    Before `mode` the client's owner (`owner_first`) and who answered within `last_days` are
    asked; 0 days asks nobody. Whoever does not answer within `idle_minutes` (1 to 720, 0: never)
    passes the dialog on. Outside the hours of `calendar_id` (0: always) dialogs wait.
    """

    permission: ClassVar[str] = "accounts.manage"

    kind: str
    subject_id: int
    mode: str = "nobody"
    owner_first: bool = False
    last_days: int = 0
    idle_minutes: int = 0
    calendar_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDesk(Command):
    """Choose one's status, or (with the right to register absences) that of a colleague.

    `capacity` is how many open dialogs are given to one at most, 0 for any number; only who
    manages colleagues sets it. None leaves alone.
    """

    permission: ClassVar[str] = "profile.edit"

    user_id: UserId = UserId(0)
    status_id: int | None = None
    comment: str | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDeskStatus(Command):
    """Make or change a status of the house: whether one works, and takes new dialogs. Gives its id."""

    permission: ClassVar[str] = "users.manage"

    name: str
    works: bool
    takes_new: bool
    status_id: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDeskStatus(Command):
    """Delete a status that nobody has now."""

    permission: ClassVar[str] = "users.manage"

    status_id: int
