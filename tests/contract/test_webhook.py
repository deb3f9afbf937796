"""The generic webhook keeps the contract of a channel."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from channels.webhook import WebhookChannel
from hub import DeliveryStatus, WebhookRequest, new_webhook_secret, sign_webhook
from hub.testing import ChannelContract, Reply, Request

SECRET = new_webhook_secret()
VERA = {"address": "vera", "name": "Vera"}


def event(kind: str, **data: Any) -> bytes:
    """An event as the other side posts it."""
    return json.dumps({"type": kind, "data": data}, ensure_ascii=False).encode()


class TestWebhook(ChannelContract):
    """One system on the other side."""

    channel = WebhookChannel
    recipient = "vera"
    proof = ("webhook-id", "webhook-timestamp", "webhook-signature")
    signing_fields = ("secret",)
    expires_after = timedelta(minutes=5)
    exempt: ClassVar[dict[str, str]] = {
        "echo": "the other side posts what people write; our own words have no event there",
    }

    def settings(self, url: str) -> Mapping[str, object]:
        return {"url": f"{url}/answers", "secret": SECRET}

    def rotated_settings(self, url: str) -> Mapping[str, object]:
        return {
            "url": f"{url}/answers",
            "secret": new_webhook_secret(),
            "previous_secret": SECRET,
        }

    def accepted(self, request: Request) -> Reply:
        return Reply({"id": f"far-{request.headers.get('webhook-id', '')}"})

    def refused(self, request: Request) -> Reply:
        return Reply({"error": "no such person", "reason": "invalid_address"}, 422)

    def overloaded(self, request: Request) -> Reply:
        return Reply({}, 429, {"retry-after": "7"})

    def message(self, text: str, number: int = 1) -> bytes:
        return event("message.received", id=f"m{number}", text=text, **{"from": VERA})

    def sign(self, body: bytes) -> WebhookRequest:
        at = self.now // 1_000_000
        try:
            data = json.loads(body)["data"]
            key = f"event-{data['id']}-{data.get('status', '')}"
            key.encode("ascii")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            key = "event"
        return self.request(
            body,
            {
                "webhook-id": key,
                "webhook-timestamp": str(at),
                "webhook-signature": sign_webhook(SECRET, key, at, body),
            },
        )

    def samples(self) -> Mapping[str, bytes]:
        return {
            "an edit": event("message.edited", id="m1", text="new"),
            "a deletion": event("message.deleted", id="m1"),
            "a reaction": event("reaction.changed", id="m1", emoji="👍", **{"from": VERA}),
            "a button": event(
                "button.pressed", id="m1", payload="y", label="Yes", **{"from": VERA}
            ),
            "a call": event("call.changed", id="c1", state="missed", **{"from": VERA}),
            "typing": event("presence.changed", **{"from": VERA}),
            "a block": event("contact.changed", change="blocked", **{"from": VERA}),
            "a payment": event(
                "event.happened", name="payment", amount="10.50", phone="+79123456789"
            ),
        }

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        return event("delivery.changed", id=external_id, status=status.value)

    def unknown(self) -> bytes:
        return event("sticker.thrown", id="s1", **{"from": VERA})

    def with_file(self, content: bytes) -> bytes:
        file = {
            "name": "a.png",
            "media_type": "image/png",
            "content": base64.b64encode(content).decode(),
        }
        return event("message.received", id="m9", attachments=[file], **{"from": VERA})

    def wire_text(self, request: Request) -> str:
        return str(request.json()["data"]["text"])
