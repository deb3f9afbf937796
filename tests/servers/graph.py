"""A stand-in for Meta's Graph API as far as the WhatsApp Cloud API goes.

    with GraphServer() as graph:
        graph.bring(graph.text("Hello"))               # a person writes
        graph.tell(graph.messages[-1], "delivered")    # and Meta tells of a message of ours

It holds messages, files, templates and the number's webhook; it calls the webhook with Meta's
challenge when it is set, and refuses to set it where the answer is wrong. Requests, answers and
events are checked against Meta's published description.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.servers.openapi import complaints
from tests.servers.stand_in import Reply, Request, StandIn, as_json
from tests.servers.twilio import call, fetch

PHONE_ID, ACCOUNT_ID = "106540352242922", "102290129340398"
TOKEN, SECRET = "EAAGtheToken", "the-app-secret"
PERSON, NAME = "15550001111", "Anna Smith"
SCOPED = "US.13491208655302741918"
VERSION = "v23.0"
FILES = frozenset({"image", "video", "audio", "document", "sticker"})
NEW_KINDS = frozenset({"edit", "revoke"})
"""Kinds that Meta brings since 2026 and the published description does not know."""


def refuse(
    code: int, words: str = "refused", status: int = 400, retry_after: str = "", **more: Any
) -> Reply:
    """An error in Meta's own form."""
    error = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
    headers = {"Retry_After": retry_after} if retry_after else {}
    reply = as_json({"error": error}, status, **headers)
    wrong = complaints("whatsapp", "object GraphAPIError", json.loads(reply.body))
    assert not wrong, wrong
    return reply


@dataclass
class Sent:
    """A message that we sent."""

    id: str
    body: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


class GraphServer(StandIn):
    """One business account with one number."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Sent] = []
        self.read: list[str] = []
        self.webhook, self.subscribed = "", False
        self.files: dict[str, tuple[str, str, bytes]] = {}
        self.templates: list[dict[str, Any]] = []
        self.token, self.secret = TOKEN, SECRET
        self.closed: set[str] = set()
        self.page_size = 2
        self._numbers = itertools.count(1)

    # -- what people do ----------------------------------------------------------------------

    def wamid(self) -> str:
        """Make the id of a message."""
        return f"wamid.{next(self._numbers):06d}"

    def event(self, kind: str, body: object, **more: Any) -> dict[str, Any]:
        """A message of a person's."""
        at = str(int(time.time()))
        return {
            "from": PERSON,
            "id": self.wamid(),
            "timestamp": at,
            "type": kind,
            kind: body,
            **more,
        }

    def text(self, words: str, **more: Any) -> dict[str, Any]:
        """A text of a person's."""
        return self.event("text", {"body": words}, **more)

    def file(self, kind: str, media_type: str, content: bytes, **more: Any) -> dict[str, Any]:
        """A file of a person's."""
        media_id = str(9000 + next(self._numbers))
        self.files[media_id] = (media_type, "", content)
        digest = hashlib.sha256(content).hexdigest()
        return self.event(kind, {"id": media_id, "mime_type": media_type, "sha256": digest, **more})

    def value(self, **more: Any) -> dict[str, Any]:
        """The head of every event about the number, and whatever it is about."""
        metadata = {"display_phone_number": "15557654321", "phone_number_id": PHONE_ID}
        return {"messaging_product": "whatsapp", "metadata": metadata, **more}

    def bring(self, *messages: dict[str, Any], scoped: str = "", number: str = PERSON) -> int:
        """Bring messages to the webhook in one event; gives the status of the answer."""
        contact: dict[str, Any] = {"profile": {"name": NAME}}
        if number:
            contact["wa_id"] = number
        if scoped:
            contact["user_id"] = scoped
        contacts = {"contacts": [contact]}
        if any(one["type"] == "system" for one in messages):
            contacts = {}
        return self.post([self.value(**contacts, messages=list(messages))])

    def tell(self, message: Sent, status: str, *errors: dict[str, Any]) -> int:
        """Tell of a message of ours."""
        told: dict[str, Any] = {
            "id": message.id,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": message.body.get("to", PERSON),
            "biz_opaque_callback_data": message.body.get("biz_opaque_callback_data", ""),
        }
        if errors:
            told["errors"] = list(errors)
        # Since there are ids without numbers, Meta says with every state whom it is about.
        contact = {"profile": {"name": NAME}, "wa_id": told["recipient_id"], "user_id": SCOPED}
        return self.post([self.value(contacts=[contact], statuses=[told])])

    def post(
        self, values: list[dict[str, Any]], *, secret: str = "", field: str = "messages"
    ) -> int:
        """Call the webhook with one entry per value, signed as Meta signs."""
        entries = [
            {"id": ACCOUNT_ID, "changes": [{"field": field, "value": one}]} for one in values
        ]
        payload = {"object": "whatsapp_business_account", "entry": entries}
        kinds = {one["type"] for each in values for one in each.get("messages", ())}
        if field == "messages" and not kinds & NEW_KINDS and "hologram" not in kinds:
            for one in complaints("whatsapp", "object WebhookPayload", payload):
                self.object_to(one)
        return self.post_raw(json.dumps(payload).encode(), secret=secret)

    def post_raw(self, body: bytes, *, secret: str = "", signature: str | None = None) -> int:
        """Call the webhook with any bytes."""
        key = (secret or self.secret).encode()
        made = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json"}
        headers["X-Hub-Signature-256"] = made if signature is None else signature
        return call(self.webhook, body, headers)[0]

    def challenge(self, url: str, verify_token: str) -> bool:
        """Ask an address whether it is ours."""
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": verify_token,
            "hub.challenge": "1158201444",
        }
        status, body, _ = fetch(f"{url}?{urlencode(query)}")
        return status == 200 and body == b"1158201444"

    # -- what the API answers ----------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return refuse(190, "Invalid OAuth access token", 401)
        found = re.fullmatch(rf"/{VERSION}/(\d+)(?:/(\w+))?", request.path)
        if request.path.startswith("/store/"):
            media_type, _, content = self.files[request.path.rpartition("/")[2]]
            return Reply(200, content, media_type)
        if not found:
            return refuse(2500, f"Unknown path components: {request.path}", 404)
        name, reply = self._route(request, found[1], found[2] or "")
        if name and reply.status < 300:
            for one in complaints("whatsapp", f"response {name}", json.loads(reply.body)):
                self.object_to(one)
        return reply

    def _route(self, request: Request, node: str, edge: str) -> tuple[str, Reply]:
        post = request.method == "POST"
        if node == PHONE_ID and edge == "messages" and post:
            return self._message(request)
        if node == PHONE_ID and edge == "media" and post:
            return "media POST", self._upload(request)
        if node == PHONE_ID and not edge:
            return ("number POST", self._set(request)) if post else ("number GET", self._number())
        if node == ACCOUNT_ID and edge == "subscribed_apps" and post:
            self.subscribed = True
            return "subscribed_apps POST", as_json({"success": True})
        if node == ACCOUNT_ID and edge == "message_templates":
            return "templates GET", self._templates(request)
        if node in self.files and not edge:
            return "media GET", self._file(node)
        return "", refuse(100, "Unsupported request: the object does not exist", 400)

    def _message(self, request: Request) -> tuple[str, Reply]:
        body = request.json()
        if body.get("status") == "read":
            for one in complaints("whatsapp", "object MarkMessageRequestPayload", body):
                self.object_to(one)
            self.read.append(body["message_id"])
            return "", as_json({"success": True})
        for one in complaints("whatsapp", "request messages POST", body):
            self.object_to(one)
        code = self._wrong(body)
        if code:
            return "", refuse(code, f"(#{code}) refused", error_data={"details": "see the code"})
        sent = Sent(self.wamid(), body)
        self.messages.append(sent)
        where = body.get("to") or body["recipient"]
        contact = {"input": where, **({"wa_id": where} if "to" in body else {"user_id": where})}
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": sent.id}],
        }
        return "messages POST", as_json(answer)

    def _wrong(self, body: Mapping[str, Any]) -> int:
        if "to" not in body and "recipient" not in body:
            return 131008
        if "to" in body and not re.fullmatch(r"\d{7,15}", body["to"]):
            # An id of Meta's here is taken for a number and lost without a word; not by us.
            self.object_to(f"to={body['to']!r} is no number")
        kind = body["type"]
        if body.get("to") in self.closed and kind != "template":
            return 131047
        if kind in FILES and body[kind]["id"] not in self.files:
            return 131053
        if kind == "template":
            known = {(one["name"], one["language"]) for one in self.templates}
            if (body["template"]["name"], body["template"]["language"]["code"]) not in known:
                return 132001
        return 0

    def _upload(self, request: Request) -> Reply:
        files, form = request.files(), {}
        for name, (_, content, _) in files.items():
            if name != "file":
                form[name] = content.decode()
        name, content, media_type = files["file"]
        if form.get("messaging_product") != "whatsapp" or form.get("type") != media_type:
            self.object_to(f"an upload lacks its product or type: {form}")
        media_id = str(9000 + next(self._numbers))
        self.files[media_id] = (media_type, name, content)
        return as_json({"id": media_id})

    def _file(self, media_id: str) -> Reply:
        media_type, _, content = self.files[media_id]
        return as_json(
            {
                "messaging_product": "whatsapp",
                "url": f"{self.url}/store/{media_id}",
                "mime_type": media_type,
                "sha256": hashlib.sha256(content).hexdigest(),
                "file_size": str(len(content)),
                "id": media_id,
            }
        )

    def _number(self) -> Reply:
        found = {"id": PHONE_ID, "display_phone_number": "+1 555-765-4321"}
        found |= {"verified_name": "Bakery", "quality_rating": "GREEN"}
        webhook = {"application": "https://app.example/hook", "phone_number": self.webhook}
        return as_json({**found, "webhook_configuration": webhook})

    def _set(self, request: Request) -> Reply:
        body = request.json()
        for one in complaints("whatsapp", "request number POST", body):
            self.object_to(one)
        wanted = body["webhook_configuration"]
        url = wanted["override_callback_uri"]
        if url and not self.challenge(url, wanted["verify_token"]):
            return refuse(100, "the callback could not be validated")
        self.webhook = url
        return as_json({"success": True})

    def _templates(self, request: Request) -> Reply:
        first = int(request.query.get("after", "0"))
        last = first + self.page_size
        page = self.templates[first:last]
        paging: dict[str, Any] = {"cursors": {"before": str(first), "after": str(last)}}
        if last < len(self.templates):
            paging["next"] = f"{self.url}{request.path}?after={last}"
        found: dict[str, Any] = {"data": page, "paging": paging}
        if "summary" in request.query:
            count = len(self.templates)
            found["summary"] = {
                "total_count": count,
                "message_template_count": count,
                "message_template_limit": 250,
                "are_translations_complete": True,
            }
        return as_json(found)

    def template(self, name: str, *components: dict[str, Any], **more: Any) -> None:
        """Add a template to the catalogue."""
        head: dict[str, Any] = {
            "id": str(7000 + next(self._numbers)),
            "name": name,
            "language": "en_US",
        }
        head |= {"status": "APPROVED", "category": "UTILITY", "components": list(components)}
        head |= {"parameter_format": "POSITIONAL"}
        self.templates.append({**head, **more})
