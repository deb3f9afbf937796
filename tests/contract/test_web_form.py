"""The web form keeps the contract of a channel: it only takes in, from anybody."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlencode

from hub import Arrival, Channel, WebhookAnswer, WebhookRequest
from hub.testing import ChannelContract
from plugins.web_form.channel import WebFormChannel

FIELDS = {"name": "Vera", "email": "vera@example.org", "_seconds": "20"}


class TestWebForm(ChannelContract):
    """One form on a site."""

    channel = WebFormChannel
    kinds = ("email", "phone", "web_form")
    longest_text = 15_000
    exempt: ClassVar[dict[str, str]] = {
        "forged": "anybody may send a form; machines are kept out by test_submission.py",
        "unknown": "a form has no kinds: every field is shown",
    }

    def settings(self, url: str) -> dict[str, object]:
        """Nobody outside is asked."""
        return {"title": "Write to us"}

    def message(self, text: str, number: int = 1) -> bytes:
        """What a browser posts."""
        return urlencode({**FIELDS, "_id": f"visit-{number:06}", "message": text}).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        """A browser's post; nothing proves it."""
        return self.request(body, {"content-type": "application/x-www-form-urlencoded"})

    def read(self, channel: Channel, body: bytes) -> list[Arrival] | WebhookAnswer:
        """Through the webhook, as browsers call it."""
        return self.parse(channel, self.sign(body))

    def samples(self) -> dict[str, bytes]:
        """Without an e-mail address, and without anything but the question."""
        return {
            "by telephone": urlencode({"phone": "+7 921 555-01-42", "message": "Call me"}).encode(),
            "by nobody": urlencode({"message": "No answer needed"}).encode(),
        }
