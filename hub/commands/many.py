"""Commands about what is sent to many: plan it, give it recipients, pause, resume, cancel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import NEVER, AccountId, AddressId, ContactId, Micros
from hub.messages import Address, Button


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyContent:
    """The words of a send for one channel and variant: templates, filled in for each person.

    `{{ unsubscribe_url }}` and `{{ view_url }}` are there beside the placeholders of
    hub/placeholders.py. `attachments` are blobs: (name, media type, size, blob id). Words with an
    `account_id` are for that way of the same `variant` only.
    """

    variant: str = ""
    account_id: AccountId = AccountId(0)
    subject: str = ""
    text: str = ""
    html: str = ""
    template: str = ""
    template_language: str = ""
    template_values: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    attachments: tuple[tuple[str, str, int, str], ...] = ()
    sender_name: str = ""
    tracks_clicks: bool = True
    tracks_opens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMany(Command):
    """Make one send of a mailing with its words and rules; gives its id and those of the contents.

    One (mailing, occurrence, step) is one send: planned again, it is given back as it is.
    `quiet_from` and `quiet_until` are minutes of the recipient's day, equal for none. `cap_count`
    advertising messages in `cap_days` days are the most a person gets over all channels.
    `per_minute` messages in `minutes` minutes are the most that leave, and `domain_per_minute` in
    `domain_minutes` the most to one mail domain; 0 is no limit. `routes` are the accounts to
    reach a person over, in order: the first that is allowed, and the next one after a failure or
    `fall_back_after` minutes without a proof of delivery (0: only after a failure).
    A later step is due `days` days after its recipients' `due_at`, at the same time of day, and as
    many after the first letter really left. `stops_when_answered` keeps a later step from who answered an earlier one.
    """

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    occurrence: int = 0
    step: int = 0
    days: int = 0
    title: str = ""
    topic: str = ""
    advertising: bool = True
    need_consent: bool = True
    contents: tuple[ManyContent, ...] = ()
    quiet_from: int = 0
    quiet_until: int = 0
    cap_count: int = 0
    cap_days: int = 7
    per_minute: int = 0
    minutes: int = 1
    domain_per_minute: int = 0
    domain_minutes: int = 1
    routes: tuple[AccountId, ...] = ()
    fall_back_after: int = 0
    stops_when_answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRecipient:
    """Who gets which words over which account, not before `due_at`; an address 0 is none.

    Who is `aside` is left out to compare with the others, unless he may not be sent it anyway: so
    that both sides are people who could have got it.
    """

    contact_id: ContactId
    address_id: AddressId
    account_id: AccountId
    content_id: int
    due_at: Micros = NEVER
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMany(Command):
    """Put a batch of recipients into the outbox, each person and each address once in a send.

    Repeating a batch is harmless. Who may not be sent it has a row too, with the reason. Gives
    `ManyQueued`.
    """

    permission: ClassVar[str] = "mailings.send"

    send_id: int
    recipients: tuple[ManyRecipient, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyQueued:
    """What became of a batch: queued, kept back by reason, known already, and who is left aside."""

    queued: int = 0
    kept_back: tuple[tuple[str, int], ...] = ()
    known: int = 0
    aside: tuple[ContactId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerMany(Command):
    """Pause a send, let it run on, or cancel what has not left."""

    permission: ClassVar[str] = "mailings.send"

    send_id: int
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryMany(Command):
    """Send words to one address to see how they arrive; gives the id of a send of its own.

    It leaves as those of a mailing do, but belongs to none: no person gets it, nothing counts it,
    nobody's consent is asked. The words are filled in already.
    """

    permission: ClassVar[str] = "mailings.send"

    account_id: AccountId
    to: Address
    content: ManyContent
    title: str = ""
    topic: str = ""
    advertising: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFile(Command):
    """Keep the bytes of a file that goes to many; `blob` is what the blob store said of them."""

    permission: ClassVar[str] = "mailings.send"

    blob: tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchMany(Command):
    """Note that a link of a delivery was followed (n from 1) or its picture loaded (n = 0).

    `account_id` is the account whose message it stood in; 0 is the one the delivery stands at.
    A person's touch on a way that was given up takes the delivery back to it before the next leaves.
    """

    delivery_id: int
    n: int
    machine: bool = False
    account_id: AccountId = AccountId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSendingLimits(Command):
    """Say how fast an account may send to many, its warm-up, and what a message costs."""

    permission: ClassVar[str] = "mailings.send"

    account_id: AccountId
    per_minute: int = 0
    minutes: int = 1
    per_day: int = 0
    warm_from: Micros = NEVER
    warm_first: int = 0
    warm_percent: int = 0
    price: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeToken(Command):
    """Take a token of a bucket that a channel keeps for itself, a relay's say; gives the wait.

    It lets `per_minute` go in `minutes` minutes.
    """

    account_id: AccountId
    name: str
    per_minute: int
    minutes: int = 1
