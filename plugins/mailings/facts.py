"""Facts of mailings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingChanged(Event):
    """A mailing was saved, started, filled, paused, resumed, cancelled (`what`)."""

    type: ClassVar[str] = "mailings.changed"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterChanged(Event):
    """A letter of the library was created, changed, removed (`what`)."""

    type: ClassVar[str] = "mailings.letter"
    subject_kind: ClassVar[str] = "letter"
    subject_field: ClassVar[str] = "letter_id"

    letter_id: int
    what: str
    version: int = 0
