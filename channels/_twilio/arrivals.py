"""Twilio's webhook forms, made into arrivals: messages with files, and states of our messages."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping

from channels._twilio.refusals import reason_of
from hub import (
    Address,
    Attachment,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MalformedPayload,
    UntrustedRequest,
    WebhookRequest,
)

DELIVERY = "delivery"
"""The field of the callback's address that carries our own key of the delivery."""
SID = re.compile(r"[A-Za-z0-9]{1,64}")
MAX_FILES = 10
STATES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "partially_delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}
UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending"})
"""Still in Twilio's hands: says nothing that the answer to the send has not said."""
PLACES = {"FromCity": "city", "FromState": "state", "FromCountry": "country"}


def need_account(fields: Mapping[str, str], account_sid: str) -> None:
    """Refuse what another account of Twilio's was signed for; raises UntrustedRequest."""
    if fields.get("AccountSid", account_sid) != account_sid:
        raise UntrustedRequest("the request is about another account")


def is_receipt(fields: Mapping[str, str]) -> bool:
    """Whether a form tells of a message of ours."""
    return fields.get("MessageStatus", "received") not in ("received", "receiving")


def receipt(fields: Mapping[str, str], request: WebhookRequest) -> list[DeliveryReceipt]:
    """Read the state of a message of ours; none where it says nothing new."""
    sid, state = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
    if state in UNDER_WAY:
        return []
    status = STATES.get(state)
    if not SID.fullmatch(sid) or status is None:
        raise MalformedPayload(f"Twilio's state {state!r} of message {sid!r} is not known")
    code = fields.get("ErrorCode", "")
    number = int(code) if code.isdecimal() else 0
    failed = status is DeliveryStatus.FAILED
    words = fields.get("ChannelStatusMessage") or fields.get("ErrorMessage") or state
    return [
        DeliveryReceipt(
            dedupe_key=f"{sid}:{state}",
            external_id=sid,
            status=status,
            at=request.received_at,
            reason=reason_of(number) if failed else None,
            text=f"Twilio {number or ''}: {words}".replace(" :", ":") if failed else "",
            recipient=fields.get("To", ""),
            delivery_key=request.query.get(DELIVERY, ""),
        )
    ]


def message(
    fields: Mapping[str, str],
    request: WebhookRequest,
    sender: Address,
    aliases: tuple[Address, ...] = (),
) -> InboundMessage:
    """Read a person's message."""
    sid = fields.get("MessageSid", "")
    if not SID.fullmatch(sid):
        raise MalformedPayload("this is no message of Twilio's: it has no SID")
    text, files = fields.get("Body", ""), _files(fields)
    unsupported = ""
    if not text and not files:
        unsupported = fields.get("MessageType", "") or "a message without content"
    return InboundMessage(
        dedupe_key=sid,
        external_id=sid,
        sender=sender,
        aliases=aliases,
        text=text,
        attachments=files,
        in_reply_to=fields.get("OriginalRepliedMessageSid", ""),
        sent_at=request.received_at,
        unsupported=unsupported,
        profile={name: fields[key] for key, name in PLACES.items() if fields.get(key)},
        raw=request.body if unsupported else b"",
    )


def _files(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    count = fields.get("NumMedia", "0")
    found = []
    for n in range(min(int(count) if count.isdecimal() else 0, MAX_FILES)):
        address = fields.get(f"MediaUrl{n}", "")
        media_type = fields.get(f"MediaContentType{n}", "application/octet-stream")
        if address:
            ending = mimetypes.guess_extension(media_type.partition(";")[0]) or ""
            found.append(
                Attachment(name=f"file-{n + 1}{ending}", media_type=media_type, reference=address)
            )
    return tuple(found)
