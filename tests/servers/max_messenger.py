"""MAX in the test process: its Bot API, upload servers, long polling and webhook subscriptions.

MAX publishes no schema that could be committed, so the shapes are those of maxapi, a client that
nobody of us wrote: every update and every answer of this stand-in is read by maxapi's own types
before it leaves, and every accepted request has only the fields that MAX documents.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from maxapi.enums.format import Format
from maxapi.methods.types.edited_message import EditedMessage
from maxapi.methods.types.getted_subscriptions import GettedSubscriptions
from maxapi.methods.types.getted_upload_url import GettedUploadUrl
from maxapi.methods.types.sended_message import SendedMessage
from maxapi.types.updates import UpdateUnionAdapter
from maxapi.types.users import User

from tests.servers.stand_in import Reply, Request, StandIn, as_json

TOKEN = "f9LHodD0cOJ5standintokenofthebakery"
BOT = {"user_id": 900, "first_name": "Пекарня", "username": "bakery_bot", "is_bot": True}
ANNA = {"user_id": 5001, "first_name": "Анна", "last_name": "Белова", "is_bot": False}
MAX_TEXT = 4000
BODY = {"text", "attachments", "link", "notify", "format"}
KINDS = {"image", "video", "audio", "file"}


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str = "refused") -> None:
        super().__init__(code)
        self.reply = as_json({"code": code, "message": message}, status)


def refusal(status: int, code: str) -> Reply:
    """An answer of MAX that refuses; order it with `fail_next`."""
    return Refused(status, code).reply


class MaxMessenger(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.stopped: set[int] = set()
        self.messages: dict[str, dict[str, Any]] = {}
        self.subscriptions: list[dict[str, Any]] = []
        self.actions: list[tuple[str, str]] = []
        self.answered: list[str] = []
        self.formats: list[str] = []
        self.kept: dict[str, bytes] = {}
        self.updates: list[dict[str, Any]] = []
        self.deliveries: list[tuple[int, bytes]] = []
        self.not_ready = 0
        self._tokens_of_files: dict[str, str] = {}
        self._number = 1000
        self._changed = threading.Condition(self.lock)
        self._senders: list[threading.Thread] = []

    def stop(self) -> None:
        self.stopping.set()
        with self._changed:
            self._changed.notify_all()
        super().stop()
        for one in self._senders:
            one.join(10)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def answer(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts[0] == "upload":
            return self._upload(parts[1], parts[2], request)
        if parts[0] == "file":
            found = self.kept.get(parts[1])
            return Reply(200, found, "application/octet-stream") if found else Reply(404)
        if request.headers.get("authorization") not in self.tokens:
            return refusal(401, "verify.token")
        if "access_token" in request.query:
            self.object_to("the token stands in the address")
        try:
            if request.method == "GET" and parts == ["updates"]:
                return self._poll(request)
            with self.lock:
                return as_json(self._call(request, parts))
        except Refused as refused:
            return refused.reply

    def _call(self, request: Request, parts: list[str]) -> dict[str, Any]:
        body = request.json() if request.body else {}
        match (request.method, *parts):
            case ("GET", "me"):
                User.model_validate(BOT)
                return BOT
            case ("POST", "messages"):
                return self._send(request.query, body)
            case ("PUT", "messages"):
                return self._edit(request.query["message_id"], body)
            case ("DELETE", "messages"):
                self._own(request.query["message_id"])["gone"] = True
                return {"success": True}
            case ("POST", "answers"):
                return self._answer(request.query["callback_id"], body)
            case ("POST", "uploads"):
                return self._place(request.query.get("type", ""))
            case ("POST", "chats", chat, "actions"):
                self._only(body, {"action"})
                self.actions.append((chat, body["action"]))
                return {"success": True}
            case ("GET", "subscriptions"):
                shown = [
                    {name: one.get(name) for name in ("url", "time", "update_types")}
                    for one in self.subscriptions
                ]
                GettedSubscriptions.model_validate({"subscriptions": shown})
                return {"subscriptions": shown}
            case ("POST", "subscriptions"):
                return self._subscribe(body)
            case ("DELETE", "subscriptions"):
                url = request.query["url"]
                self.subscriptions = [one for one in self.subscriptions if one["url"] != url]
                return {"success": True}
        self.object_to(f"nothing stands at {request.method} {request.path}")
        raise Refused(404, "not.found")

    def _only(self, body: dict[str, Any], known: set[str]) -> None:
        if not isinstance(body, dict) or set(body) - known:
            self.object_to(f"unknown fields in {body}")
            raise Refused(400, "proto.payload")

    # -- messages --------------------------------------------------------------------------

    def _send(self, query: Any, body: dict[str, Any]) -> dict[str, Any]:
        self._only(body, BODY)
        if ("user_id" in query) == ("chat_id" in query):
            self.object_to("a message goes to a person or into a chat")
            raise Refused(400, "proto.payload")
        user = int(query.get("user_id", 0))
        if user in self.stopped:
            raise Refused(403, "chat.denied", "error.dialog.suspended")
        text = body.get("text") or ""
        if body.get("format") is not None:
            self.formats.append(Format(body["format"]).value)
        if len(text) > MAX_TEXT:
            raise Refused(400, "proto.payload", "text: size must be between 0 and 4000")
        files = self._attachments(body.get("attachments") or [])
        if not text and not files:
            raise Refused(400, "proto.payload", "empty message")
        chat = int(query.get("chat_id", user + 70_000))
        message = self._message(BOT, chat, "chat" if "chat_id" in query else "dialog", text)
        message["recipient"]["user_id"] = user or None
        message["body"]["attachments"] = files
        if body.get("link"):
            answered = self.messages[body["link"]["mid"]]
            message["link"] = {"type": body["link"]["type"], "message": answered["body"]}
        SendedMessage.model_validate({"message": message})
        return {"message": message}

    def _attachments(self, given: list[Any]) -> list[dict[str, Any]]:
        found = []
        for one in given:
            self._only(one, {"type", "payload"})
            kind, payload = one["type"], one["payload"]
            if kind == "inline_keyboard":
                rows = payload["buttons"]
                if len(rows) > 30 or any(len(row) > 7 for row in rows):
                    raise Refused(400, "proto.payload", "keyboard")
                found.append(one)
                continue
            photos = payload.get("photos")
            token = next(iter(photos.values()))["token"] if photos else payload["token"]
            if self._tokens_of_files.get(token) != kind or token not in self.kept:
                self.object_to(f"the {kind} {token} was never uploaded")
                raise Refused(400, "proto.payload")
            if self.not_ready:
                self.not_ready -= 1
                raise Refused(400, "attachment.not.ready")
            found.append(self.file(kind, self.kept[token], token))
        return found

    def file(self, kind: str, content: bytes, token: str = "", **more: Any) -> dict[str, Any]:
        """An attachment of a message, as it is told to the other side."""
        token = token or f"t{self._next()}"
        self.kept[token] = content
        payload: dict[str, Any] = {"url": f"{self.url}/file/{token}", "token": token}
        if kind == "image":
            payload["photo_id"] = self._next()
        if kind == "sticker":
            payload["code"] = "s1"
        return {"type": kind, "payload": payload, **more}

    def _message(self, sender: Any, chat: int, kind: str, text: str) -> dict[str, Any]:
        mid = f"mid.{self._next():016x}"
        message: dict[str, Any] = {
            "sender": {**sender, "last_activity_time": int(time.time() * 1000)},
            "recipient": {"chat_id": chat, "chat_type": kind, "user_id": BOT["user_id"]},
            "timestamp": int(time.time() * 1000),
            "body": {"mid": mid, "seq": self._next(), "text": text, "attachments": []},
        }
        self.messages[mid] = message
        return message

    def _own(self, mid: str) -> dict[str, Any]:
        message = self.messages.get(mid)
        if message is None or not message["sender"]["is_bot"]:
            raise Refused(404, "not.found")
        return message

    def _edit(self, mid: str, body: dict[str, Any]) -> dict[str, Any]:
        self._only(body, BODY)
        message = self._own(mid)["body"]
        if body.get("text") is not None:
            message["text"] = body["text"]
        if body.get("attachments") is not None:
            message["attachments"] = self._attachments(body["attachments"])
        EditedMessage.model_validate({"success": True})
        return {"success": True}

    def sent(self) -> list[dict[str, Any]]:
        """What the bot wrote, as people see it now."""
        with self.lock:
            return [
                one
                for one in self.messages.values()
                if one["sender"]["is_bot"] and "gone" not in one
            ]

    def _answer(self, callback_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self._only(body, {"message", "notification"})
        known = {
            one["callback"]["callback_id"]
            for one in self.updates
            if one["update_type"] == "message_callback"
        }
        if callback_id not in known:
            raise Refused(404, "not.found")
        self.answered.append(callback_id)
        return {"success": True}

    # -- files -----------------------------------------------------------------------------

    def _place(self, kind: str) -> dict[str, Any]:
        if kind not in KINDS:
            raise Refused(400, "proto.payload")
        token = f"{kind}{self._next()}"
        self._tokens_of_files[token] = kind
        place: dict[str, Any] = {"url": f"{self.url}/upload/{kind}/{token}"}
        if kind in ("video", "audio"):
            place["token"] = token
        GettedUploadUrl.model_validate(place)
        return place

    def _upload(self, kind: str, token: str, request: Request) -> Reply:
        _, content, _ = request.files()["data"]
        self.kept[token] = content
        if kind == "image":
            return as_json({"photos": {"p1": {"token": token}}})
        if kind == "file":
            return as_json({"fileId": self._next(), "token": token})
        return Reply(200, b"<retval>1</retval>", "application/xml")

    # -- updates ---------------------------------------------------------------------------

    def _subscribe(self, body: dict[str, Any]) -> dict[str, Any]:
        self._only(body, {"url", "update_types", "secret", "version"})
        self.subscriptions = [one for one in self.subscriptions if one["url"] != body["url"]]
        self.subscriptions.append({**body, "time": int(time.time() * 1000)})
        return {"success": True}

    def _poll(self, request: Request) -> Reply:
        marker = int(request.query.get("marker", 0))
        end = time.monotonic() + int(request.query.get("timeout", 30))
        with self._changed:
            while len(self.updates) <= marker and not self.stopping.is_set():
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, 1.0))
            return as_json({"updates": self.updates[marker:], "marker": len(self.updates)})

    def emit(self, kind: str, **more: Any) -> dict[str, Any]:
        """Send an update the ways the bot has set."""
        update = {"update_type": kind, "timestamp": int(time.time() * 1000) + self._next(), **more}
        UpdateUnionAdapter.validate_python(update)
        with self._changed:
            self.updates.append(update)
            self._changed.notify_all()
            wanted = [
                one for one in self.subscriptions if kind in (one.get("update_types") or [kind])
            ]
        for one in wanted:
            thread = threading.Thread(target=self.deliver, args=(update, one), daemon=True)
            self._senders.append(thread)
            thread.start()
        return update

    def deliver(self, update: dict[str, Any], subscription: dict[str, Any]) -> int:
        """Post an update to a subscribed address; may be called again, as MAX does."""
        headers = {"Content-Type": "application/json"}
        if subscription.get("secret"):
            headers["X-Max-Bot-Api-Secret"] = subscription["secret"]
        data = json.dumps(update).encode()
        request = urllib.request.Request(subscription["url"], data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                status, body = refused.code, refused.read()
        except OSError:
            status, body = 0, b""
        with self.lock:
            self.deliveries.append((status, body))
        return int(status)

    # -- what a person does ------------------------------------------------------------------

    def write(
        self, text: str = "", sender: Any = None, chat: int = 0, **more: Any
    ) -> dict[str, Any]:
        sender = sender or ANNA
        with self.lock:
            message = self._message(
                sender, chat or sender["user_id"] + 70_000, "chat" if chat else "dialog", text
            )
            message["body"]["attachments"] = more.pop("attachments", [])
            message |= more
            self.emit("message_created", message=dict(message), user_locale="ru")
            return message

    def rewrite(self, message: dict[str, Any], text: str) -> None:
        message["body"]["text"] = text
        self.emit("message_edited", message=message)

    def remove(self, message: dict[str, Any]) -> None:
        self.emit(
            "message_removed",
            message_id=message["body"]["mid"],
            chat_id=message["recipient"]["chat_id"],
            user_id=message["sender"]["user_id"],
        )

    def press(self, message: dict[str, Any], payload: str) -> str:
        callback_id = f"cb{self._next()}"
        callback = {
            "timestamp": int(time.time() * 1000),
            "callback_id": callback_id,
            "payload": payload,
            "user": ANNA,
        }
        self.emit("message_callback", callback=callback, message=message, user_locale="ru")
        return callback_id

    def begin(self, payload: str | None = None) -> None:
        self.stopped.discard(ANNA["user_id"])  # type: ignore[arg-type]
        self.emit("bot_started", chat_id=75001, user=ANNA, payload=payload, user_locale="ru")

    def end(self) -> None:
        self.stopped.add(ANNA["user_id"])  # type: ignore[arg-type]
        self.emit("bot_stopped", chat_id=75001, user=ANNA, user_locale="ru")
