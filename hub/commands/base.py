"""What every command is: a verb, who asks, what provoked it, and what must still hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hub.objects import DIRECT, SYSTEM, Actor, Cause

if TYPE_CHECKING:
    from hub.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of every command. A command is the only way to change anything.

    `permission` names the right that the actor needs; "" means that only the hub itself may
    give the command. Preconditions are ordinary fields of the subclass (`expected`, `if_...`),
    rechecked by the handler inside the transaction: deciding outside is a proposal, never the
    last word. `actor` is set by the handle that gives the command, never by the caller.
    """

    permission: ClassVar[str] = ""

    actor: Actor = SYSTEM
    cause: Cause = DIRECT

    def needs(self, kinds: Mapping[str, Kind]) -> str:
        """Give the right that this very command needs; most need that of their class."""
        return self.permission
