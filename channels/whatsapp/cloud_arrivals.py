"""Meta's webhooks, made into arrivals. One request may carry several entries and many messages."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping
from typing import Any

from channels.whatsapp import cloud_content as content
from channels.whatsapp.addresses import is_scoped, person
from channels.whatsapp.cloud_refusals import number_of, reason_of, words_of
from hub import (
    Address,
    Arrival,
    Attachment,
    ButtonPressed,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MalformedPayload,
    MessageDeleted,
    MessageEdited,
    Micros,
    Reaction,
    bounded_key,
)

FILES = ("image", "video", "audio", "document", "sticker")
STATES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "played": DeliveryStatus.READ,
    "failed": DeliveryStatus.FAILED,
}
Json = Mapping[str, Any]


def read(body: object, phone_number_id: str) -> list[Arrival]:
    """Give the arrivals for one number; raises MalformedPayload where all is for others."""
    found: list[Arrival] = []
    others: set[str] = set()
    for value in _values(body):
        metadata = _object(value.get("metadata"))
        number = str(metadata.get("phone_number_id", ""))
        if number != phone_number_id:
            others.add(number)
            continue
        found += _messages(value)
        found += _statuses(value)
    if others and not found:
        raise MalformedPayload(f"this is about another number: {', '.join(sorted(others))}")
    return found


def _values(body: object) -> Iterator[Json]:
    """Give what happened to messages; what happened to the account or a template is no arrival."""
    if not isinstance(body, dict) or body.get("object") != "whatsapp_business_account":
        raise MalformedPayload("this is no event of a WhatsApp business account")
    for entry in _list(body.get("entry")):
        for change in _list(entry.get("changes")):
            if change.get("field") == "messages":
                yield _object(change.get("value"))


def _messages(value: Json) -> Iterator[Arrival]:
    contacts = _list(value.get("contacts"))
    for one in _list(value.get("messages")):
        try:
            yield from _message(one, contacts)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # One message of a shape nobody knew must not hold the others up.
            yield _unreadable(one, contacts, error)


def _message(one: Json, contacts: list[Json]) -> Iterator[Arrival]:
    external_id, kind = _id(one, "id"), str(one.get("type", ""))
    sender, aliases = _sender(one, contacts)
    at = _at(one.get("timestamp"))
    if kind == "reaction":
        body = one["reaction"]
        emoji = str(body.get("emoji", ""))
        named = _id(body, "message_id")
        yield Reaction(
            dedupe_key=bounded_key(external_id),
            external_id=named,
            sender=sender,
            emoji=emoji,
            at=at,
        )
        return
    if kind in ("edit", "revoke"):
        yield _changed(kind, one, external_id, at)
        return
    context = _object(one.get("context"))
    pressed = content.pressed(kind, one)
    if pressed is not None and context.get("id"):
        yield ButtonPressed(
            dedupe_key=bounded_key(external_id),
            external_id=_id(context, "id"),
            press_id=external_id,
            sender=sender,
            payload=pressed[0],
            label=pressed[1],
            at=at,
        )
        return
    text = pressed[1] if pressed is not None else content.text(kind, one)
    files = (_file(kind, one[kind]),) if kind in FILES else ()
    unsupported = "" if text or files else content.unsupported(kind, one)
    yield InboundMessage(
        dedupe_key=bounded_key(external_id),
        external_id=external_id,
        sender=sender,
        aliases=(*aliases, *_moved(kind, one)),
        text=text,
        attachments=files,
        in_reply_to=str(context.get("id", "")),
        sent_at=at,
        automated=kind == "system",
        unsupported=unsupported,
        profile=content.profile(one, context),
        raw=_raw(one) if unsupported else b"",
    )


def _unreadable(one: Json, contacts: list[Json], error: Exception) -> InboundMessage:
    try:
        external_id = _id(one, "id")
    except (KeyError, ValueError):
        raise MalformedPayload("a message has no id") from error
    sender, aliases = _sender(one, contacts)
    kind = str(one.get("type", "")) or "message"
    return InboundMessage(
        dedupe_key=bounded_key(external_id),
        external_id=external_id,
        sender=sender,
        aliases=aliases,
        sent_at=_at(one.get("timestamp")),
        unsupported=f"{kind} of an unknown form",
        raw=_raw(one),
    )


def _changed(kind: str, one: Json, external_id: str, at: Micros) -> MessageEdited | MessageDeleted:
    """Read that the person changed a message of his, or took it back."""
    body = one[kind]
    named = _id(body, "original_message_id")
    if kind == "revoke":
        return MessageDeleted(dedupe_key=bounded_key(external_id), external_id=named, at=at)
    new = body["message"]
    text = content.text(str(new.get("type", "")), new)
    return MessageEdited(dedupe_key=bounded_key(external_id), external_id=named, text=text, at=at)


def _sender(one: Json, contacts: list[Json]) -> tuple[Address, tuple[Address, ...]]:
    """Find who wrote: number and ids of the message, joined with the contact of the same ones."""
    own = [str(one.get(key) or "") for key in ("from", "from_user_id", "from_parent_user_id")]
    names = {value for value in own if value}
    for contact in contacts:
        known = [str(contact.get(key) or "") for key in ("wa_id", "user_id", "parent_user_id")]
        if len(contacts) == 1 or names & set(known):
            profile = _object(contact.get("profile"))
            # The number the message came from stands before the one the contact is known by.
            numbers = [value for value in (*own, *known) if value and not is_scoped(value)]
            scoped = [value for value in (*own, *known) if is_scoped(value)]
            name = str(profile.get("name") or profile.get("username") or "")
            return person(*numbers, *scoped, name=name)
    return person(*own)


def _moved(kind: str, one: Json) -> tuple[Address, ...]:
    """A person who changed his number (or whose id changed) stays the same person."""
    if kind != "system":
        return ()
    body = _object(one.get("system"))
    values = [str(body.get(key) or "") for key in ("wa_id", "new_wa_id", "user_id", "new_user_id")]
    if not any(values):
        return ()
    address, aliases = person(*values)
    return (address, *aliases)


def _file(kind: str, body: Json) -> Attachment:
    media_type = str(body.get("mime_type", "application/octet-stream"))
    ending = mimetypes.guess_extension(media_type.partition(";")[0].strip()) or ""
    return Attachment(
        name=str(body.get("filename") or f"{kind}{ending}"),
        media_type=media_type,
        reference=_id(body, "id"),
    )


def _statuses(value: Json) -> Iterator[DeliveryReceipt]:
    for one in _list(value.get("statuses")):
        state, external_id = str(one.get("status", "")), str(one.get("id", ""))
        status = STATES.get(state)
        if status is None or not external_id:
            # A state of tomorrow (deleted, warning) is no news of the delivery.
            continue
        errors = _list(one.get("errors"))
        failed = status is DeliveryStatus.FAILED
        yield DeliveryReceipt(
            dedupe_key=bounded_key(f"{external_id}:{state}"),
            external_id=external_id,
            status=status,
            at=_at(one.get("timestamp")),
            reason=reason_of(number_of(errors[0]) if errors else 0) if failed else None,
            text=words_of(errors[0]) if failed and errors else "",
            recipient=str(one.get("recipient_id") or one.get("recipient_user_id") or ""),
            delivery_key=str(one.get("biz_opaque_callback_data") or ""),
        )


def _id(one: Json, key: str) -> str:
    """Give an id that Meta names; raises KeyError or ValueError where it is none."""
    found = one[key]
    if not isinstance(found, str) or not found.strip() or not found.isprintable():
        raise ValueError(f"{key} is no id")
    return found


def _at(value: object) -> Micros:
    text = str(value)
    return Micros(int(text) * 1_000_000 if text.isdecimal() and len(text) < 12 else 0)


def _raw(one: Json) -> bytes:
    return json.dumps(one, ensure_ascii=False).encode("utf-8", "replace")


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
