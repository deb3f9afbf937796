"""The calls channel keeps the contract of a channel: it only takes in, from Twilio alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

from channels.calls.channel import CallsChannel
from hub import WebhookRequest
from hub.testing import ChannelContract, Reply, Request

SID = "AC" + "0" * 32
TOKEN = "an-auth-token-of-this-test"
OLD = "the-auth-token-before-it"
CALL = {"AccountSid": SID, "From": "+79215550142", "To": "+15550001111", "Direction": "inbound"}


class TestCalls(ChannelContract):
    """Status callbacks of Twilio Voice."""

    channel = CallsChannel
    proof = ("x-twilio-signature",)
    signing_fields = ("auth_token",)
    exempt: ClassVar[dict[str, str]] = {
        "text in": "a call has no text",
        "unknown": "a state that nobody knows is no message: its callback is quarantined",
        "inbound": "a call is no message: tests/wire/calls shows its entry",
    }

    def settings(self, url: str) -> Mapping[str, object]:
        """An account at the stand-in."""
        return {"account_sid": SID, "auth_token": TOKEN, "api_url": url}

    def rotated_settings(self, url: str) -> Mapping[str, object]:
        """The account while its token is being changed."""
        new = {"auth_token": "a-new-auth-token", "previous_token": TOKEN}
        return {**self.settings(url), **new}

    def accepted(self, request: Request) -> Reply:
        """The account is alive."""
        return Reply({"sid": SID, "status": "active"})

    def message(self, text: str, number: int = 1) -> bytes:
        """A call that rings."""
        return urlencode({**CALL, "CallSid": f"CA{number}", "CallStatus": "ringing"}).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        """As Twilio signs."""
        fields = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        signature = RequestValidator(TOKEN).compute_signature(self.hook_url, fields)
        return self.request(body, {"x-twilio-signature": signature})

    def unknown(self) -> bytes:
        """A state that nobody knows."""
        return urlencode({**CALL, "CallSid": "CA7", "CallStatus": "levitating"}).encode()

    def samples(self) -> Mapping[str, bytes]:
        """Missed, recorded, hidden."""
        recorded = {"RecordingSid": "RE1", "RecordingUrl": "https://api.example/RE1"}
        return {
            "missed": urlencode({**CALL, "CallSid": "CA2", "CallStatus": "no-answer"}).encode(),
            "recorded": urlencode({**CALL, "CallSid": "CA3", **recorded}).encode(),
            "hidden": urlencode(
                {**CALL, "CallSid": "CA4", "CallStatus": "ringing", "From": "anonymous"}
            ).encode(),
        }
