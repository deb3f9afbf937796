"""Facts about the classes of clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRulesChanged(Event):
    """Somebody changed how clients are put into classes (see `ClassRules`)."""

    type: ClassVar[str] = "classes.changed"
    subject_kind: ClassVar[str] = "classes"
    subject_field: ClassVar[str] = "rules_id"

    rules_id: int
    months: int
    a_percent: int
    b_percent: int
    x_percent: int
    y_percent: int
    currency: str
