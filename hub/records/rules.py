"""Records of rules: what they say, what they did and why, and what they still wait to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import (
    AccountId,
    ContactId,
    DialogId,
    EventId,
    Micros,
    RuleId,
    RunId,
    TimerId,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as the list shows it.

    `paused` is plugin, errors or fuse where it was paused by itself, with `paused_detail`.
    `definition` is its JSON. `waiting` counts what it waits to do.
    """

    id: RuleId
    name: str
    position: int
    enabled: bool
    paused: str
    paused_detail: str
    version: int
    definition: Mapping[str, object]
    author_id: UserId
    created_at: Micros
    updated_at: Micros
    enabled_at: Micros
    removed_at: Micros
    account_id: AccountId
    recipe: str
    slot: str
    errors_in_row: int
    last_run_at: Micros = Micros(0)
    runs_today: int = 0
    failures_today: int = 0
    waiting: int = 0

    @property
    def active(self) -> bool:
        """True for a rule that judges what happens now."""
        return self.enabled and not self.paused and not self.removed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """What a rule said at one time."""

    rule_id: RuleId
    version: int
    definition: Mapping[str, object]
    author_id: UserId
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One condition with the value that was seen and its verdict; a group has `parts`.

    `match` is all, any or none of a group, "" of a condition. `rebuilt` is False for a value that
    history does not hold, which was judged on how it is today.
    """

    verdict: bool
    match: str = ""
    field: str = ""
    operator: str = ""
    value: object = None
    seen: object = None
    error: str = ""
    rebuilt: bool = True
    parts: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """What became of one step: done, waiting, skipped, held (with a reason) or failed."""

    action: str
    state: str
    reason: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRun:
    """One time that a rule ran: what provoked it, what was seen, what was done.

    `state` is done, partial, held, failed or waiting. `cause` is the event or the episode.
    """

    id: RunId
    rule_id: RuleId
    rule_name: str
    version: int
    cause: str
    step: int
    occurrence: int
    trigger: str
    event_id: EventId
    dialog_id: DialogId
    contact_id: ContactId
    subject_kind: str
    subject_id: int
    at: Micros
    state: str
    reason: str
    why: Mapping[str, object]
    steps: tuple[StepDone, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTimer:
    """Something a rule waits to do; `held` ones wait for a person's word."""

    id: TimerId
    rule_id: RuleId
    rule_name: str
    version: int
    kind: str
    episode: str
    step: int
    occurrence: int
    due_at: Micros
    held: bool
    dialog_id: DialogId
    contact_id: ContactId
    subject_kind: str
    subject_id: int
    event_id: EventId
    created_at: Micros
    data: Mapping[str, object] = field(default_factory=dict)
