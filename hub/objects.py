"""Small values that commands, facts and records all share: who acts, and what provoked it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of somebody acts."""

    USER = "user"
    TOKEN = "token"
    CONTACT = "contact"
    RULE = "rule"
    MAILING = "mailing"
    PLUGIN = "plugin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `id` is the user, contact or rule; `name` the plugin or system part."""

    kind: ActorKind
    id: int = 0
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id or self.name}"


SYSTEM = Actor(kind=ActorKind.SYSTEM, name="hub")
"""The hub itself: intake, timers, maintenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What provoked an act: the loop guard, the audit trail and the "why" text in one field.

    `kind` is empty for an act of a person's own; `depth` counts automatic acts in a row and
    is refused above `MAX_DEPTH`.
    """

    kind: str = ""
    id: int = 0
    event: int = 0
    depth: int = 0
    text: str = ""


DIRECT = Cause()
MAX_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """The name of one object: its kind and its id."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one object before and after; feeds audit, undo, ETag and webhooks."""

    kind: str
    id: int
    field: str
    before: object
    after: object
