"""What a rule says, as frozen objects; triggers/reading.py makes them of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from hub.filters import Filter

CANCELS = ("client_answers", "agent_answers", "status_changes", "closed", "assigned", "changed")
ONCE = ("", "dialog", "object", "contact", "contact_day", "dialog_day", "client")
EACH = ("dialog", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a rule begins with; durations in microseconds. `settle` waits for the last of a burst."""

    moment: str
    after: int = 0
    working: bool = False
    settle: int = 0
    field: str = ""
    offset: int = 0
    at: str = ""
    yearly: bool = False
    cron: str = ""
    zone: str = ""
    each: str = ""
    each_filter: Mapping[str, object] | None = None
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action with its timing; `wait` counts from the step before."""

    action: str
    params: BaseModel
    given: Mapping[str, object]
    wait: int = 0
    working: bool = False
    only_if: Filter | None = None
    cancel_on: tuple[str, ...] = ()
    recheck: bool = True
    every: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What keeps a rule from doing too much; 0 is no ceiling of its own."""

    once_per: str = ""
    again_after: int = 0
    most_an_hour: int = 0
    most_a_day: int = 0
    quiet: tuple[str, str] | None = None
    """From when to when, by the person's clock, nothing is said to him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case on which the rule must, or must not, fire; `values` are fields by name."""

    name: str
    moment: str
    values: Mapping[str, object]
    fires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a rule says. `missing` names actions and fields that no plugin brings."""

    name: str
    note: str
    when: tuple[When, ...]
    condition: Filter
    steps: tuple[Step, ...]
    guards: Guards
    stop: bool
    examples: tuple[Example, ...]
    needs: frozenset[str] = frozenset()
    missing: tuple[str, ...] = field(default=())
