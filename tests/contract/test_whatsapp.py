"""WhatsApp keeps the contract of a channel, through Meta's Cloud API and through Twilio."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from channels.whatsapp.cloud import WhatsAppChannel
from channels.whatsapp.twilio import TwilioWhatsAppChannel
from hub import DeliveryStatus, WebhookRequest
from hub.testing import FILE, ChannelContract, Reply, Request
from tests.contract.twilio_side import PERSON, TwilioSide

SECRET = "the-secret-of-the-app-0"
PHONE_ID, ACCOUNT_ID = "106540352242922", "102290129340398"
NUMBER = PERSON.removeprefix("+")
SCOPED = "US.13491208655302741918"
STATES = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.READ: "read",
    DeliveryStatus.FAILED: "failed",
}


def error(code: int, words: str, status: int, **headers: str) -> Reply:
    """A refusal in Meta's form."""
    body = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Reply({"error": body}, status, headers)


class TestWhatsApp(ChannelContract):
    """One number of Meta's."""

    channel = WhatsAppChannel
    recipient = PERSON
    proof = ("x-hub-signature-256",)
    signing_fields = ("app_secret",)
    longest_text = 4_096
    exempt: ClassVar[dict[str, str]] = {}

    def settings(self, url: str) -> Mapping[str, object]:
        return {
            "phone_number_id": PHONE_ID,
            "business_account_id": ACCOUNT_ID,
            "access_token": "EAAGaVeryLongTokenOfMeta",
            "app_secret": SECRET,
            "verify_token": "the-token-of-the-challenge",
            "api_url": url,
        }

    def rotated_settings(self, url: str) -> Mapping[str, object]:
        new = {"app_secret": "another-secret", "previous_app_secret": SECRET}
        return {**self.settings(url), **new}

    def is_send(self, request: Request) -> bool:
        return request.method == "POST" and request.path.endswith("/messages")

    def accepted(self, request: Request) -> Reply:
        if self.is_send(request):
            messages = [{"id": f"wamid.out{len(self.far.requests)}"}]
            return Reply({"messaging_product": "whatsapp", "messages": messages})
        if request.path.endswith("/media") and request.method == "POST":
            return Reply({"id": "900"})
        if request.path == "/store/901":
            return Reply(FILE)
        if request.path.endswith("/901"):
            digest = hashlib.sha256(FILE).hexdigest()
            return Reply({"id": "901", "url": f"{self.far.url}/store/901", "sha256": digest})
        return Reply({"id": PHONE_ID, "data": [], "success": True})

    def refused(self, request: Request) -> Reply:
        return error(131026, "Message undeliverable", 400)

    def overloaded(self, request: Request) -> Reply:
        return error(130429, "Rate limit hit", 429, **{"Retry-After": "7"})

    def wire_text(self, request: Request) -> str:
        return str(request.json().get("text", {}).get("body", ""))

    # -- what Meta brings --------------------------------------------------------------------

    def value(self, field: str = "messages", **more: Any) -> bytes:
        """One event about the number."""
        metadata = {"display_phone_number": "15557654321", "phone_number_id": PHONE_ID}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **more}
        entry = {"id": ACCOUNT_ID, "changes": [{"field": field, "value": value}]}
        payload = {"object": "whatsapp_business_account", "entry": [entry]}
        return json.dumps(payload, ensure_ascii=False).encode()

    def event(self, number: int, kind: str, body: object, **more: Any) -> bytes:
        """One message of a person's."""
        contact = {"profile": {"name": "Vera"}, "wa_id": NUMBER, "user_id": SCOPED}
        at = str(1_780_000_000 + number)
        head = {"from": NUMBER, "id": f"wamid.{number}", "timestamp": at, "type": kind}
        return self.value(contacts=[contact], messages=[{**head, kind: body, **more}])

    def message(self, text: str, number: int = 1) -> bytes:
        return self.event(number, "text", {"body": text})

    def with_file(self, content: bytes) -> bytes:
        return self.event(40, "image", {"id": "901", "mime_type": "image/png", "caption": "See"})

    def samples(self) -> Mapping[str, bytes]:
        context = {"from": "15557654321", "id": "wamid.ours"}
        pressed = {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}
        chosen = {"type": "list_reply", "list_reply": {"id": "c1", "title": "Cake"}}
        new: dict[str, Any] = {"type": "text", "text": {"body": "tomorrow"}}
        card = {"name": {"formatted_name": "Boris"}, "phones": [{"phone": "+79990001122"}]}
        nobody: dict[str, Any] = {
            "from_user_id": SCOPED,
            "id": "wamid.30",
            "timestamp": "1780000030",
        }
        hidden = {**nobody, "type": "text", "text": {"body": "no number"}}
        known = [{"profile": {"name": "Vera"}, "user_id": SCOPED}]
        return {
            "a press": self.event(20, "interactive", pressed, context=context),
            "a choice": self.event(21, "interactive", chosen, context=context),
            "a press of a template": self.event(
                22, "button", {"payload": "y", "text": "Yes"}, context=context
            ),
            "a reaction": self.event(23, "reaction", {"message_id": "wamid.ours", "emoji": "👍"}),
            "an edit": self.event(24, "edit", {"original_message_id": "wamid.1", "message": new}),
            "a deletion": self.event(25, "revoke", {"original_message_id": "wamid.1"}),
            "a place": self.event(26, "location", {"latitude": 55.75, "longitude": 37.61}),
            "a card": self.event(27, "contacts", [card]),
            "a moved number": self.event(
                28, "system", {"body": "Vera moved", "wa_id": "15550002222", "type": "x"}
            ),
            "a voice": self.event(29, "audio", {"id": "902", "mime_type": "audio/ogg"}),
            "a person without a number": self.value(contacts=known, messages=[hidden]),
        }

    def unknown(self) -> bytes:
        return self.event(41, "hologram", {"shape": "cat"})

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        state = STATES[status]
        told: dict[str, Any] = {"id": external_id, "status": state, "timestamp": "1780000050"}
        if status is DeliveryStatus.FAILED:
            told["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
        return self.value(statuses=[{**told, "recipient_id": NUMBER}])

    def echo(self, external_id: str) -> Iterable[bytes]:
        # Meta tells of our messages by their states, and of those typed on the phone itself
        # under a field of its own.
        ours: dict[str, Any] = {
            "from": "15557654321",
            "to": NUMBER,
            "id": external_id,
            "type": "text",
        }
        ours |= {"timestamp": "1780000051", "text": {"body": "ours"}}
        yield self.value(field="smb_message_echoes", message_echoes=[ours])
        yield self.receipt(DeliveryStatus.SENT, external_id) or b""

    def sign(self, body: bytes) -> WebhookRequest:
        made = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={made}", "content-type": "application/json"}
        return self.request(body, headers)


class TestTwilioWhatsApp(TwilioSide):
    """One WhatsApp sender at Twilio."""

    channel = TwilioWhatsAppChannel
    prefix = "whatsapp:"
    longest_text = 1_600
    exempt: ClassVar[dict[str, str]] = {}

    def samples(self) -> Mapping[str, bytes]:
        ours = "SM" + "f" * 32
        return {
            "a press": self.fields(
                20,
                Body="Yes",
                ButtonPayload="y",
                ButtonText="Yes",
                OriginalRepliedMessageSid=ours,
            ),
            "a choice": self.fields(
                21, Body="Cake", ListId="c1", ListTitle="Cake", OriginalRepliedMessageSid=ours
            ),
            "a place": self.fields(
                22, Body="", Latitude="55.75", Longitude="37.61", Label="Red Square"
            ),
            "a person without a number": self.fields(
                23, Body="hi", From=f"whatsapp:{SCOPED}", ExternalUserId=SCOPED
            ),
            "a person with both": self.fields(
                24, Body="hi", WaId=NUMBER, ExternalUserId=SCOPED, ProfileName="Vera"
            ),
        }
