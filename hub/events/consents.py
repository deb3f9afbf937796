"""Facts about consent and suppression; they carry ids, never evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AddressId, ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(Event):
    """A person agreed to advertising on a channel ("" is every one) about a topic ("" is all)."""

    type: ClassVar[str] = "consent.given"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    channel: str = ""
    topic: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(Event):
    """A person wants no more advertising; `ended` counts what was waiting and does not leave."""

    type: ClassVar[str] = "consent.withdrawn"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    channel: str = ""
    topic: str = ""
    how: str = ""
    ended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvertisingLimited(Event):
    """A person wants at most one advertising message in `days` days; 0 is as it comes."""

    type: ClassVar[str] = "consent.limited"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    days: int
    before: int = 0
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSuppressed(Event):
    """An address takes no advertising any more, for one more reason."""

    type: ClassVar[str] = "address.suppressed"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    address_id: AddressId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressReleased(Event):
    """A reason why an address took no advertising is gone."""

    type: ClassVar[str] = "address.released"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    address_id: AddressId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAsked(Event):
    """A person subscribed, and the letter that asks for the button is on its way."""

    type: ClassVar[str] = "consent.asked"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    channel: str = ""
    topic: str = ""
    how: str = ""
    letters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChanged(Event):
    """What people may subscribe to was made, changed or removed (`what`)."""

    type: ClassVar[str] = "topic.changed"
    subject_kind: ClassVar[str] = "topic"
    subject_field: ClassVar[str] = "topic_id"

    topic_id: int
    what: str
