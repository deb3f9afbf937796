"""An event of a room, made into an arrival. Pure: nothing is asked of anybody."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from hub import (
    Address,
    Arrival,
    Attachment,
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

KIND = "matrix"
_MXC = re.compile(r"mxc://[A-Za-z0-9.:\[\]-]{1,255}/[A-Za-z0-9_-]{1,255}")
_FILES = ("m.image", "m.file", "m.audio", "m.video")
_TEXTS = ("m.text", "m.notice", "m.emote")
# Opaque, at most 255 bytes (specification: Appendices, "Identifier Grammar").
Id = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=255)]


class Event(BaseModel, strict=True):
    """What every event of a timeline has ("Room event format")."""

    event_id: Id
    type: str
    sender: Id
    origin_server_ts: int = Field(ge=1_000_000_000_000, le=4_000_000_000_000)
    content: dict[str, Any]
    state_key: str | None = None
    redacts: str = ""


class Timeline(BaseModel, strict=True):
    """One event with its room: what is read, kept in quarantine and replayed."""

    room_id: Id
    event: Event


class Receipt(BaseModel, strict=True):
    """Who read what in a room: an ephemeral `m.receipt` ("Receipts")."""

    room_id: Id
    receipt: dict[Id, dict[str, Any]]


def read(raw: bytes, own: str) -> list[Arrival]:
    """Read one event or receipt; raises MalformedPayload. `own` is our user, who is no customer."""
    try:
        if b'"receipt"' in raw[:400] and b'"event"' not in raw[:400]:
            return _receipts(Receipt.model_validate_json(raw), own)
        found = Timeline.model_validate_json(raw)
    except ValidationError as error:
        raise MalformedPayload(f"no event of a room: {error.error_count()} errors") from error
    if found.event.sender == own or found.event.state_key is not None:
        return []
    return [_arrival(found.room_id, found.event, raw)]


def _receipts(found: Receipt, own: str) -> list[Arrival]:
    return [
        DeliveryReceipt(
            dedupe_key=bounded_key(f"{event_id}:{user}:read"),
            external_id=event_id,
            status=DeliveryStatus.READ,
            earlier=True,
        )
        for event_id, kinds in found.receipt.items()
        if isinstance(readers := kinds.get("m.read"), dict)
        for user in readers
        if user != own
    ]


def _arrival(room: str, event: Event, raw: bytes) -> Arrival:
    at, content = Micros(event.origin_server_ts * 1000), event.content
    relation = _part(content, "m.relates_to")
    target = _text(relation, "event_id")
    sender = Address(kind=KIND, value=room, name=event.sender)
    if event.type == "m.room.redaction":
        # The id stands in the content since room version 11, beside it before.
        redacted = _text(content, "redacts") or event.redacts
        if redacted:
            return MessageDeleted(dedupe_key=event.event_id, external_id=redacted, at=at)
    if event.type == "m.reaction" and target:
        return Reaction(
            dedupe_key=event.event_id,
            external_id=target,
            sender=sender,
            emoji=_text(relation, "key"),
            at=at,
        )
    if relation.get("rel_type") == "m.replace" and target:
        text = _text(_part(content, "m.new_content"), "body")
        return MessageEdited(dedupe_key=event.event_id, external_id=target, text=text, at=at)
    kind = _text(content, "msgtype") if event.type == "m.room.message" else event.type
    files = (_file(content),) if kind in _FILES and _MXC.fullmatch(_text(content, "url")) else ()
    known = bool(files) or (kind in _TEXTS and bool(_text(content, "body")))
    return InboundMessage(
        dedupe_key=event.event_id,
        external_id=event.event_id,
        sender=sender,
        text="" if files else _text(content, "body"),
        attachments=files,
        in_reply_to=_text(_part(relation, "m.in_reply_to"), "event_id"),
        sent_at=at,
        unsupported="" if known else kind or "a message without a type",
        raw=raw,
    )


def _file(content: dict[str, Any]) -> Attachment:
    about = _part(content, "info")
    media_type, size = _text(about, "mimetype"), about.get("size")
    return Attachment(
        name=_text(content, "filename") or _text(content, "body") or "file",
        media_type=media_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type) else "",
        size=size if type(size) is int and 0 <= size < 2**53 else 0,
        reference=_text(content, "url"),
    )


def pack(room: str, event: object) -> bytes:
    """Put an event with its room into bytes, as `read` takes them."""
    return json.dumps({"room_id": room, "event": event}).encode()


def pack_receipt(room: str, content: object) -> bytes:
    """Put a receipt with its room into bytes, as `read` takes them."""
    return json.dumps({"receipt": content, "room_id": room}).encode()


def _part(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _text(content: dict[str, Any], name: str) -> str:
    found = content.get(name)
    return found if isinstance(found, str) else ""
