"""VK keeps the contract of a channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from channels.vk.channel import VkChannel
from hub import DeliveryStatus, WebhookRequest
from hub.testing import FILE, WAIT, ChannelContract, Reply, Request

GROUP = 1001
VERA = 1001
SECRET = "aSecretThatVkRepeats"


def ok(found: object) -> Reply:
    """An answer of VK's API."""
    return Reply({"response": found})


class TestVk(ChannelContract):
    """One community."""

    channel = VkChannel
    kinds = ("vk", "vk_chat")
    longest_text = 4096
    # Error 9 names no time: a minute is what the channel waits.
    retry_after = timedelta(minutes=1)
    signing_fields = ("callback_secret",)
    exempt: ClassVar[dict[str, str]] = {
        "reactions": "VK takes a reaction by its number: tests/scenarios/vk/test_dialogs.py"
    }

    def settings(self, url: str) -> Mapping[str, object]:
        return {
            "token": "vk1.a.contracttokencontracttoken",
            "api_url": url,
            "receive": "polling",
            "callback_secret": SECRET,
        }

    def accepted(self, request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        match name:
            case "groups.getById":
                return ok({"groups": [{"id": GROUP, "name": "Shop", "screen_name": "shop"}]})
            case "messages.send":
                return ok([{"peer_id": VERA, "message_id": 5, "conversation_message_id": 77}])
            case "photos.getMessagesUploadServer" | "docs.getMessagesUploadServer":
                return ok({"upload_url": f"{self.far.url}/upload"})
            case "upload":
                return Reply({"photo": "[1]", "server": 1, "hash": "h", "file": "f"})
            case "photos.saveMessagesPhoto":
                return ok([{"id": 7, "owner_id": -GROUP}])
            case "docs.save":
                return ok({"type": "doc", "doc": {"id": 7, "owner_id": -GROUP}})
            case "groups.getLongPollServer":
                return ok({"server": f"{self.far.url}/lp", "key": "k", "ts": "0"})
            case "lp":
                after = int(request.query.get("ts", 0))
                waiting = [json.loads(one) for one in self.far.waiting]
                if len(waiting) <= after:
                    return WAIT
                return Reply({"ts": str(len(waiting)), "updates": waiting[after:]})
            case "file":
                return Reply(FILE)
            case "users.get":
                return ok([{"id": VERA, "first_name": "Vera", "last_name": "Belova"}])
        return ok(1)

    def refused(self, request: Request) -> Reply:
        words = "Can't send messages for users without permission"
        return Reply({"error": {"error_code": 901, "error_msg": words, "request_params": []}})

    def overloaded(self, request: Request) -> Reply:
        return Reply({"error": {"error_code": 9, "error_msg": "Flood control"}})

    def is_send(self, request: Request) -> bool:
        names = ("messages.send", "messages.edit", "messages.delete", "messages.sendReaction")
        return request.path.rpartition("/")[2] in names

    def idempotency_key(self, request: Request) -> str:
        return request.form()["random_id"]

    def message(self, text: str, number: int = 1) -> bytes:
        return self._event("message_new", number, message=self._message(number, text))

    def _message(self, number: int, text: str = "", **more: Any) -> dict[str, Any]:
        return {
            "id": 0,
            "conversation_message_id": number,
            "from_id": VERA,
            "peer_id": VERA,
            "date": 1_780_000_000 + number,
            "text": text,
            **more,
        }

    def _event(self, kind: str, number: int, **body: Any) -> bytes:
        event = {
            "type": kind,
            "group_id": GROUP,
            "event_id": f"e{number}",
            "v": "5.199",
            "object": body,
            "secret": SECRET,
        }
        return json.dumps(event, ensure_ascii=False).encode()

    def sign(self, body: bytes) -> WebhookRequest:
        # VK's proof is a field of the body itself.
        return self.request(body)

    def forged(self, request: WebhookRequest) -> Iterable[tuple[str, WebhookRequest]]:
        event = json.loads(request.body)
        for name, value in (
            ("another secret", SECRET[:-1]),
            ("an empty secret", ""),
            ("no text as secret", {"a": 1}),
            ("a secret in Cyrillic", "секрет"),
        ):
            yield name, replace(request, body=json.dumps({**event, "secret": value}).encode())
        del event["secret"]
        yield "no secret", replace(request, body=json.dumps(event).encode())

    def samples(self) -> Mapping[str, bytes]:
        chat = {**self._message(21, "Roof"), "peer_id": 2_000_000_001}
        about = {"peer_id": VERA, "cmid": 40, "reacted_id": VERA}
        order = {"id": 9, "user_id": VERA, "status": 0, "date": 1_780_000_000}
        return {
            "a chat": self._event("message_new", 21, message=chat),
            "an edit": self._event("message_edit", 22, **self._message(1, "new")),
            "a button": self._event(
                "message_event",
                23,
                user_id=VERA,
                peer_id=VERA,
                event_id="q1",
                payload={"payload": "y"},
                conversation_message_id=40,
            ),
            "a reaction": self._event("message_reaction_event", 24, reaction_id=4, **about),
            "typing": self._event(
                "message_typing_state", 25, state="typing", from_id=VERA, to_id=-GROUP
            ),
            "consent": self._event("message_allow", 26, user_id=VERA, key="k"),
            "a refusal": self._event("message_deny", 27, user_id=VERA),
            "an order": self._event("market_order_new", 28, **order),
        }

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        if status is not DeliveryStatus.READ:
            return None
        number = int(external_id.partition(":")[2])
        about = {"from_id": VERA, "peer_id": VERA, "conversation_message_id": number}
        return self._event("message_read", 29, read_message_id=number, **about)

    def echo(self, external_id: str) -> Iterable[bytes]:
        number = int(external_id.partition(":")[2])
        ours = self._message(number, "ours", out=1)
        ours["from_id"] = -GROUP
        yield self._event("message_new", 30, message=ours)
        yield self._event("message_reply", 31, **ours)

    def unknown(self) -> bytes:
        return self._event("message_hologram", 32, from_id=VERA, beam="blue")

    def with_file(self, content: bytes) -> bytes:
        document = {
            "id": 7,
            "owner_id": VERA,
            "title": "a.png",
            "ext": "png",
            "size": len(content),
            "url": f"{self.far.url}/file",
        }
        one = {"type": "doc", "doc": document}
        return self._event("message_new", 33, message=self._message(33, attachments=[one]))

    def wire_text(self, request: Request) -> str:
        return request.form().get("message", "")
