"""Our messages as the Cloud API takes them: one message of ours may be several of WhatsApp's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.whatsapp.addresses import is_scoped, recipient
from channels.whatsapp.cloud_templates import payload as template_payload
from hub import (
    Attachment,
    Button,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    Span,
    formatted,
)

MAX_CAPTION = 1_024
MAX_BODY = 1_024
REPLY_BUTTONS = 3
REPLY_LABEL = 20
ROW_TITLE = 24
ROW_TEXT = 72
ROW_ID = 200
ABOVE = "👆"
"""The words of buttons whose own words stand above them, because they are too long."""
LIST_BUTTON = "☰"
"""What opens a list; a sign, because no language fits everybody."""
KINDS = {
    "image/jpeg": ("image", 5_000_000),
    "image/png": ("image", 5_000_000),
    "image/webp": ("sticker", 500_000),
    "video/mp4": ("video", 16_000_000),
    "video/3gpp": ("video", 16_000_000),
    "audio/aac": ("audio", 16_000_000),
    "audio/amr": ("audio", 16_000_000),
    "audio/mpeg": ("audio", 16_000_000),
    "audio/mp4": ("audio", 16_000_000),
    "audio/ogg": ("audio", 16_000_000),
}
"""What WhatsApp shows as such, and takes up to how many bytes; the rest goes as a document."""
SIGNS = {"bold": "*", "italic": "_", "struck": "~", "code": "`"}
"""How WhatsApp writes what stands out (help centre, "How to format your messages")."""
CAPTIONED = frozenset({"image", "video", "document"})


def kind_of(file: Attachment) -> str:
    """Say as what a file is sent; raises PermanentFailure for one that is too large for it.

    Meta takes a large picture as a document no more than as a picture ("Supported media types").
    """
    kind, limit = KINDS.get(file.media_type.partition(";")[0].strip().lower(), ("document", 0))
    if limit and file.size > limit:
        text = f"WhatsApp takes a file of this kind ({kind}) up to {limit / 1_000_000:g} MB"
        raise PermanentFailure(RejectReason.TOO_LARGE, text)
    return kind


def said(text: str) -> str:
    """Give a text in WhatsApp's own signs; it has none for a link, whose address follows in brackets."""
    return formatted(text).written(_around)


def _around(span: Span) -> tuple[str, str]:
    sign = SIGNS.get(span.kind, "")
    return sign, f" ({span.url})" if span.kind == "link" else sign


def payloads(message: OutboundMessage, file_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Give the requests that make up a message, in order; files are uploaded already."""
    if message.template:
        found = [
            {
                "type": "template",
                "template": template_payload(message, file_ids[0] if file_ids else ""),
            }
        ]
    else:
        found = _free(message, file_ids)
    head = _head(message)
    parts = [{**head, **one} for one in found]
    if message.quotes and parts:
        parts[0]["context"] = {"message_id": message.quotes}
    for n, one in enumerate(parts):
        key = message.idempotency_key
        one["biz_opaque_callback_data"] = key if len(parts) == 1 else f"{key}/{n}"
    return parts


def reaction(to: str, external_id: str, emoji: str) -> dict[str, Any]:
    """Give the request of a reaction; an empty emoji takes it back."""
    return {
        **_to(to),
        "type": "reaction",
        "reaction": {"message_id": external_id, "emoji": emoji},
    }


def _head(message: OutboundMessage) -> dict[str, Any]:
    return _to(recipient(message.to))


def _to(value: str) -> dict[str, Any]:
    # An id of Meta's goes under a name of its own: as `to` it would be read as a number.
    where = {"recipient": value} if is_scoped(value) else {"to": value.removeprefix("+")}
    return {"messaging_product": "whatsapp", "recipient_type": "individual", **where}


def _free(message: OutboundMessage, file_ids: Sequence[str]) -> list[dict[str, Any]]:
    text, buttons = said(message.text), message.buttons
    found: list[dict[str, Any]] = []
    for n, (file, file_id) in enumerate(zip(message.attachments, file_ids, strict=True)):
        kind = kind_of(file)
        media: dict[str, Any] = {"id": file_id}
        if kind == "document":
            media["filename"] = file.name or "file"
        if n == 0 and text and not buttons and kind in CAPTIONED and len(text) <= MAX_CAPTION:
            media["caption"], text = text, ""
        found.append({"type": kind, kind: media})
    links = [one for one in buttons if one.url]
    presses = [one for one in buttons if not one.url]
    if links:
        text = "\n".join([*([text] if text else []), *(f"{one.label}: {one.url}" for one in links)])
    if presses and 0 < len(text) <= MAX_BODY:
        return [*found, _interactive(text, presses)]
    if text:
        found.append(_text(text))
    if presses:
        found.append(_interactive(ABOVE, presses))
    return found


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text, "preview_url": "://" in text}}


def _interactive(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Give buttons where they fit, else a list: three with short labels, else up to ten."""
    fits = len(buttons) <= REPLY_BUTTONS and all(len(one.label) <= REPLY_LABEL for one in buttons)
    if fits:
        action: dict[str, Any] = {
            "buttons": [
                {"type": "reply", "reply": {"id": _id(one), "title": one.label}} for one in buttons
            ]
        }
        return _shape("button", text, action)
    action = {"button": LIST_BUTTON, "sections": [{"rows": [_row(one) for one in buttons]}]}
    return _shape("list", text, action)


def _shape(kind: str, text: str, action: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": text}, "action": action},
    }


def _row(button: Button) -> dict[str, Any]:
    row = {"id": _id(button)[:ROW_ID], "title": button.label[:ROW_TITLE]}
    if len(button.label) > ROW_TITLE:
        row["description"] = button.label[:ROW_TEXT]
    return row


def _id(button: Button) -> str:
    return (button.payload or button.label).strip()[:256]
