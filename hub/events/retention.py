"""Facts about retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import RetentionId


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChanged(Event):
    """A rule of retention was added, changed or removed."""

    type: ClassVar[str] = "retention.changed"
    subject_kind: ClassVar[str] = "retention"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RetentionId
    what: str
    subject_name: str
    days: int
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionFinished(Event):
    """A rule was carried out: how much it removed."""

    type: ClassVar[str] = "retention.finished"
    subject_kind: ClassVar[str] = "retention"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RetentionId
    subject_name: str
    removed: int
