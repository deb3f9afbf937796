"""An answer to a letter's bytes: assembled by hand, because it is on the hot path.

Every header value is cleaned of line breaks, so nothing a customer wrote can add a header.
The Message-ID is made from our own delivery's key: the same on every attempt, so a reader
folds copies, and it is what answers and reports name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from email.utils import formatdate
from urllib.parse import quote

from channels.email.addresses import ascii_domain, with_token
from channels.email.mime import TOKEN_HEADER, safe_name
from hub import Address, Attachment, OutboundMessage, formatted

CRLF = "\r\n"
MAX_REFERENCES = 20
_REPLY = re.compile(r"(?i)^\s*(re|ответ|отв|aw|sv|antw)\s*(\[\d+\])?\s*:")
_UNSAFE = re.compile(r"[\r\n\x00]+")


def message_id(message: OutboundMessage, sender: str) -> str:
    """Give the letter's Message-ID; stable over attempts (RFC 5322 section 3.6.4)."""
    digest = hashlib.sha256(f"{message.account_id}:{message.idempotency_key}".encode())
    domain = sender.rpartition("@")[2] or "localhost"
    return f"<hub.{digest.hexdigest()[:32]}@{ascii_domain(domain)}>"


def build(
    message: OutboundMessage, *, sender: str, sender_name: str, plus_token: bool, at: float
) -> bytes:
    """Give the whole letter."""
    lines = [
        f"From: {mailbox(Address(kind='email', value=sender, name=sender_name))}",
        f"To: {mailbox(message.to)}",
    ]
    if message.cc:
        lines.append("Cc: " + f",{CRLF} ".join(mailbox(one) for one in message.cc))
    answers = bool(message.in_reply_to)
    lines += [
        f"Subject: {encoded(subject_of(message.subject, answers=answers))}",
        f"Date: {formatdate(at, usegmt=True)}",
        f"Message-ID: {message_id(message, sender)}",
        "MIME-Version: 1.0",
    ]
    if answers:
        lines.append(f"In-Reply-To: {_id(message.in_reply_to)}")
        known = [one for one in message.thread_external_ids if one.startswith("<")]
        chain = [*dict.fromkeys([*known, message.in_reply_to])][-MAX_REFERENCES:]
        lines.append("References: " + f"{CRLF} ".join(_id(one) for one in chain))
    if message.dialog_token:
        token = _id(message.dialog_token)
        if plus_token:
            lines.append(f"Reply-To: {with_token(sender, token)}")
        lines.append(f"{TOKEN_HEADER}: {token}")
    if message.list_id:
        domain = ascii_domain(sender.rpartition("@")[2])
        lines += [f"List-Id: <{_id(message.list_id)}.{domain}>", "Precedence: bulk"]
    if message.unsubscribe_url:
        # One line each (RFC 8058 section 3.1); both stand inside the DKIM signature.
        lines += [
            f"List-Unsubscribe: <{_id(message.unsubscribe_url)}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    if message.automated:
        kind = "auto-replied" if answers else "auto-generated"
        lines += [f"Auto-Submitted: {kind}", "X-Auto-Response-Suppress: All"]
    body = _body(message)
    return (CRLF.join(lines) + CRLF + body).encode("utf-8", "surrogateescape")


def subject_of(subject: str, *, answers: bool) -> str:
    """Give the subject; an answer carries one "Re:", in whatever language it came."""
    subject = _clean(subject)
    if answers and not _REPLY.match(subject):
        return f"Re: {subject}" if subject else "Re:"
    return subject


def _clean(value: str) -> str:
    return _UNSAFE.sub(" ", value).strip()


def _id(value: str) -> str:
    return re.sub(r"[\s\x00]+", "", value)[:400]


def encoded(text: str) -> str:
    """Encode a header's text (RFC 2047), folded."""
    text = _clean(text)
    if text.isascii() and len(text) < 900 and "=?" not in text:
        return text
    words, chunk = [], ""
    for one in text:
        if len((chunk + one).encode()) > 42:
            words.append(chunk)
            chunk = ""
        chunk += one
    words.append(chunk)
    return f"{CRLF} ".join(
        "=?utf-8?B?" + base64.b64encode(word.encode()).decode() + "?=" for word in words if word
    )


def mailbox(address: Address) -> str:
    """Give an address with its name, fit for a header."""
    local, _, domain = _clean(address.value).rpartition("@")
    value = re.sub(r"[<>\s,;]", "", f"{local}@{ascii_domain(domain)}")
    name = _clean(address.name)
    if not name or name == address.value:
        return value
    if name.isascii() and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{value}>'
    return f"{encoded(name)} <{value}>"


def _body(message: OutboundMessage) -> str:
    html = message.html or _formatted(message.text)
    inline = [one for one in message.attachments if one.content_id and html]
    files = [one for one in message.attachments if one not in inline]
    key = hashlib.sha256(f"boundary:{message.idempotency_key}".encode()).hexdigest()[:24]
    part = _text(message.text, "plain")
    if html:
        rich = _text(_document(html), "html")
        if inline:
            rich = _multipart("related", f"r{key}", [rich, *(_file(one) for one in inline)])
        part = _multipart("alternative", f"a{key}", [part, rich])
    if files:
        part = _multipart("mixed", f"m{key}", [part, *(_file(one) for one in files)])
    return part


def _formatted(text: str) -> str:
    """Give a text as HTML where something in it stands out, else ""."""
    words = formatted(text)
    return words.html() if words.spans else ""


def _document(html: str) -> str:
    if "<html" in html[:200].lower():
        return html
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{html}</body></html>'


def _text(text: str, kind: str) -> str:
    normal = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", CRLF)
    lines = normal.split(CRLF)
    if text.isascii() and max(map(len, lines)) < 900:
        return (
            f"Content-Type: text/{kind}; charset=utf-8{CRLF}"
            f"Content-Transfer-Encoding: 7bit{CRLF}{CRLF}{normal}{CRLF}"
        )
    content = _base64(normal.encode("utf-8", "replace"))
    return (
        f"Content-Type: text/{kind}; charset=utf-8{CRLF}"
        f"Content-Transfer-Encoding: base64{CRLF}{CRLF}{content}"
    )


def _base64(content: bytes) -> str:
    """Write bytes in lines of 76 characters (RFC 2045 section 6.8)."""
    whole = base64.b64encode(content).decode()
    return "".join([f"{whole[n : n + 76]}{CRLF}" for n in range(0, len(whole), 76)])


def _multipart(kind: str, boundary: str, parts: Sequence[str]) -> str:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{CRLF}{CRLF}'
    body = "".join(f"--{boundary}{CRLF}{one.rstrip(CRLF)}{CRLF}" for one in parts)
    return f"{head}{body}--{boundary}--{CRLF}"


def _file(file: Attachment) -> str:
    name = safe_name(file.name) or "file"
    kind = file.media_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", file.media_type) else ""
    if not kind or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    # Both forms of the name: RFC 2231 for today's readers, plain ASCII for old ones.
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    disposition = "inline" if file.content_id else "attachment"
    lines = [
        f'Content-Type: {kind}; name="{plain}"',
        "Content-Transfer-Encoding: base64",
        (
            f'Content-Disposition: {disposition}; filename="{plain}";'
            f"{CRLF} filename*=utf-8''{quote(name, safe='')}"
        ),
    ]
    if file.content_id:
        lines.append(f"Content-ID: <{_clean(file.content_id)}>")
    content = _base64(file.content or b"")
    return CRLF.join(lines) + CRLF + CRLF + content
