"""Facts of telemarketing: ids and codes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub import ContactId, Event, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallListChanged(Event):
    """A call list was created, changed, started, paused, resumed, ended, removed (`what`)."""

    type: ClassVar[str] = "telemarketing.list"
    subject_kind: ClassVar[str] = "call_list"
    subject_field: ClassVar[str] = "list_id"
    translations: ClassVar[Mapping[str, str]] = {
        "ru": "список обзвона создан, изменён, запущен, приостановлен, продолжен, завершён, убран"
    }

    list_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCalled(Event):
    """Somebody on a call list was called, with this result; `undone` takes one back."""

    type: ClassVar[str] = "telemarketing.called"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"
    translations: ClassVar[Mapping[str, str]] = {"ru": "позвонили человеку из списка обзвона"}

    contact_id: ContactId
    list_id: int
    call_id: int
    user_id: UserId
    result: str
    attempt: int = 0
    undone: bool = False
