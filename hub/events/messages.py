"""Facts about messages and their deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import (
    AccountId,
    ContactId,
    DeliveryId,
    DialogId,
    MessageId,
    QuarantineId,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Event):
    """A customer wrote; the message is committed and searchable."""

    type: ClassVar[str] = "message.received"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    contact_id: ContactId
    first: bool = False
    automated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(Event):
    """A message of ours was put in the outbox."""

    type: ClassVar[str] = "message.queued"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    contact_id: ContactId
    delivery_id: DeliveryId = DeliveryId(0)
    automated: bool = False
    suggested: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCancelled(Event):
    """A queued message was taken back before it left."""

    type: ClassVar[str] = "message.cancelled"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChanged(Event):
    """A delivery climbed the ladder or left it by a side exit."""

    type: ClassVar[str] = "delivery.changed"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    delivery_id: DeliveryId
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(Event):
    """A colleague wrote a note."""

    type: ClassVar[str] = "note.added"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    mentions: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanged(Event):
    """A message was edited, reacted to, removed, delayed on its way, or a file of it arrived; `what`
    tells which."""

    type: ClassVar[str] = "message.changed"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonWasPressed(Event):
    """A customer pressed a button of a message of ours."""

    type: ClassVar[str] = "button.pressed"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    contact_id: ContactId
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged(Event):
    """A call of a dialog changed its state."""

    type: ClassVar[str] = "call.changed"
    subject_kind: ClassVar[str] = "message"
    subject_field: ClassVar[str] = "message_id"

    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuarantined(Event):
    """Bytes came that nobody could read; they are kept and can be replayed."""

    type: ClassVar[str] = "message.quarantined"
    subject_kind: ClassVar[str] = "quarantine"
    subject_field: ClassVar[str] = "quarantine_id"

    quarantine_id: QuarantineId
    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRefused(Event):
    """A message came and was not taken in; `reason` is `erased`: its sender was erased since.

    Nothing of it is kept but its key, so that nobody is asked again.
    """

    type: ClassVar[str] = "arrival.refused"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineSettled(Event):
    """A quarantined input was replayed, dropped, or failed again."""

    type: ClassVar[str] = "quarantine.settled"
    subject_kind: ClassVar[str] = "quarantine"
    subject_field: ClassVar[str] = "quarantine_id"

    quarantine_id: QuarantineId
    account_id: AccountId
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideHappened(Event):
    """Another system told that something happened; it is about a person, a card, or neither.

    `amount` is in hundredths; `name`, `status` and `reference` are that system's words.
    """

    type: ClassVar[str] = "outside.happened"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId
    name: str
    contact_id: ContactId = ContactId(0)
    object_kind: str = ""
    object_id: int = 0
    amount: int = 0
    status: str = ""
    reference: str = ""
