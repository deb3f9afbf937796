"""A stand-in homeserver: it keeps rooms and refuses what the specification forbids.

Rules by the Matrix specification 1.11, Client-Server API: "Client authentication", "Sending
events to a room" (transaction ids, "Size limits"), "Redactions", "Syncing", "Content repository".
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from hub.testing import WAIT, Reply, Request

TOKEN = "syt_a_token_of_the_homeserver"
OWN = "@support:example.org"
ROOM = "!vera:example.org"
_ROUTES = [
    ("GET", r"/_matrix/client/v3/account/whoami", "whoami"),
    ("GET", r"/_matrix/client/v3/sync", "sync"),
    ("PUT", r"/_matrix/client/v3/rooms/([^/]+)/send/([^/]+)/([^/]+)", "send"),
    ("PUT", r"/_matrix/client/v3/rooms/([^/]+)/redact/([^/]+)/([^/]+)", "redact"),
    ("PUT", r"/_matrix/client/v3/rooms/([^/]+)/typing/([^/]+)", "typing"),
    ("GET", r"/_matrix/client/v3/rooms/([^/]+)/messages", "messages"),
    ("POST", r"/_matrix/client/v3/join/([^/]+)", "join"),
    ("POST", r"/_matrix/media/v3/upload", "upload"),
    ("GET", r"/_matrix/client/v1/media/download/([^/]+)/([^/]+)", "download"),
]


def error(status: int, code: str, words: str) -> Reply:
    """The standard error response."""
    return Reply({"errcode": code, "error": words}, status)


class Homeserver:
    """One room, one stream of what happened in it."""

    def __init__(self) -> None:
        self.rooms = {ROOM}
        self.invited: set[str] = set()
        self.stream: list[dict[str, Any]] = []
        self.transactions: dict[tuple[str, ...], str] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.typing: list[str] = []
        self.page = 10

    def answer(self, request: Request) -> Reply:
        """Answer one request, or say what is wrong with it."""
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                given = request.headers.get("authorization", "")
                if not given.startswith("Bearer "):
                    return error(401, "M_MISSING_TOKEN", "no access token")
                if given != f"Bearer {TOKEN}":
                    return error(401, "M_UNKNOWN_TOKEN", "this token is not known")
                parts = [unquote(one) for one in found.groups()]
                reply: Reply = getattr(self, f"_{name}")(request, *parts)
                return reply
        return error(404, "M_UNRECOGNIZED", "there is no such endpoint")

    def happen(self, kind: str, content: object, **more: object) -> str:
        """Let something happen in the room; gives the event's id."""
        event_id = str(more.pop("event_id", f"$event{len(self.stream)}"))
        sender = more.pop("sender", "@vera:example.org")
        at = 1_790_000_000_000 + len(self.stream)
        event = {"event_id": event_id, "type": kind, "sender": sender, "content": content}
        self.stream.append({**event, "origin_server_ts": at, **more})
        return event_id

    def _whoami(self, request: Request) -> Reply:
        return Reply({"user_id": OWN})

    def _sync(self, request: Request) -> Reply:
        since, end = request.query.get("since", ""), len(self.stream)
        if since and not re.fullmatch(r"s\d+", since):
            return error(400, "M_INVALID_PARAM", "this is no token of ours")
        start = int(since[1:]) if since else end
        timeout = request.query.get("timeout", "0")
        if not timeout.isdigit():
            return error(400, "M_INVALID_PARAM", "timeout is in milliseconds")
        if since and start == end and not self.invited and timeout != "0":
            return WAIT
        new = self.stream[start:]
        receipts = [one for one in new if one["type"] == "m.receipt"]
        events = [one for one in new if one["type"] != "m.receipt"]
        shown = events[-self.page :]
        timeline: dict[str, Any] = {"events": shown, "limited": len(shown) < len(events)}
        if timeline["limited"]:
            timeline["prev_batch"] = f"s{self.stream.index(shown[0])}"
        ephemeral = [{"type": one["type"], "content": one["content"]} for one in receipts]
        joined = {"timeline": timeline, "ephemeral": {"events": ephemeral}}
        rooms = {
            "join": {ROOM: joined} if new and ROOM in self.rooms else {},
            "invite": {one: {"invite_state": {"events": []}} for one in self.invited},
        }
        return Reply({"next_batch": f"s{end}", "rooms": rooms})

    def _messages(self, request: Request, room: str) -> Reply:
        query = request.query
        if query.get("dir") not in ("f", "b"):
            return error(400, "M_MISSING_PARAM", "dir is f or b")
        start, end = int(query["from"][1:]), int(query["to"][1:])
        chunk = self.stream[start : min(end, start + int(query.get("limit", "10")))]
        answer: dict[str, Any] = {"chunk": chunk, "start": query["from"]}
        if start + len(chunk) < end:
            answer["end"] = f"s{start + len(chunk)}"
        return Reply(answer)

    def _send(self, request: Request, room: str, kind: str, transaction: str) -> Reply:
        known = self.transactions.get((room, kind, transaction))
        if known:
            return Reply({"event_id": known})
        if room not in self.rooms:
            return error(403, "M_FORBIDDEN", "you are not in this room")
        if len(request.body) > 65_536:
            return error(413, "M_TOO_LARGE", "an event has at most 65536 bytes")
        try:
            content = json.loads(request.body)
        except ValueError:
            return error(400, "M_NOT_JSON", "this is no JSON")
        wrong = wrong_content(kind, content)
        if wrong:
            return error(400, "M_BAD_JSON", wrong)
        event_id = self.happen(kind, content, sender=OWN)
        self.transactions[room, kind, transaction] = event_id
        return Reply({"event_id": event_id})

    def _redact(self, request: Request, room: str, event_id: str, transaction: str) -> Reply:
        if not event_id.startswith("$"):
            return error(400, "M_INVALID_PARAM", "an event's id begins with $")
        if not any(one["event_id"] == event_id for one in self.stream):
            return error(404, "M_NOT_FOUND", "there is no such event")
        content = {**request.json(), "redacts": event_id}
        return Reply({"event_id": self.happen("m.room.redaction", content, sender=OWN)})

    def _typing(self, request: Request, room: str, user: str) -> Reply:
        if user != OWN or not isinstance(request.json().get("typing"), bool):
            return error(403, "M_FORBIDDEN", "only about oneself, true or false")
        self.typing.append(room)
        return Reply({})

    def _join(self, request: Request, room: str) -> Reply:
        if room not in self.invited:
            return error(403, "M_FORBIDDEN", "you are not invited")
        self.invited.discard(room)
        self.rooms.add(room)
        return Reply({"room_id": room})

    def _upload(self, request: Request) -> Reply:
        media_type = request.headers.get("content-type", "")
        if "/" not in media_type:
            return error(400, "M_UNKNOWN", "a file has a media type")
        name = f"file{len(self.media)}"
        self.media[name] = (request.body, media_type)
        return Reply({"content_uri": f"mxc://example.org/{name}"})

    def _download(self, request: Request, server: str, media: str) -> Reply:
        if server != "example.org" or media not in self.media:
            return error(404, "M_NOT_FOUND", "there is no such file")
        return Reply(self.media[media][0])


def wrong_content(kind: str, content: Any) -> str:
    """What the specification demands of an event's content; "" where all is well."""
    if not isinstance(content, dict):
        return "the content is an object"
    relation = content.get("m.relates_to", {})
    if kind == "m.reaction":
        whole = relation.get("rel_type") == "m.annotation" and relation.get("key")
        return "" if whole and relation.get("event_id", "")[:1] == "$" else "no annotation"
    if kind != "m.room.message":
        return ""
    if not isinstance(content.get("msgtype"), str) or not isinstance(content.get("body"), str):
        return "m.room.message has msgtype and body"
    if content["msgtype"] in ("m.image", "m.file", "m.audio", "m.video"):
        return "" if str(content.get("url", "")).startswith("mxc://") else "a file has a url"
    if relation.get("rel_type") == "m.replace" and "m.new_content" not in content:
        return "a replacement has m.new_content"
    return ""
