"""Facts about passkeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import PasskeyId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAdded(Event):
    """A colleague can sign in with one more passkey."""

    type: ClassVar[str] = "user.passkey_added"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    passkey_id: PasskeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRenamed(Event):
    """A passkey has another name."""

    type: ClassVar[str] = "user.passkey_renamed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    passkey_id: PasskeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRemoved(Event):
    """A passkey opens nothing any more."""

    type: ClassVar[str] = "user.passkey_removed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    passkey_id: PasskeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyUsed(Event):
    """A colleague signed in with a passkey."""

    type: ClassVar[str] = "user.passkey_used"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    passkey_id: PasskeyId
