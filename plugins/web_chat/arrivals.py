"""What the widget posts, made into arrivals. Pure, and deaf to everything that is not signed.

One JSON object, alone or as the field `data` of a multipart body with files:
`{"token", "kind", ...}`, where kind is `message`, `typing` or `ack`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hub import (
    Arrival,
    Attachment,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MalformedPayload,
    Micros,
    Presence,
    PresenceKind,
    UntrustedRequest,
    WebhookAnswer,
    WebhookRequest,
)
from plugins.web_chat.settings import MAX_FILES, MAX_TEXT, MAX_TOTAL, WebChatSettings
from plugins.web_chat.visitors import Visitor, read_token

MAX_JSON = 64_000
MAX_ACKS = 100
WEEK_MS = 7 * 86_400_000

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MESSAGE_ID = re.compile(r"[1-9][0-9]{0,18}")
_UTM = re.compile(r"utm_[a-z_]{1,30}")


def read_post(
    settings: WebChatSettings, request: WebhookRequest, hub_url: str = ""
) -> list[Arrival] | WebhookAnswer:
    """Give the arrivals of one post, or the answer that tells the widget what was wrong."""
    data, files = _open(request)
    visitor = read_token(settings, data.get("token"), request.received_at)
    if not settings.allows(request.headers.get("origin", ""), hub_url):
        raise UntrustedRequest("this site may not show the chat")
    kind = data.get("kind")
    if kind == "message":
        return _message(settings, request, visitor, data, files)
    if kind == "typing":
        return [Presence(sender=visitor.address(_language(data)), kind=PresenceKind.TYPING)]
    if kind == "ack":
        return _acks(request, visitor, data)
    # A widget of another version: it is told, and there is nothing to keep for later.
    return refusal(422, "unknown_kind")


def refusal(status: int, error: str) -> WebhookAnswer:
    """An answer that the widget understands."""
    body = json.dumps({"error": error}).encode()
    return WebhookAnswer(status=status, body=body, media_type="application/json")


def visitor_of(settings: WebChatSettings, request: WebhookRequest) -> str:
    """The proven visitor of a post, "" where there is none."""
    try:
        data, _ = _open(request)
        return read_token(settings, data.get("token"), request.received_at).id
    except UntrustedRequest:
        return ""


def external_id(visitor: str, message_id: int | str) -> str:
    """The address of a message of ours: it holds the visitor, so nobody acks another's."""
    return f"{visitor}:{message_id}"


def _open(request: WebhookRequest) -> tuple[dict[str, object], tuple[Attachment, ...]]:
    files: tuple[Attachment, ...] = ()
    text: str | bytes = request.body
    try:
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            fields, files = request.multipart()
            text = fields.get("data", "")
        data = json.loads(text) if len(text) <= MAX_JSON else None
    except (MalformedPayload, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        # Anybody can post noise here: it is refused, and never fills the quarantine.
        raise UntrustedRequest("the request carries no visitor of ours")
    return data, files


def _message(
    settings: WebChatSettings,
    request: WebhookRequest,
    visitor: Visitor,
    data: Mapping[str, object],
    files: tuple[Attachment, ...],
) -> list[Arrival] | WebhookAnswer:
    if settings.consent_text and not visitor.consent_at:
        return refusal(422, "consent")
    client_id = data.get("id")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        return refusal(422, "bad_id")
    text = _string(data.get("text"), MAX_TEXT + 1).strip()
    if len(text) > MAX_TEXT:
        return refusal(422, "too_long")
    if not text and not files:
        return refusal(422, "empty")
    if files and not settings.files:
        return refusal(422, "no_files")
    if len(files) > MAX_FILES:
        return refusal(422, "too_many_files")
    sizes = [one.size for one in files]
    if sum(sizes) > MAX_TOTAL or any(one > settings.max_file_bytes for one in sizes):
        return refusal(413, "too_large")
    language = _language(data)
    key = f"{visitor.id}:{client_id}"
    return [
        InboundMessage(
            dedupe_key=key,
            external_id=key,
            sender=visitor.address(language),
            text=text,
            attachments=files,
            sent_at=_written_at(data.get("at"), request.received_at),
            language=language,
            profile=_profile(settings, request, visitor, data),
        )
    ]


def _acks(
    request: WebhookRequest, visitor: Visitor, data: Mapping[str, object]
) -> list[Arrival] | WebhookAnswer:
    arrivals: list[Arrival] = []
    for word, status in (("delivered", DeliveryStatus.DELIVERED), ("read", DeliveryStatus.READ)):
        ids = data.get(word, [])
        if not isinstance(ids, list) or len(ids) > MAX_ACKS:
            return refusal(422, "bad_ack")
        for one in ids:
            if not isinstance(one, str) or not _MESSAGE_ID.fullmatch(one):
                return refusal(422, "bad_ack")
            key = external_id(visitor.id, one)
            arrivals.append(
                DeliveryReceipt(
                    dedupe_key=f"ack:{word}:{key}",
                    external_id=key,
                    status=status,
                    at=request.received_at,
                )
            )
    return arrivals


def _profile(
    settings: WebChatSettings,
    request: WebhookRequest,
    visitor: Visitor,
    data: Mapping[str, object],
) -> dict[str, str]:
    """Where the visitor is and who he says he is: what the agent sees beside the message."""
    page = data.get("page")
    page = page if isinstance(page, dict) else {}
    profile = {
        "page": _link(page.get("url")),
        "page_title": _string(page.get("title"), 200),
        "referrer": _link(page.get("referrer")),
        "landing_page": _link(page.get("landing")),
        "browser": _string(request.headers.get("user-agent"), 300),
        "name": visitor.name,
        "email": visitor.email,
        "user_id": visitor.user_id,
        "verified": "yes" if visitor.verified_at else "",
    }
    utm = page.get("utm")
    for name, value in list(utm.items())[:10] if isinstance(utm, dict) else []:
        if _UTM.fullmatch(name):
            profile[name] = _string(value, 200)
    if visitor.consent_at and settings.consent_text:
        given = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=visitor.consent_at)
        profile["consent"] = f"{given:%Y-%m-%dT%H:%M:%SZ} {settings.consent_text}"[:2_100]
        profile["consent_link"] = settings.consent_link
    return {name: value for name, value in profile.items() if value}


def _language(data: Mapping[str, object]) -> str:
    return "ru" if data.get("language") == "ru" else "en"


def _string(value: object, limit: int) -> str:
    """A string without nul bytes and unpaired surrogates (JSON allows them, databases do not)."""
    if not isinstance(value, str):
        return ""
    clean = value[:limit].replace("\x00", "")
    return clean.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _link(value: object) -> str:
    """An address an agent may click: the web's own schemes only."""
    link = _string(value, 2_000).strip()
    return link if re.match(r"https?://[^\s<>\"]+$", link) else ""


def _written_at(at: object, now: Micros) -> Micros:
    """When the visitor pressed Enter, in milliseconds of our clock, which the widget was told.

    Browsers' clocks are often wrong, so what lies in the future or too far back is cut.
    """
    if isinstance(at, bool) or not isinstance(at, int | float) or at != at:
        return now
    return Micros(int(min(max(now / 1000 - WEEK_MS, at), now / 1000) * 1000))
