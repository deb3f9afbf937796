"""Web chat keeps the contract of a channel: its far side is the visitor's browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from pydantic import SecretStr

from hub import AccountId, DeliveryStatus, WebhookRequest
from hub.testing import ChannelContract, Request, Scene
from hub.testing.far_side import FarSide
from plugins.web_chat.channel import WebChatChannel
from plugins.web_chat.settings import MAX_TEXT, WebChatSettings
from plugins.web_chat.streams import STREAMS
from plugins.web_chat.visitors import Visitor, make_token

KEY = "the-key-of-visitors"
VERA = Visitor(id="v" + "a1" * 16, name="Vera", email="vera@example.org")
TOKEN = make_token(WebChatSettings(visitor_key=SecretStr(KEY)), VERA)
BOUNDARY = "a-browser-made-this-up"
NO_VENDOR = "no vendor is called: the visitor's browser takes answers out of the store"


class Browser:
    """The visitor's browser: it is woken, and then asks."""

    url = "http://127.0.0.1:9"

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.waiting: list[bytes] = []

    def play(self, scene: Scene) -> None:
        """It has only one scene."""

    def deliver(self, body: bytes) -> None:
        """It posts; nothing waits."""

    def close(self) -> None:
        """It forgets nothing."""

    def woken(self, account: AccountId, visitor: str, kind: str, value: str = "") -> None:
        """The stream says that something is new."""
        self.requests.append(
            Request(method="STREAM", path=f"/{visitor}/{kind}", query={}, headers={}, body=b"")
        )


class TestWebChat(ChannelContract):
    """The chat of one site."""

    channel = WebChatChannel
    recipient = VERA.id
    signing_fields = ("visitor_key",)
    longest_text = MAX_TEXT
    exempt: ClassVar[dict[str, str]] = {
        "refused": NO_VENDOR,
        "overloaded": NO_VENDOR,
        "transport": NO_VENDOR,
        "idempotency": f"{NO_VENDOR}; a repeat only wakes it again",
        "text out": f"{NO_VENDOR}: tests/wire/web_chat",
        "files out": f"{NO_VENDOR}: tests/wire/web_chat",
        "echo": "a browser posts only what its own visitor wrote",
        "unknown": "a widget of another version is told so (422), and keeps its message",
    }

    @pytest.fixture(autouse=True)
    def _browser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen to what wakes the visitor's browser."""

        def tell(account: AccountId, visitor: str, kind: str, value: str = "") -> None:
            far = getattr(self, "far", None)
            if isinstance(far, Browser):
                far.woken(account, visitor, kind, value)

        monkeypatch.setattr(STREAMS, "tell", tell)

    def far_side(self, *, tls: bool = False) -> FarSide:
        """A browser."""
        return Browser()

    def settings(self, url: str) -> dict[str, object]:
        """Nobody outside is asked."""
        return {"visitor_key": KEY, "identity_secret": "the-site-s-secret"}

    def post(self, kind: str, **more: object) -> bytes:
        """What the widget posts."""
        return json.dumps({"token": TOKEN, "kind": kind, **more}).encode()

    def message(self, text: str, number: int = 1) -> bytes:
        """A visitor's message."""
        return self.post("message", id=f"client-{number}", text=text)

    def sign(self, body: bytes) -> WebhookRequest:
        """The proof is the token inside."""
        kind = "text/plain;charset=UTF-8"
        if body.startswith(b"--"):
            kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.request(body, {"content-type": kind})

    def forged(self, request: WebhookRequest) -> Iterator[tuple[str, WebhookRequest]]:
        """Other tokens."""
        data = json.loads(request.body)
        middle = len(TOKEN) // 2
        for name, token in {
            "without a token": None,
            "with an empty token": "",
            "with a changed token": TOKEN[:middle] + "AAAA" + TOKEN[middle + 4 :],
            "with a changed signature": TOKEN[:-4] + "AAAA",
            "with Cyrillic for a token": "токен.подпись",
        }.items():
            yield name, replace(request, body=json.dumps({**data, "token": token}).encode())

    def samples(self) -> dict[str, bytes]:
        """A visitor who types."""
        return {"typing": self.post("typing", text="Whe")}

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        """The browser says what it showed."""
        if status not in (DeliveryStatus.DELIVERED, DeliveryStatus.READ):
            return None
        return self.post("ack", **{status.value: [external_id.partition(":")[2]]})

    def with_file(self, content: bytes) -> bytes:
        """A form with a file, as browsers write it (RFC 7578)."""
        data = self.message("see").decode()
        return (
            (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"\r\n\r\n{data}\r\n'
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
                "Content-Type: image/png\r\n\r\n"
            ).encode()
            + content
            + f"\r\n--{BOUNDARY}--\r\n".encode()
        )
