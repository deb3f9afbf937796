"""Records of absences and handovers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ids import Micros, UserId


class _Moving:
    """What changes hands in steps."""

    __slots__ = ()
    moves: Mapping[str, int]

    @property
    def is_moving(self) -> bool:
        """Say whether something is still on its way, there or back."""
        return bool(self.moves.get("planned") or self.moves.get("returning"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence(_Moving):
    """Somebody's time away; `state` is planned, active, ended or cancelled."""

    id: int
    user_id: UserId
    kind: str
    from_at: Micros
    to_at: Micros
    substitute_id: UserId
    what: tuple[str, ...]
    access: bool
    state: str
    made_by: UserId
    ended_at: Micros
    moves: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRecord(_Moving):
    """Work given to another colleague; `moves` counts it by state."""

    id: int
    from_id: UserId
    to_id: UserId
    what: tuple[str, ...]
    state: str
    total: int
    moves: Mapping[str, int]
    made_by: UserId
    created_at: Micros
    undone_at: Micros
