"""Telegram keeps the contract of a channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from channels.telegram import TelegramChannel
from channels.telegram.sending import units
from channels.telegram.settings import TelegramSettings
from hub import WebhookRequest
from hub.testing import FILE, WAIT, ChannelContract, Reply, Request

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
VERA = {"id": 1001, "is_bot": False, "first_name": "Vera"}
CHAT = {"id": 1001, "type": "private", "first_name": "Vera"}
SELF = {"id": 123456, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}


def ok(result: object) -> Reply:
    """An answer of the Bot API."""
    return Reply({"ok": True, "result": result})


class TestTelegram(ChannelContract):
    """One bot."""

    channel = TelegramChannel
    kinds = ("telegram", "telegram_group")
    proof = ("x-telegram-bot-api-secret-token",)
    signs_body = False
    signing_fields = ("token",)
    longest_text = 4096
    exempt: ClassVar[dict[str, str]] = {}

    def settings(self, url: str) -> Mapping[str, object]:
        return {"token": TOKEN, "api_url": url, "receive": "polling"}

    def accepted(self, request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        if request.path.startswith("/file/"):
            return Reply(FILE)
        match name:
            case "getMe":
                return ok(SELF)
            case "getFile":
                return ok({"file_id": "f1", "file_unique_id": "u1", "file_path": "files/f1"})
            case "getUpdates":
                offset = int(request.json().get("offset", 0))
                waiting = [json.loads(one) for one in self.far.waiting]
                fresh = [one for one in waiting if one["update_id"] >= offset]
                return ok(fresh) if fresh else WAIT
            case "sendMediaGroup":
                return ok([self._sent(), self._sent()])
            case _ if name.startswith(("send", "edit")):
                return ok(self._sent())
        return ok(True)

    def _sent(self) -> dict[str, Any]:
        number = 100 + len(self.far.requests)
        return {"message_id": number, "date": self.now // 1_000_000, "chat": CHAT, "from": SELF}

    def refused(self, request: Request) -> Reply:
        words = "Forbidden: bot was blocked by the user"
        return Reply({"ok": False, "error_code": 403, "description": words}, 403)

    def overloaded(self, request: Request) -> Reply:
        words = "Too Many Requests: retry after 7"
        body = {"ok": False, "error_code": 429, "description": words}
        return Reply({**body, "parameters": {"retry_after": 7}}, 429)

    def is_send(self, request: Request) -> bool:
        name = request.path.rpartition("/")[2]
        return name.startswith(("send", "edit", "deleteMessage", "setMessageReaction"))

    def message(self, text: str, number: int = 1) -> bytes:
        return self._update(number, message=self._message(number, text=text))

    def _message(self, number: int, **content: Any) -> dict[str, Any]:
        about = {"message_id": number, "date": 1_780_000_000 + number, "chat": CHAT, "from": VERA}
        return {**about, **content}

    def _update(self, number: int, **what: Any) -> bytes:
        return json.dumps({"update_id": 5000 + number, **what}, ensure_ascii=False).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        own = TelegramSettings.model_validate(dict(self.settings("http://127.0.0.1:9")))
        return self.request(body, {"x-telegram-bot-api-secret-token": own.webhook_secret})

    def samples(self) -> Mapping[str, bytes]:
        photo = {"file_id": "f1", "file_unique_id": "u1", "width": 9, "height": 9}
        group = {"id": -1001, "type": "supergroup", "title": "Builders"}
        asked = {**self._message(40, text="Shall we?"), "from": SELF}
        keys = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
        reacted = {"chat": CHAT, "message_id": 40, "user": VERA, "date": 1_780_000_000}
        member = {"user": SELF, "status": "kicked", "until_date": 0}
        return {
            "a photo": self._update(20, message=self._message(20, photo=[photo], caption="See")),
            "a group": self._update(21, message={**self._message(21, text="Roof"), "chat": group}),
            "an edit": self._update(
                22, edited_message={**self._message(1, text="new"), "edit_date": 1_780_000_009}
            ),
            "a button": self._update(
                23,
                callback_query={
                    "id": "q1",
                    "from": VERA,
                    "chat_instance": "1",
                    "data": "y",
                    "message": {**asked, "reply_markup": keys},
                },
            ),
            "a reaction": self._update(
                24,
                message_reaction={
                    **reacted,
                    "old_reaction": [],
                    "new_reaction": [{"type": "emoji", "emoji": "👍"}],
                },
            ),
            "a block": self._update(
                25,
                my_chat_member={
                    "chat": CHAT,
                    "from": VERA,
                    "date": 1_780_000_000,
                    "old_chat_member": {"user": SELF, "status": "member"},
                    "new_chat_member": member,
                },
            ),
        }

    def echo(self, external_id: str) -> Iterable[bytes]:
        number = int(external_id.rpartition(":")[2])
        yield self._update(30, message={**self._message(number, text="ours"), "from": SELF})

    def unknown(self) -> bytes:
        return self._update(31, never_seen_before={"from": VERA, "x": 1})

    def with_file(self, content: bytes) -> bytes:
        file = {"file_id": "f1", "file_unique_id": "u1", "file_name": "a.png"}
        return self._update(32, message=self._message(32, document=file))

    def wire_text(self, request: Request) -> str:
        form = request.form()
        return form.get("text") or form.get("caption", "")

    def fits(self, text: str) -> bool:
        return units(text) <= 4096
