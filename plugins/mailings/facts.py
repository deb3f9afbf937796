"""Facts of mailings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingChanged(Event):
    """A mailing was saved, started, filled, paused, resumed, cancelled, removed, put
    back as a draft (`what`)."""

    type: ClassVar[str] = "mailings.changed"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"
    translations: ClassVar[Mapping[str, str]] = {
        "ru": "рассылка сохранена, запущена, заполнена, приостановлена, продолжена, отменена, убрана, возвращена"
    }

    mailing_id: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingFinished(Event):
    """A mailing is finished: nobody waits for it any more.

    Told once for each occurrence of a mailing that repeats (from 0), when the last letter of its
    chain has its end; `kept_back` were left out by consent, caps and the like.
    """

    type: ClassVar[str] = "mailings.finished"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"
    translations: ClassVar[Mapping[str, str]] = {
        "ru": "рассылка завершена: её больше никто не ждёт"
    }

    mailing_id: int
    occurrence: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    kept_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterChanged(Event):
    """A letter of the library was created, changed, removed (`what`)."""

    type: ClassVar[str] = "mailings.letter"
    subject_kind: ClassVar[str] = "letter"
    subject_field: ClassVar[str] = "letter_id"
    translations: ClassVar[Mapping[str, str]] = {
        "ru": "письмо библиотеки создано, изменено, убрано"
    }

    letter_id: int
    what: str
    version: int = 0
