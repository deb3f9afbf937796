"""Reports of failed delivery (RFC 3464) become receipts; automatic letters are recognised."""

from __future__ import annotations

import hashlib
import re
from email import message_from_string
from email.message import Message

from channels.email.charsets import header
from channels.email.heads import Heads
from hub import DeliveryReceipt, DeliveryStatus, RejectReason

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ID = re.compile(r"(?im)^message-id:\s*(<[^<>\s]+>)")


def automated(heads: Heads) -> bool:
    """Say whether no person wrote this (RFC 3834 and the marks that came before it)."""

    def value(name: str) -> str:
        return heads.raw(name).strip().lower()

    submitted = value("auto-submitted")
    if submitted and not submitted.startswith("no"):
        return True
    if value("return-path") == "<>" or value("x-autoreply") in ("yes", "true"):
        return True
    if value("precedence") in ("bulk", "junk", "list", "auto_reply"):
        return True
    if any(heads.raw(name) for name in ("list-id", "list-unsubscribe", "x-autorespond")):
        return True
    sender = value("from")
    return any(one in sender for one in ("mailer-daemon@", "no-reply@", "noreply@", "postmaster@"))


def reason_of(status: str, text: str) -> RejectReason:
    """Give why a letter was refused, from the enhanced status code (RFC 3463), never from words
    alone: providers' words change, codes do not."""
    match = _STATUS.search(status) or _STATUS.search(text)
    code = f"{match[2]}.{match[3]}" if match else ""
    if code in ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "0.0") and code != "0.0":
        return RejectReason.INVALID_ADDRESS
    if code in ("3.4", "2.3"):
        return RejectReason.TOO_LARGE
    if code in ("7.1", "7.0", "7.26", "7.25", "7.20", "6.0"):
        return RejectReason.SPAM if "spam" in text.lower() else RejectReason.BLOCKED
    if code == "4.7":
        return RejectReason.EXPIRED
    return RejectReason.PROVIDER_ERROR


def receipt(message: Message, raw: bytes, at: int) -> DeliveryReceipt | None:
    """Give the receipt in a delivery report; None for every other letter."""
    original = _original_id(message)
    recipient, status, action, text = _report(message)
    if not status and not recipient:
        recipient = _scanned(message)
        if not recipient or not original:
            return None
        status, action = "5.0.0", "failed"
    if not original:
        return None
    kind, reason = _verdict(action, status, text)
    if kind is None:
        return None
    key = hashlib.sha256(raw).hexdigest()
    if kind is DeliveryStatus.FAILED and text and not _STATUS.search(text):
        # By its code the address is judged; many servers give it beside their words only.
        text = f"{status} {text}"
    return DeliveryReceipt(
        dedupe_key=f"report:{key}",
        external_id=original,
        status=kind,
        at=at,  # type: ignore[arg-type]
        reason=reason,
        text=text[:400] if reason else "",
        recipient=recipient,
    )


def _verdict(
    action: str, status: str, text: str
) -> tuple[DeliveryStatus | None, RejectReason | None]:
    """Say what a report means for the letter.

    The action decides (RFC 3464 2.3.3): a server that has given up after days of trying says
    "failed" with the code of a temporary trouble, and one that still tries says "delayed".
    """
    if action in ("relayed", "expanded"):
        return None, None
    if action == "delayed" or (status.startswith("4.") and action != "failed"):
        return DeliveryStatus.SENT, RejectReason.DELAYED
    if action == "delivered" or status.startswith("2."):
        return DeliveryStatus.DELIVERED, None
    return DeliveryStatus.FAILED, reason_of(status, text)


def complaint(message: Message, raw: bytes, at: int) -> DeliveryReceipt | None:
    """Give the receipt in a feedback report (RFC 5965): the letter arrived, and its reader
    called it spam. Other kinds of feedback (fraud, virus, not-spam) are no complaint of a reader."""
    if str(message.get_param("report-type") or "").lower() != "feedback-report":
        return None
    original = _original_id(message)
    for part in message.walk():
        if part.get_content_type() != "message/feedback-report":
            continue
        payload = part.get_payload()
        block = payload[0] if isinstance(payload, list) and payload else None
        if block is None:
            text = part.get_payload(decode=True) or payload
            text = text.decode("latin-1") if isinstance(text, bytes) else str(text)
            block = message_from_string(text)
        if not isinstance(block, Message):
            continue
        kind = str(block.get("feedback-type") or "").strip().lower()
        named = str(block.get("original-rcpt-to") or "").strip().strip("<>").lower()
        if kind not in ("abuse", "opt-out") or not original:
            return None
        return DeliveryReceipt(
            dedupe_key=f"report:{hashlib.sha256(raw).hexdigest()}",
            external_id=original,
            status=DeliveryStatus.DELIVERED,
            at=at,  # type: ignore[arg-type]
            reason=RejectReason.COMPLAINED,
            text=kind,
            recipient=named,
        )
    return None


def is_report(heads: Heads) -> bool:
    """Say whether this is a delivery report, readable or not."""
    written = heads.raw("content-type").lower()
    return "delivery-status" in written and heads.kind() == "multipart/report"


def _report(message: Message) -> tuple[str, str, str, str]:
    """Read recipient, status, action and diagnostic of the first failed recipient."""
    found = ("", "", "", "")
    for part in message.walk():
        if part.get_content_type() not in (
            "message/delivery-status",
            "message/global-delivery-status",
        ):
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else ():
            if not isinstance(block, Message) or not block.get("action"):
                continue
            named = str(block.get("final-recipient") or block.get("original-recipient") or "")
            one = (
                named.split(";")[-1].strip().lower(),
                str(block.get("status") or "").strip().split(" ")[0],
                str(block.get("action") or "").strip().lower(),
                header(block.get("diagnostic-code") or block.get("status") or ""),
            )
            if one[2] == "failed":
                return one
            found = found if found[2] else one
    return found


def _scanned(message: Message) -> str:
    """Ask the library that knows the reports of servers without RFC 3464."""
    # Its fifty detectors take half of the channel's loading, and few houses ever need one.
    from flufl.bounce import all_failures

    try:
        _, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - a detector that stumbles has found nothing
        return ""
    return next((bytes(one).decode("latin-1") for one in sorted(permanent)), "").lower()


def _original_id(message: Message) -> str:
    """Find the Message-ID of the letter that was sent: in the returned letter or its headers."""
    for part in message.walk():
        if part is message:
            continue
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                found = str(inner[0].get("message-id") or "").strip()
                if found:
                    return found
        if kind in ("text/rfc822-headers", "message/global-headers", "text/plain"):
            payload = part.get_payload(decode=True)
            text = payload.decode("latin-1") if isinstance(payload, bytes) else str(payload)
            match = _ID.search(text)
            if match:
                return match[1]
    if not message.is_multipart():
        payload = message.get_payload(decode=True)
        match = _ID.search(payload.decode("latin-1")) if isinstance(payload, bytes) else None
        if match:
            return match[1]
    return ""
