"""Facts about what is sent to many: one per batch, single ones for what a person does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AccountId, ContactId, DeliveryId, DialogId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesQueued(Event):
    """A batch of a send was put in the outbox."""

    type: ClassVar[str] = "deliveries.queued"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    send_id: int
    queued: int
    kept_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSteered(Event):
    """A send was paused, resumed or cancelled."""

    type: ClassVar[str] = "mailing.steered"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    send_id: int
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingOpened(Event):
    """A letter of a mailing was shown for the first time, as far as its picture tells.

    What looks like a machine's opening is counted and is no fact; a program of letters that loads
    pictures by itself cannot be told from a person.
    """

    type: ClassVar[str] = "mailing.opened"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    delivery_id: DeliveryId
    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingClicked(Event):
    """A person followed a link of a mailing for the first time; `machine` marks a scanner's."""

    type: ClassVar[str] = "mailing.clicked"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    delivery_id: DeliveryId
    contact_id: ContactId
    link: int
    machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingAnswered(Event):
    """A person answered a mailing: it stands in the dialog from now on."""

    type: ClassVar[str] = "mailing.answered"
    subject_kind: ClassVar[str] = "mailing"
    subject_field: ClassVar[str] = "mailing_id"

    mailing_id: int
    delivery_id: DeliveryId
    contact_id: ContactId
    dialog_id: DialogId


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimitsChanged(Event):
    """Somebody changed how fast an account may send to many."""

    type: ClassVar[str] = "sending_limits.changed"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId
