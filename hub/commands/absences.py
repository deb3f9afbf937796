"""Commands about who is away, who stands in, and work that changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import Micros, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAbsence(Command):
    """Say that one is away from `from_at` to `to_at`; of others with the right to. Gives its id.

    `what` is handed to the substitute meanwhile: `dialogs` (the open ones), `intake` (what comes
    back or comes new), and kinds of objects (`lead`, `client` ...). With `access` he sees what the
    absent one sees as his own. At the end everything that is still where it was put comes back.
    """

    permission: ClassVar[str] = "profile.edit"

    from_at: Micros
    to_at: Micros
    user_id: UserId = UserId(0)
    kind: str = "vacation"
    substitute_id: UserId = UserId(0)
    what: tuple[str, ...] = ()
    access: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAbsence(Command):
    """End an absence now, or call off one that has not begun."""

    permission: ClassVar[str] = "profile.edit"

    absence_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAbsences(Command):
    """Begin and end the absences whose time has come (the hub's own); gives how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Command):
    """Give work of one colleague to another for good. Gives the id of the handover.

    `what` names `dialogs` and kinds of objects; `filters` limit each of them further, as filters
    of lists do. It is carried out in steps, and can be undone.
    """

    permission: ClassVar[str] = "work.handover"

    from_id: UserId
    to_id: UserId
    what: tuple[str, ...]
    filters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoHandover(Command):
    """Give back what a handover has moved and what is still with its receiver."""

    permission: ClassVar[str] = "work.handover"

    handover_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryMoves(Command):
    """Carry out the next moves of absences and handovers (the hub's own); gives how many."""

    limit: int = 200
