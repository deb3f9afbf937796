"""The generic channel: signed JSON both ways, after the Standard Webhooks specification.

The other system posts what customers write to the account's webhook address; what agents answer
is posted to the address that the administrator gave. Both sides sign with one secret.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from channels.webhook.reading import KIND, Misread, read
from hub import (
    AccountRefused,
    Arrival,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    DeliveryStatus,
    MalformedPayload,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Response,
    Sent,
    TemporaryFailure,
    Unsupported,
    WebhookAnswer,
    WebhookRequest,
    new_webhook_secret,
    sign_webhook,
    webhook_key,
)

MAX_FILE = 15_000_000
"""Bytes; as base64 within one request it still fits below the hub's own limit of a body."""


def _secret() -> SecretStr:
    return SecretStr(new_webhook_secret())


class Settings(BaseModel):
    """Where answers go, and the secret that both sides share."""

    url: str = Field(
        default="",
        title="Address for answers",
        description="Answers are posted there as signed JSON. Empty: this account only takes in.",
        max_length=2000,
    )
    secret: SecretStr = Field(
        default_factory=_secret,
        title="Secret",
        description="Both sides sign with it: whsec_ and base64. Give the same to the other side.",
    )
    previous_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Previous secret",
        description="Still believed while the other side is being changed over.",
    )

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        value = value.strip()
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("this is not a web address")
        return value

    @field_validator("secret", "previous_secret")
    @classmethod
    def _is_secret(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value().strip()
        if given and len(webhook_key(given)) < 16:
            raise ValueError("a secret has at least 16 bytes")
        return SecretStr(given)


class WebhookChannel(Channel):
    """One system on the other side."""

    name = "webhook"
    title = "Webhook"
    icon = "webhook"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        max_text=20_000,
        max_attachment_bytes=MAX_FILE,
        receipts="read",
        initiates=True,
        replies=True,
        buttons=10,
        rate_per_second=50.0,
        connections=8,
    )
    Settings = Settings
    needs = ("A system that can post JSON, and an address of it for answers",)

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(Settings, settings)

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Verify and read one event; a signed one that is wrong is answered with what is wrong."""
        key = request.verify_webhook(
            (self._own.secret.get_secret_value(), self._own.previous_secret.get_secret_value())
        )
        try:
            return read(request.json(), key, request.received_at, request.body)
        except (Misread, MalformedPayload) as error:
            words = json.dumps({"error": str(error)}, ensure_ascii=False).encode()
            return WebhookAnswer(status=422, body=words, media_type="application/json")

    async def check(self) -> list[Check]:
        """Post a `ping` and see whether the other side takes it."""
        if not self._own.url:
            return [Check(name="answers", ok=True, text="takes in only: no address for answers")]
        try:
            await self._post("ping", "ping", {})
        except (TemporaryFailure, PermanentFailure, Unsupported) as error:
            return [Check(name="answers", ok=False, text=str(error))]
        return [Check(name="answers", ok=True, text="the other side answers")]

    async def send(self, message: OutboundMessage) -> Sent:
        """Post a message; the answer may name it (`id`) and say more than sent (`status`)."""
        if not self._own.url:
            raise PermanentFailure(
                RejectReason.OTHER, "this account has no address for answers: it only takes in"
            )
        answer = await self._post("message.send", message.idempotency_key, _outgoing(message))
        given = _answered(answer)
        if answer.content and not given and answer.content.strip() != b"{}":
            # A page of somebody between us says nothing of the message.
            raise OutcomeUnknown("the other side's answer is neither empty nor a JSON object")
        status = str(given.get("status", ""))
        known = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ)
        return Sent(
            external_ids=(str(given.get("id") or message.idempotency_key),),
            status=DeliveryStatus(status) if status in known else DeliveryStatus.SENT,
        )

    async def fetch(self, reference: str) -> bytes:
        """Get a file from the other side; only from the host that answers go to."""
        host, own = urlsplit(reference).netloc, urlsplit(self._own.url).netloc
        if not own or host != own:
            raise PermanentFailure(
                RejectReason.OTHER, f"files are fetched from {own or 'nowhere'}, not from {host}"
            )
        key = f"file:{reference}"
        answer = await self.context.http.request("GET", reference, headers=self._signed(key, b""))
        if answer.status_code != 200:
            raise _failure(answer)
        if len(answer.content) > MAX_FILE:
            raise PermanentFailure(RejectReason.TOO_LARGE, "the file is too large")
        return answer.content

    async def _post(self, kind: str, key: str, data: Mapping[str, object]) -> Response:
        now = datetime.fromtimestamp(self.context.now() / 1_000_000, UTC)
        event = {"type": kind, "timestamp": now.isoformat(), "data": data}
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **self._signed(key, body)}
        answer = await self.context.http.request(
            "POST", self._own.url, headers=headers, content=body
        )
        if not 200 <= answer.status_code < 300:
            raise _failure(answer)
        return answer

    def _signed(self, key: str, body: bytes) -> dict[str, str]:
        timestamp = self.context.now() // 1_000_000
        secret = self._own.secret.get_secret_value()
        return {
            "webhook-id": key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign_webhook(secret, key, timestamp, body),
        }


def _outgoing(message: OutboundMessage) -> dict[str, object]:
    return {
        "id": message.idempotency_key,
        "dialog_id": str(message.dialog_id),
        "to": {"address": message.to.value, "name": message.to.name},
        "text": message.text,
        "in_reply_to": message.in_reply_to,
        "sender_name": message.sender_name,
        "automated": message.automated,
        "buttons": [
            {"label": one.label, "payload": one.payload, "url": one.url} for one in message.buttons
        ],
        "attachments": [
            {
                "name": one.name,
                "media_type": one.media_type,
                "size": one.size,
                "content": base64.b64encode(one.content or b"").decode(),
            }
            for one in message.attachments
        ],
    }


def _answered(answer: Response) -> Mapping[str, object]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _failure(answer: Response) -> Exception:
    """What an answer that is no success means; the words are the other side's `error`."""
    given = _answered(answer)
    text = str(given.get("error", ""))[:500] or f"the other side answered {answer.status_code}"
    status = answer.status_code
    if status in (401, 403, 404, 405, 410) or 300 <= status < 400:
        return AccountRefused(text)
    if status == 501:
        return Unsupported("this", text)
    if status in (408, 425, 429) or status >= 500:
        after = answer.headers.get("retry-after", "")
        pause = timedelta(seconds=min(int(after), 86_400)) if after.isdecimal() else None
        return TemporaryFailure(text, retry_after=pause)
    reason = str(given.get("reason", ""))
    known = reason in set(RejectReason)
    return PermanentFailure(RejectReason(reason) if known else RejectReason.OTHER, text)
