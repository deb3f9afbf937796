"""Messages as they flow between a channel and the core: frozen, complete, vendor-neutral.

A channel turns the outside world into the arrivals below and takes `OutboundMessage` in
return. The vocabulary is closed on purpose; what does not fit becomes an `InboundMessage`
with `unsupported` set, so that the agent sees that *something* came and the raw bytes stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.errors import RejectReason
from hub.ids import KEY_LENGTH, AccountId, DeliveryId, DialogId, MessageId, Micros, bounded_key
from hub.objects import Cause


class DeliveryStatus(StrEnum):
    """The ladder of a delivery: queued, claimed, sending, sent, delivered, read.

    The side exits are failed, suppressed and unknown. A receipt moves a delivery up or out,
    never down. `UNKNOWN` means: we called the wire and never learned the answer.
    """

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class Lane(StrEnum):
    """Who goes first at the wire: a person's answer, a rule's message, a mailing."""

    AGENT = "agent"
    TRIGGER = "trigger"
    MAILING = "mailing"

    @property
    def order(self) -> int:
        """Rank in the outbox; the smallest goes first."""
        return ("agent", "trigger", "mailing").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of one person on one kind of network.

    `kind` names the network (`email`, `telegram`, `phone`), `value` is opaque and already in
    the channel's canonical form, `name` is what the person calls himself there. A value longer
    than a key (hub/ids.py) takes its bounded form: so every table and every question has the same.
    """

    kind: str
    value: str
    name: str = ""

    def __post_init__(self) -> None:
        """Bound the value."""
        if len(self.value) > KEY_LENGTH:
            object.__setattr__(self, "value", bounded_key(self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file: its bytes, or the vendor's reference from which `Channel.fetch` gets them.

    On its way out it has its bytes, and `reference` is the hub's own, for `ChannelContext.share`.

    `size` is in bytes, 0 where unknown. `content_id` marks an inline image of an HTML part.
    """

    name: str
    media_type: str = "application/octet-stream"
    size: int = 0
    content: bytes | None = field(default=None, repr=False)
    reference: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button of an outgoing message; `payload` comes back in `ButtonPressed`."""

    label: str
    payload: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A customer's message, normalised.

    `dedupe_key` is unique per account and the same on every redelivery. `external_id` is the
    vendor's address of the message (`chat:message`). `thread_key` names the vendor's thread
    ("" where there is none); `in_reply_to` and `references` name external ids that the
    message answers. `text` is what the person wrote, `full_text` what came, quotes included.
    `automated` marks auto-replies and list mail: no rule may answer it. `dialog_token` is a
    proof made by us (a signed plus-address, a start link) that names a dialog; the core
    checks it. Messages of one sender with one `album` become one entry of the dialog, each of
    them still reachable under its own external id. `aliases` are other addresses of the sender
    for which the vendor vouches (the telephone number behind an account): whoever is known
    under one of them is this person. `unsupported` names a kind that the channel
    does not know, in words; `raw` then holds what came.
    """

    dedupe_key: str
    external_id: str
    sender: Address
    text: str = ""
    html: str = ""
    full_text: str = ""
    subject: str = ""
    thread_key: str = ""
    aliases: tuple[Address, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    dialog_token: str = ""
    attachments: tuple[Attachment, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    sent_at: Micros = Micros(0)
    automated: bool = False
    language: str = ""
    unsupported: str = ""
    album: str = ""
    group: bool = False
    profile: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """One message on its way out, as a channel's `send` and the transforms see it.

    `idempotency_key` is derived from our own id and is the same on every attempt.
    `in_reply_to` is the message that is answered, in threads the newest one where the author
    named none; `quotes` is set only where the author named one.
    `thread_external_ids` are the external ids of the thread so far, oldest first. With
    `template` the channel sends that template with its values; `text` is then how it reads.
    `dialog_token` is the signed name of the dialog, for channels that can carry it.
    `unsubscribe_url` is set for advertising: one POST to it unsubscribes (RFC 8058).
    `made` is what the channel's own `make` gave for it.
    """

    id: DeliveryId
    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    to: Address
    text: str = ""
    html: str = ""
    subject: str = ""
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    thread_key: str = ""
    in_reply_to: str = ""
    quotes: str = ""
    thread_external_ids: tuple[str, ...] = ()
    dialog_token: str = ""
    attachments: tuple[Attachment, ...] = ()
    buttons: tuple[Button, ...] = ()
    template: str = ""
    template_language: str = ""
    template_reference: str = ""
    template_values: Mapping[str, str] = field(default_factory=dict)
    lane: Lane = Lane.AGENT
    idempotency_key: str = ""
    external_id: str = ""
    automated: bool = False
    sender_name: str = ""
    unsubscribe_url: str = ""
    list_id: str = ""
    cause: Cause = field(default_factory=Cause)
    made: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a channel knows after a success: the external ids of the message's parts.

    `refused` maps addresses that the provider refused while it took the others to the
    provider's words. `status` may say more than sent where the wire's answer proves it.
    """

    external_ids: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    status: DeliveryStatus = DeliveryStatus.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """The provider's later word on a message of ours.

    `earlier` says that it holds for every earlier message of ours in the same dialog too
    (read marks that name the last message only); `external_id` may then name a message of
    the person's. `delivery_key` is the idempotency key that we gave the provider with the
    message, where it comes back: it names the delivery also when the answer to the send, and
    with it the external id, was lost.
    """

    dedupe_key: str
    external_id: str
    status: DeliveryStatus
    at: Micros = Micros(0)
    reason: RejectReason | None = None
    text: str = ""
    recipient: str = ""
    earlier: bool = False
    delivery_key: str = ""
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """The customer changed a message that is already here."""

    dedupe_key: str
    external_id: str
    text: str
    at: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """The customer took a message back."""

    dedupe_key: str
    external_id: str
    at: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """The customer reacted to a message; an empty `emoji` takes the reaction back."""

    dedupe_key: str
    external_id: str
    sender: Address
    emoji: str
    at: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    """The customer pressed a button of a message of ours, which `external_id` names.

    `press_id` is the vendor's id of the press itself where a press is a message there (WhatsApp):
    what an answer, a reaction or a read mark names. `callback` is what `Channel.acknowledge` needs to answer the press, where the vendor has such
    a thing. `thread_key` and `group` as in InboundMessage.
    """

    dedupe_key: str
    external_id: str
    sender: Address
    payload: str
    label: str = ""
    thread_key: str = ""
    group: bool = False
    callback: str = ""
    press_id: str = ""
    at: Micros = Micros(0)


class PresenceKind(StrEnum):
    """What a presence signal says."""

    TYPING = "typing"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """The customer types or looks; a signal, never stored."""

    sender: Address
    kind: PresenceKind
    thread_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """A telephone call changed its state (ringing, answered, ended, missed).

    `external_id` names the call and is the same in all its events; `caller` is the person on
    the other side whatever the `direction` (in, out). Events may come in any order: a call never
    goes back (ringing, answered, ended, missed). `recording` is a link that opens in a browser;
    where fetching it takes a secret, give `recording_file` with a reference for `fetch` instead.
    """

    dedupe_key: str
    external_id: str
    caller: Address
    state: str
    direction: str = "in"
    duration_seconds: int = 0
    recording: str = ""
    recording_file: Attachment | None = None
    at: Micros = Micros(0)


class PeerChange(StrEnum):
    """What a person did to our account on the vendor's side."""

    BLOCKED = "blocked"
    ALLOWED = "allowed"
    JOINED = "joined"
    LEFT = "left"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEvent:
    """A person blocked us, allowed us, or joined or left the group `thread_key`.

    With MOVED the address itself is another one from now on (a group that became a supergroup,
    a changed number): `text` is the new value, and the dialogs go on under it.
    """

    dedupe_key: str
    sender: Address
    change: PeerChange
    thread_key: str = ""
    text: str = ""
    at: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEvent:
    """Something happened in another system: an order was paid, a parcel arrived.

    `name` is that system's word for it, `status` and `reference` are its words too. `people` are
    addresses of whom it is about, the surest first: nobody is made of them. `object_kind` and
    `object_id` name a card of the hub, where that system knows it. `amount` is in hundredths.
    """

    dedupe_key: str
    name: str
    people: tuple[Address, ...] = ()
    object_kind: str = ""
    object_id: int = 0
    amount: int = 0
    status: str = ""
    reference: str = ""
    at: Micros = Micros(0)


Arrival = (
    InboundMessage
    | DeliveryReceipt
    | MessageEdited
    | MessageDeleted
    | Reaction
    | ButtonPressed
    | Presence
    | CallEvent
    | PeerEvent
    | OutsideEvent
)
"""Everything a channel can bring in: a closed vocabulary."""
