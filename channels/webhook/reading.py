"""What the other system posts to us, read strictly: one event per request.

    {"type": "message.received", "data": {"id": "17", "from": {"address": "vera"}, "text": "Hi"}}

docs/webhook-channel.md lists every type with its fields. A type that this release does not know,
but which says who it is from, becomes an *unsupported* message: the agent sees that something
came, and the raw bytes stay.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hub import (
    Address,
    Arrival,
    Attachment,
    ButtonPressed,
    CallEvent,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    Micros,
    OutsideEvent,
    PeerChange,
    PeerEvent,
    Presence,
    PresenceKind,
    Reaction,
    RejectReason,
)

KIND = "webhook"
Id = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200)]
Words = Annotated[str, StringConstraints(max_length=100_000)]
T = TypeVar("T", bound=BaseModel)


class Misread(ValueError):
    """What the other side's programmer must mend, in his words: never shown to an agent."""


class Strict(BaseModel):
    """Unknown fields are a misspelling that the other side wants to hear of."""

    model_config = ConfigDict(extra="forbid")


class Person(Strict):
    """Who: the address is whatever the other system calls him by, for ever."""

    address: Id
    name: str = Field(default="", max_length=200)

    def as_address(self) -> Address:
        return Address(kind=KIND, value=self.address, name=self.name)


class SentFile(Strict):
    """A file: its bytes as base64, or a link on the host of the account's address."""

    name: str = Field(default="file", max_length=255)
    media_type: str = Field(default="application/octet-stream", max_length=200)
    content: str = ""
    url: str = Field(default="", max_length=2000)


class Received(Strict):
    """A message of a person."""

    id: Id
    sender: Person = Field(alias="from")
    text: Words = ""
    html: Words = ""
    in_reply_to: str = Field(default="", max_length=200)
    sent_at: datetime | None = None
    language: str = Field(default="", max_length=10)
    attachments: list[SentFile] = Field(default_factory=list, max_length=20)
    profile: dict[str, str] = Field(default_factory=dict, max_length=50)
    automated: bool = False


class Edited(Strict):
    """The person changed a message."""

    id: Id
    text: Words


class Deleted(Strict):
    """The person took a message back."""

    id: Id


class Reacted(Strict):
    """The person reacted; no emoji takes the reaction back."""

    id: Id
    sender: Person = Field(alias="from")
    emoji: str = Field(default="", max_length=40)


class Pressed(Strict):
    """The person pressed a button of message `id`."""

    id: Id
    sender: Person = Field(alias="from")
    payload: str = Field(max_length=400)
    label: str = Field(default="", max_length=200)


class Changed(Strict):
    """What became of our message `id`."""

    id: Id
    status: str = Field(pattern="^(sent|delivered|read|failed)$")
    reason: RejectReason | None = None
    text: str = Field(default="", max_length=1000)


class Typed(Strict):
    """The person types, or has come, or has gone."""

    sender: Person = Field(alias="from")
    state: PresenceKind = PresenceKind.TYPING


class Called(Strict):
    """A call changed its state."""

    id: Id
    sender: Person = Field(alias="from")
    state: str = Field(pattern="^(ringing|answered|ended|missed)$")
    direction: str = Field(default="in", pattern="^(in|out)$")
    seconds: int = Field(default=0, ge=0, le=604_800)
    recording: str = Field(default="", max_length=2000, pattern=r"^(https?://.*)?$")


class PeerChanged(Strict):
    """The person blocked us or lets us write again."""

    sender: Person = Field(alias="from")
    change: str = Field(pattern="^(blocked|allowed)$")


class About(Strict):
    """A card of the hub by its kind and id, as the API and outgoing webhooks name it."""

    kind: str = Field(pattern="^[a-z_]{1,40}$")
    id: str = Field(pattern="^[1-9][0-9]{0,18}$")


class Happened(Strict):
    """Something happened over there, with whom or what it is about; rules may begin with it."""

    name: Id
    sender: Person | None = Field(default=None, alias="from")
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=40)
    about: About | None = None
    amount: Decimal = Field(default=Decimal(0), ge=-(10**12), le=10**12, decimal_places=2)
    status: str = Field(default="", max_length=200)
    reference: str = Field(default="", max_length=200)


class Unknown(Strict):
    """What an event of a kind that we do not know must tell to be shown as unsupported."""

    id: Id
    sender: Person = Field(alias="from")


class Envelope(BaseModel):
    """What surrounds every event."""

    type: str = Field(min_length=1, max_length=100)
    timestamp: datetime | None = None
    data: dict[str, object]


def read(body: object, key: str, received_at: Micros, raw: bytes) -> list[Arrival]:
    """Turn one posted event into what it means; `key` is its `webhook-id`.

    Raises Misread, naming the field.
    """
    envelope = _checked(Envelope, body)
    at = _micros(envelope.timestamp) or received_at
    reader = READERS.get(envelope.type)
    if reader is not None:
        return [reader(envelope.data, key, at, raw)]
    sender = envelope.data.get("from")
    if not isinstance(sender, Mapping):
        raise Misread(f"there is no event {envelope.type!r}")
    found = _checked(Unknown, {"from": sender, "id": envelope.data.get("id") or key}, "data")
    return [
        InboundMessage(
            dedupe_key=key,
            external_id=found.id,
            sender=found.sender.as_address(),
            unsupported=envelope.type,
            sent_at=at,
            raw=raw,
        )
    ]


def _checked(model: type[T], value: object, where: str = "") -> T:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(filter(None, [where, *map(str, first["loc"])]))
        raise Misread(f"{place or 'the body'}: {first['msg']}") from None


def _micros(moment: datetime | None) -> Micros:
    if moment is None:
        return Micros(0)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Micros(int(aware.timestamp() * 1_000_000))


def _file(given: SentFile) -> Attachment:
    if bool(given.content) == bool(given.url):
        raise Misread("data.attachments: give either content or url")
    try:
        content = base64.b64decode(given.content, validate=True) if given.content else None
    except binascii.Error:
        raise Misread("data.attachments: content is not base64") from None
    return Attachment(
        name=given.name,
        media_type=given.media_type,
        size=len(content or b""),
        content=content,
        reference=given.url,
    )


def _message(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Received, data, "data")
    if not (found.text or found.html or found.attachments):
        raise Misread("data: a message has text, html or attachments")
    return InboundMessage(
        # The event's own id and the message's: a sender that makes a new event of the same
        # message repeats itself all the same.
        dedupe_key=f"message:{found.id}",
        external_id=found.id,
        sender=found.sender.as_address(),
        text=found.text,
        html=found.html,
        in_reply_to=found.in_reply_to,
        sent_at=_micros(found.sent_at) or at,
        language=found.language,
        attachments=tuple(_file(one) for one in found.attachments),
        profile=found.profile,
        automated=found.automated,
        raw=raw,
    )


def _edited(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Edited, data, "data")
    return MessageEdited(dedupe_key=key, external_id=found.id, text=found.text, at=at)


def _deleted(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Deleted, data, "data")
    return MessageDeleted(dedupe_key=key, external_id=found.id, at=at)


def _reacted(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Reacted, data, "data")
    sender = found.sender.as_address()
    return Reaction(dedupe_key=key, external_id=found.id, sender=sender, emoji=found.emoji, at=at)


def _pressed(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Pressed, data, "data")
    return ButtonPressed(
        dedupe_key=key,
        external_id=found.id,
        sender=found.sender.as_address(),
        payload=found.payload,
        label=found.label,
        at=at,
    )


def _changed(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Changed, data, "data")
    failed = found.status == "failed"
    return DeliveryReceipt(
        dedupe_key=key,
        external_id=found.id,
        status=DeliveryStatus(found.status),
        at=at,
        reason=(found.reason or RejectReason.OTHER) if failed else None,
        text=found.text,
        raw=raw,
    )


def _typed(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Typed, data, "data")
    return Presence(sender=found.sender.as_address(), kind=found.state)


def _called(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Called, data, "data")
    return CallEvent(
        dedupe_key=key,
        external_id=found.id,
        caller=found.sender.as_address(),
        state=found.state,
        direction=found.direction,
        duration_seconds=found.seconds,
        recording=found.recording,
        at=at,
    )


def _peer(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(PeerChanged, data, "data")
    return PeerEvent(
        dedupe_key=key,
        sender=found.sender.as_address(),
        change=PeerChange(found.change),
        at=at,
    )


def _happened(data: object, key: str, at: Micros, raw: bytes) -> Arrival:
    found = _checked(Happened, data, "data")
    people = [found.sender.as_address()] if found.sender is not None else []
    for kind, value in (("email", found.email), ("phone", found.phone)):
        if value.strip():
            people.append(Address(kind=kind, value=value.strip()))
    return OutsideEvent(
        dedupe_key=key,
        name=found.name,
        people=tuple(people),
        object_kind=found.about.kind if found.about is not None else "",
        object_id=int(found.about.id) if found.about is not None else 0,
        amount=int(found.amount * 100),
        status=found.status,
        reference=found.reference,
        at=at,
    )


READERS: Mapping[str, Callable[[object, str, Micros, bytes], Arrival]] = {
    "message.received": _message,
    "message.edited": _edited,
    "message.deleted": _deleted,
    "reaction.changed": _reacted,
    "button.pressed": _pressed,
    "delivery.changed": _changed,
    "presence.changed": _typed,
    "call.changed": _called,
    "contact.changed": _peer,
    "event.happened": _happened,
}
