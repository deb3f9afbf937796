"""A letter's bytes to an arrival: cheap parsing, own decoding of headers, nothing trusted.

The classic parser of the standard library is four times faster than the new policy, and plainly
written letters do without it (`parsing`); what it does not decode, `charsets` does. Limits stop
letters that were built to hurt.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import unquote

from channels.email import bounces, quotes
from channels.email.addresses import canonical, parse, split_token
from channels.email.charsets import decode, header
from channels.email.heads import Heads
from channels.email.html_text import html_to_text
from channels.email.parsing import parsed
from hub import (
    Address,
    Attachment,
    DeliveryReceipt,
    InboundMessage,
    MalformedPayload,
    Micros,
    bounded_key,
)

MAX_PARTS = 500
MAX_DEPTH = 30
MAX_TEXT = 1_000_000
TOKEN_HEADER = "X-DialogHub-Token"
_TRACE = re.compile(
    rb"(?i)^(received|return-path|delivered-to|x-original-to|x-spam[^:]*|x-virus[^:]*|"
    rb"authentication-results|arc-[^:]*|dkim-[^:]*|received-spf|x-received|x-ms-exchange[^:]*|"
    rb"x-forefront[^:]*|x-yandex[^:]*|x-mailru[^:]*|x-mras|x-uid[^:]*|status|x-status|x-keywords)$"
)
_UUENCODED = re.compile(
    r"(?m)^begin [0-7]{3} (?P<name>[^\r\n]{1,200})\r?\n(?P<body>(?:[ -`]{1,61}\r?\n)+)end\s*$"
)
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(slots=True)
class _Content:
    """What was found in the parts of a letter."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    parts: int = 0


def read(raw: bytes, own: frozenset[str] = frozenset()) -> InboundMessage | DeliveryReceipt:
    """Read a letter; a delivery report about one of ours becomes a receipt.

    `own` are our addresses: they are no participants. Raises MalformedPayload where nothing
    can be made of the bytes.
    """
    if not raw.strip():
        raise MalformedPayload("the letter is empty")
    try:
        message = parsed(raw)
    except Exception as error:
        raise MalformedPayload(f"the letter cannot be parsed: {type(error).__name__}") from error
    heads = Heads(message)
    at = _date(heads)
    is_report = bounces.is_report(heads)
    if is_report or _looks_like_report(heads):
        receipt = bounces.receipt(message, raw, at)
        if receipt is not None:
            return receipt
    if heads.kind() == "multipart/report":
        told = bounces.complaint(message, raw, at)
        if told is not None:
            return told
    sender = _sender(heads)
    if sender is None:
        raise MalformedPayload("the letter has no sender")
    content = _Content()
    _walk(message, heads, content, 0)
    text = "\n\n".join(one.strip() for one in content.texts if one.strip())[:MAX_TEXT]
    html = "\n".join(content.htmls)
    if not text and html:
        text = html_to_text(html)[:MAX_TEXT]
    text, loose = _uuencoded(text)
    identity = _identity(raw)
    external_id = _first_id(heads, "message-id") or f"<{identity[:32]}@no-message-id>"
    to, cc, token = _recipients(heads, own)
    references = tuple(_MESSAGE_ID.findall(heads.value("references")))[-50:]
    profile = _profile(heads, sender)
    return InboundMessage(
        dedupe_key=f"{external_id[:200]}:{identity[:40]}",
        external_id=external_id,
        sender=sender,
        text=quotes.strip(text),
        full_text=text,
        html=html,
        subject=heads.value("subject")[:400],
        in_reply_to=_first_id(heads, "in-reply-to"),
        references=references,
        dialog_token=token or heads.value(TOKEN_HEADER.lower()),
        attachments=(*content.files, *loose),
        to=to,
        cc=cc,
        sent_at=Micros(at),
        automated=is_report or bounces.automated(heads),
        profile=profile,
        headers=_kept(heads),
        raw=raw,
    )


def _looks_like_report(heads: Heads) -> bool:
    sender = heads.raw("from").lower()
    return "mailer-daemon" in sender or heads.raw("return-path").strip() == "<>"


def _sender(heads: Heads) -> Address | None:
    for name in ("from", "sender", "return-path"):
        found = parse(heads.all(name))
        if found:
            return found[0]
    return None


def _date(heads: Heads) -> int:
    parsed = parsedate_tz(heads.raw("date"))
    if parsed is None:
        return 0
    try:
        return max(0, int(mktime_tz(parsed))) * 1_000_000
    except (ValueError, OverflowError):
        return 0


def _recipients(
    heads: Heads, own: frozenset[str]
) -> tuple[tuple[Address, ...], tuple[Address, ...], str]:
    token = ""
    lines: dict[str, tuple[Address, ...]] = {}
    for name in ("to", "cc", "delivered-to", "x-original-to", "envelope-to"):
        people = []
        for one in parse(heads.all(name)):
            plain, found = split_token(one.value)
            token = token or (found if plain in own or not own else "")
            if found and plain in own:
                continue
            if canonical(one.value) not in own:
                people.append(one)
        lines[name] = tuple(people)
    if token:
        # Addresses are compared in lower case, a token is not: read it as it was written.
        token = _exact(heads, token)
    return lines["to"], lines["cc"], token


def _exact(heads: Heads, token: str) -> str:
    for name in ("to", "cc", "delivered-to", "x-original-to", "envelope-to"):
        for value in heads.all(name):
            at = value.lower().find(f"+{token.lower()}@")
            if at >= 0:
                return value[at + 1 : at + 1 + len(token)]
    return token


def _first_id(heads: Heads, name: str) -> str:
    match = _MESSAGE_ID.search(heads.value(name))
    return bounded_key(match.group(0)) if match else ""


def _identity(raw: bytes) -> str:
    """Hash a letter without what servers add on its way: the same letter is the same twice."""
    # To split and join is faster than to replace.
    head, _, body = b"\n".join(raw.split(b"\r\n")).partition(b"\n\n")
    kept = []
    skipping = False
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if not skipping:
                kept.append(line)
            continue
        name = line.partition(b":")[0].strip()
        skipping = bool(_TRACE.match(name))
        if not skipping:
            kept.append(line)
    return hashlib.sha256(b"\n".join(kept) + b"\n\n" + body.rstrip()).hexdigest()


def _profile(heads: Heads, sender: Address) -> dict[str, str]:
    replies = parse(heads.all("reply-to"))
    if replies and replies[0].value != sender.value:
        return {"reply_to": replies[0].value}
    return {}


def _kept(heads: Heads) -> dict[str, str]:
    found = {}
    for name in (
        "message-id",
        "list-id",
        "auto-submitted",
        "return-path",
        "precedence",
        "x-mailer",
    ):
        value = heads.value(name)
        if value:
            found[name] = value[:400]
    return found


# -- parts ---------------------------------------------------------------------------------


def _walk(part: Message, heads: Heads, content: _Content, depth: int) -> None:
    content.parts += 1
    if content.parts > MAX_PARTS or depth > MAX_DEPTH:
        return
    kind = heads.kind()
    if kind.startswith("multipart/") and part.is_multipart():
        payload = part.get_payload()
        for one in payload if isinstance(payload, list) else ():
            if isinstance(one, Message):
                _walk(one, Heads(one), content, depth + 1)
        return
    if kind.startswith("message/") and part.is_multipart():
        _attached_letter(part, content, kind)
        return
    body = _bytes(part)
    name = safe_name(heads.file_name())
    disposition = heads.raw("content-disposition").strip().lower()
    attached = disposition.startswith("attachment") or bool(name)
    if kind == "text/plain" and not attached:
        content.texts.append(decode(body, heads.charset()).replace("\x00", ""))
    elif kind == "text/html" and not attached:
        content.htmls.append(decode(body, _html_charset(heads, body)).replace("\x00", ""))
    elif body or name:
        content.files.append(
            Attachment(
                name=name or _default_name(kind),
                media_type=kind,
                size=len(body),
                content=body,
                content_id=heads.value("content-id").strip("<> ")
                if not disposition.startswith("attachment")
                else "",
            )
        )


def _bytes(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    text = part.get_payload()
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def _html_charset(heads: Heads, body: bytes) -> str:
    declared = heads.charset()
    if declared:
        return declared
    match = re.search(rb"(?i)<meta[^>]{0,200}charset=[\"']?([\w-]+)", body[:4000])
    return match.group(1).decode("ascii", "ignore") if match else ""


def safe_name(name: str) -> str:
    """Give a file name without path, control characters and tricks of direction."""
    if not name:
        return ""
    name = unquote(name) if "%" in name and "/" not in name else name
    name = name.replace("\\", "/").split("/")[-1]
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069<>:\"|?*]", "_", name).strip(". ")
    return name[:180]


def _default_name(kind: str) -> str:
    ending = {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/gif": "gif",
        "application/pdf": "pdf",
        "text/calendar": "ics",
        "text/plain": "txt",
        "text/html": "html",
        "application/ms-tnef": "dat",
    }.get(kind, "bin")
    return f"{kind.split('/')[0]}.{ending}"


def _attached_letter(part: Message, content: _Content, kind: str) -> None:
    payload = part.get_payload()
    if kind == "message/delivery-status":
        blocks = payload if isinstance(payload, list) else []
        body = b"\n".join(_written(one) for one in blocks if isinstance(one, Message))
        content.files.append(
            Attachment(
                name="delivery-status.txt", media_type="text/plain", size=len(body), content=body
            )
        )
        return
    inner = payload[0] if isinstance(payload, list) and payload else None
    if isinstance(inner, Message):
        letter = _written(inner)
        subject = safe_name(header(inner.get("subject"))) or "letter"
        content.files.append(
            Attachment(
                name=f"{subject[:100]}.eml",
                media_type="message/rfc822",
                size=len(letter),
                content=letter,
            )
        )


def _written(message: Message) -> bytes:
    """Give a letter's bytes; one that cannot be written again is kept as text."""
    try:
        return message.as_bytes()
    except Exception:  # noqa: BLE001 - the library stumbles over what it has read itself
        lines = [f"{name}: {value}" for name, value in message.raw_items()]
        return "\n".join([*lines, "", str(message.get_payload())]).encode("utf-8", "replace")


def _uuencoded(text: str) -> tuple[str, list[Attachment]]:
    """Take old uuencoded files out of a text."""
    if "begin " not in text:
        return text, []
    files = []
    for match in _UUENCODED.finditer(text):
        content = bytearray()
        for line in match["body"].splitlines():
            try:
                content += binascii.a2b_uu(line)
            except binascii.Error:
                break
        files.append(
            Attachment(name=safe_name(match["name"]), size=len(content), content=bytes(content))
        )
    return _UUENCODED.sub("", text), files
