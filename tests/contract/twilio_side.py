"""What Twilio answers and brings in the contract tests of the channels that it carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

from hub import Attachment, Channel, DeliveryStatus, WebhookRequest
from hub.testing import FILE, ChannelContract, Reply, Request

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "the-token-of-the-shop-0"
NUMBER, PERSON = "+15557654321", "+15550001111"
MEDIA = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1"
STATES = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.READ: "read",
    DeliveryStatus.FAILED: "undelivered",
}


def error(code: int, words: str, status: int, **headers: str) -> Reply:
    """A refusal in Twilio's form."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": words, "more_info": more, "status": status}
    return Reply(body, status, headers)


class TwilioSide(ChannelContract):
    """One number at Twilio; the channels' tests say how it writes its people."""

    recipient = PERSON
    proof = ("x-twilio-signature",)
    signing_fields = ("auth_token",)
    prefix = ""
    shared: dict[str, bytes]

    def settings(self, url: str) -> Mapping[str, object]:
        return {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER, "api_url": url}

    def rotated_settings(self, url: str) -> Mapping[str, object]:
        return {**self.settings(url), "auth_token": "a-new-token", "previous_token": TOKEN}

    def build(
        self, url: str, http: Any = None, changes: Mapping[str, object] | None = None
    ) -> Channel:
        channel = super().build(url, http, changes)
        self.shared = {}
        channel.context = replace(channel.context, share=self._share)
        return channel

    def _share(self, file: Attachment) -> str:
        address = f"https://hub.example/shared/{len(self.shared)}"
        self.shared[address] = file.content or b""
        return address

    def carried(self, content: bytes) -> bool:
        # Twilio is given the file's address and fetches it there.
        return any(self.shared.get(one.form().get("MediaUrl", "")) == content for one in self.sent)

    @property
    def sent(self) -> list[Request]:
        """The messages that were handed over."""
        return [one for one in self.far.requests if self.is_send(one)]

    def is_send(self, request: Request) -> bool:
        return request.method == "POST" and request.path.endswith("/Messages.json")

    def accepted(self, request: Request) -> Reply:
        if self.is_send(request):
            sid = f"SM{len(self.far.requests):032x}"
            return Reply({"sid": sid, "status": "queued", "error_code": None}, 201)
        if request.path == MEDIA:
            return Reply(b"", 307, {"Location": f"{self.far.url}/store/1"})
        if request.path == "/store/1":
            return Reply(FILE)
        if request.path == "/v1/ContentAndApprovals":
            place = "https://content.twilio.com/v1/ContentAndApprovals?PageSize=100&Page=0"
            page = {"key": "contents", "page": 0, "page_size": 100, "url": place}
            none = {"next_page_url": None, "previous_page_url": None, "first_page_url": place}
            return Reply({"contents": [], "meta": {**page, **none}})
        if request.path == "/v1/Content":
            return Reply({"sid": f"HX{len(self.far.requests):032x}"}, 201)
        return Reply({"sid": ACCOUNT, "status": "active", "balance": "1", "currency": "USD"})

    def refused(self, request: Request) -> Reply:
        return error(21211, "The 'To' number is not a valid phone number.", 400)

    def overloaded(self, request: Request) -> Reply:
        return error(20429, "Too Many Requests", 429, **{"Retry-After": "7"})

    def wire_text(self, request: Request) -> str:
        return request.form().get("Body", "")

    def fields(self, number: int, **more: str) -> bytes:
        """The form in which a message comes."""
        head = {"AccountSid": ACCOUNT, "MessageSid": f"SM{number:032x}", "NumMedia": "0"}
        people = {"From": f"{self.prefix}{PERSON}", "To": f"{self.prefix}{NUMBER}"}
        return urlencode({**head, **people, "SmsStatus": "received", **more}).encode()

    def message(self, text: str, number: int = 1) -> bytes:
        return self.fields(number, Body=text)

    def with_file(self, content: bytes) -> bytes:
        address = f"https://api.twilio.com{MEDIA}"
        return self.fields(
            9, Body="", NumMedia="1", MediaUrl0=address, MediaContentType0="image/png"
        )

    def unknown(self) -> bytes:
        return self.fields(8, Body="", MessageType="hologram")

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        state = STATES[status]
        fields = {"AccountSid": ACCOUNT, "MessageSid": external_id, "MessageStatus": state}
        if status is DeliveryStatus.FAILED:
            fields["ErrorCode"] = "30003"
        return urlencode({**fields, "SmsStatus": state, "To": f"{self.prefix}{PERSON}"}).encode()

    def echo(self, external_id: str) -> Iterable[bytes]:
        # Twilio tells of our messages by their states only, under way or done.
        for state in ("queued", "sending", "sent", "delivered"):
            fields = {"AccountSid": ACCOUNT, "MessageSid": external_id, "MessageStatus": state}
            yield urlencode({**fields, "Body": "ours", "From": NUMBER}).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        try:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        except ValueError:
            fields = {}
        signature = RequestValidator(TOKEN).compute_signature(self.hook_url, fields)
        return self.request(
            body,
            {
                "x-twilio-signature": signature,
                "content-type": "application/x-www-form-urlencoded",
            },
        )
