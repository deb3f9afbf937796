"""What the engine decided and has not done yet: runs with their commands, timers, cancellations.

A plan is data: a dry run shows it, the engine hands it to one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.commands import Command
from hub.ids import Micros, TimerId
from hub.objects import Ref

NOWHERE = Ref(kind="", id=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTimer:
    """Something to wait for. Its slot is armed anew each time: the later arming counts."""

    rule_id: int
    version: int
    kind: str
    slot: str
    episode: str
    due_at: Micros
    step: int = 0
    occurrence: int = 0
    dialog_id: int = 0
    contact_id: int = 0
    about: Ref = NOWHERE
    event_id: int = 0
    depth: int = 0
    cancel_on: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    keep: bool = False
    """Leave a slot alone that is armed already, but for its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One action: its commands, or why it does nothing."""

    action: str
    commands: tuple[Command, ...] = ()
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of a rule, or of a later part of it."""

    rule_id: int
    rule_name: str
    version: int
    cause: str
    step: int
    occurrence: int
    trigger: str
    event_id: int
    dialog_id: int
    contact_id: int
    about: Ref
    depth: int
    why: Mapping[str, object]
    steps: tuple[PlannedStep, ...] = ()
    mark: str = ""
    mark_after: int = 0
    most_an_hour: int = 0
    most_a_day: int = 0
    habit: int = 0
    """How many runs an hour are more than this rule's own habit allows; 0 is no fuse."""
    timers: tuple[PlannedTimer, ...] = ()
    error: str = ""
    timer_id: TimerId = TimerId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Wait for something."""

    timer: PlannedTimer


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Wait no longer, because of what happened: timers of a dialog or object armed before."""

    reason: str
    before_event: int
    dialog_id: int = 0
    about: Ref = NOWHERE
    slots: tuple[str, ...] = ()
    """Slots of moments of time that are over; steps are found by what cancels them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """A timer is over without a run: dropped with a reason, or armed for its next time."""

    timer_id: TimerId
    reason: str = ""
    run: PlannedRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """How often rules were judged in vain, and (rule, mark) guards that held them."""

    counts: Mapping[int, int] = field(default_factory=dict)
    held: Mapping[int, int] = field(default_factory=dict)


Item = PlannedRun | Arm | Cancel | Settle | Misses
