"""Commands about the networks from which people may come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNetworks(Command):
    """Let people sign in, and use their sessions and tokens, from these networks only.

    Networks are written as `203.0.113.0/24` or `2001:db8::/32`; none lets them in from everywhere.
    Raises Conflict `locked_out` where `seen_from`, the address of whoever asks, is in none.
    """

    permission: ClassVar[str] = "system.manage"

    networks: tuple[str, ...]
    seen_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTurnedAway(Command):
    """The hub's own: somebody came from a network that is not let in; 0 is nobody it knows."""

    user_id: UserId
    seen_from: str
