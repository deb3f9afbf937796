"""MAX keeps the contract of a channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from channels.max_messenger.channel import MaxChannel
from hub import WebhookRequest
from hub.testing import FILE, WAIT, ChannelContract, Reply, Request

VERA = {"user_id": 1001, "first_name": "Vera", "is_bot": False}
BOT = {"user_id": 900, "first_name": "Shop", "username": "shop_bot", "is_bot": True}
SECRET = "a-secret-that-max-repeats"


class TestMax(ChannelContract):
    """One bot."""

    channel = MaxChannel
    kinds = ("max", "max_group")
    proof = ("x-max-bot-api-secret",)
    signs_body = False
    signing_fields = ("webhook_secret",)
    longest_text = 4000
    exempt: ClassVar[dict[str, str]] = {}

    def settings(self, url: str) -> Mapping[str, object]:
        return {
            "token": "f9LHodD0cOJ5contracttoken",
            "api_url": url,
            "receive": "polling",
            "webhook_secret": SECRET,
        }

    def accepted(self, request: Request) -> Reply:
        match request.method, request.path.strip("/").split("/")[0]:
            case "GET", "me":
                return Reply(BOT)
            case "GET", "subscriptions":
                return Reply({"subscriptions": []})
            case "GET", "updates":
                after = int(request.query.get("marker", 0))
                waiting = [json.loads(one) for one in self.far.waiting]
                if len(waiting) <= after:
                    return WAIT
                return Reply({"updates": waiting[after:], "marker": len(waiting)})
            case "GET", _:
                return Reply(FILE)
            case "POST", "uploads":
                return Reply({"url": f"{self.far.url}/upload/1", "token": "t1"})
            case "POST", "upload":
                return Reply({"fileId": 1, "token": "t1"})
            case "POST", "messages":
                return Reply({"message": self._message(100 + len(self.far.requests), BOT)})
        return Reply({"success": True})

    def _message(self, number: int, sender: Any, text: str = "", **body: Any) -> dict[str, Any]:
        return {
            "sender": sender,
            "recipient": {"chat_id": 71001, "chat_type": "dialog", "user_id": 900},
            "timestamp": 1_780_000_000_000 + number,
            "body": {"mid": f"mid.{number:04d}", "seq": number, "text": text, **body},
        }

    def refused(self, request: Request) -> Reply:
        return Reply({"code": "chat.denied", "message": "error.dialog.suspended"}, 403)

    def overloaded(self, request: Request) -> Reply:
        body = {"code": "too.many.requests", "message": "slow down"}
        return Reply(body, 429, headers={"retry-after": "7"})

    def is_send(self, request: Request) -> bool:
        return request.path.startswith("/messages")

    def message(self, text: str, number: int = 1) -> bytes:
        return self._update("message_created", number, message=self._message(number, VERA, text))

    def _update(self, kind: str, number: int, **more: Any) -> bytes:
        update = {"update_type": kind, "timestamp": 1_780_000_000_000 + number, **more}
        return json.dumps(update, ensure_ascii=False).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        return self.request(body, {"x-max-bot-api-secret": SECRET})

    def samples(self) -> Mapping[str, bytes]:
        keys = {"buttons": [[{"type": "callback", "text": "Yes", "payload": "y"}]]}
        asked = self._message(
            40, BOT, "Shall we?", attachments=[{"type": "inline_keyboard", "payload": keys}]
        )
        pressed = {
            "callback_id": "c1",
            "payload": "y",
            "user": VERA,
            "timestamp": 1_780_000_000_000,
        }
        group = self._message(21, VERA, "Roof")
        group["recipient"] = {"chat_id": -77, "chat_type": "chat"}
        return {
            "a group": self._update("message_created", 21, message=group),
            "an edit": self._update("message_edited", 22, message=self._message(1, VERA, "new")),
            "a take-back": self._update("message_removed", 23, message_id="mid.0001"),
            "a button": self._update("message_callback", 24, callback=pressed, message=asked),
            "a start": self._update("bot_started", 25, chat_id=71001, user=VERA),
            "a stop": self._update("bot_stopped", 26, chat_id=71001, user=VERA),
        }

    def echo(self, external_id: str) -> Iterable[bytes]:
        message = self._message(30, BOT, "ours")
        message["body"]["mid"] = external_id
        yield self._update("message_created", 30, message=message)

    def unknown(self) -> bytes:
        odd = [{"type": "hologram", "payload": {"x": 1}}]
        return self._update("message_created", 31, message=self._message(31, VERA, attachments=odd))

    def with_file(self, content: bytes) -> bytes:
        payload = {"url": f"{self.far.url}/file/t1", "token": "t1"}
        file = {"type": "file", "payload": payload, "filename": "a.png", "size": len(content)}
        return self._update(
            "message_created", 32, message=self._message(32, VERA, attachments=[file])
        )
