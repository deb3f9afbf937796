"""A made-up vendor with everything a vendor can have, its channel, and the contract test of it.

The kit's own tests plant faults in this channel, one at a time, and see each one named.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Arrival,
    Attachment,
    Batch,
    ButtonPressed,
    Capabilities,
    Channel,
    Check,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MalformedPayload,
    Micros,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Sent,
    TemporaryFailure,
    UntrustedRequest,
    WebhookRequest,
)
from hub.testing import FILE, WAIT, ChannelContract, Reply, Request

FRESH = timedelta(minutes=5)


class RavenSettings(BaseModel):
    """Where the ravens live."""

    url: str = Field(title="Address of the tower")
    token: SecretStr = Field(title="Token")
    signing_key: SecretStr = Field(title="Signing key")
    old_signing_key: SecretStr = Field(default=SecretStr(""), title="Signing key before")


class RavenChannel(Channel):
    """Letters by raven."""

    name = "raven"
    title = "Ravens"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="raven",
        max_text=200,
        max_attachment_bytes=1_000_000,
        receipts="read",
        idempotent_send=True,
        buttons=3,
        edits=True,
        deletes=True,
        reactions=True,
    )
    Settings: ClassVar[type[BaseModel]] = RavenSettings
    settings: RavenSettings

    async def check(self) -> list[Check]:
        """Knock."""
        await self.call("me", {})
        return [Check(name="tower", ok=True)]

    async def call(self, path: str, data: object, **more: Any) -> Any:
        """Ask the tower; its words become ours."""
        own = self.settings
        headers = {"authorization": f"Bearer {own.token.get_secret_value()}", **more}
        answer = await self.context.http.request(
            "POST", f"{own.url}/{path}", json=data, headers=headers
        )
        if answer.status_code == 429:
            seconds = int(answer.headers.get("retry-after", "30"))
            raise TemporaryFailure("too many ravens", retry_after=timedelta(seconds=seconds))
        if answer.status_code >= 500:
            raise TemporaryFailure(f"the tower answered {answer.status_code}")
        if answer.status_code >= 400:
            raise PermanentFailure(RejectReason.INVALID_ADDRESS, answer.text[:200])
        try:
            return answer.json()
        except ValueError as error:
            raise OutcomeUnknown("the tower answered gibberish") from error

    async def send(self, message: OutboundMessage) -> Sent:
        """Let one fly."""
        data = {
            "to": message.to.value,
            "text": message.text.replace("\x00", ""),
            "buttons": [{"label": one.label, "data": one.payload} for one in message.buttons],
            "files": [
                {"name": one.name, "data": base64.b64encode(one.content or b"").decode()}
                for one in message.attachments
            ],
        }
        found = await self.call("send", data, **{"idempotency-key": message.idempotency_key})
        return Sent(external_ids=(found["id"],))

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """Send another after it."""
        await self.call("edit", {"id": external_id, "text": message.text})
        return Sent(external_ids=(external_id,))

    async def delete(self, to: Address, external_id: str) -> None:
        """Call it back."""
        await self.call("delete", {"id": external_id})

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """Nod."""
        await self.call("react", {"id": external_id, "emoji": emoji})

    async def fetch(self, reference: str) -> bytes:
        """Get a parcel."""
        answer = await self.context.http.request("GET", f"{self.settings.url}/file/{reference}")
        if answer.status_code != 200:
            raise PermanentFailure(RejectReason.PROVIDER_ERROR, "the parcel is gone")
        return answer.content

    def keys(self) -> list[str]:
        """Both keys."""
        own = self.settings
        return [own.signing_key.get_secret_value(), own.old_signing_key.get_secret_value()]

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Read what a raven brought."""
        at = request.headers.get("x-time", "")
        signed = at.encode() + b"." + request.body
        request.verify_hmac(request.headers.get("x-signature", ""), self.keys(), signed=signed)
        if abs(request.received_at - int(at)) > FRESH.total_seconds() * 1_000_000:
            raise UntrustedRequest("the request is old")
        return self.read(request.json(), request.body)

    def read(self, data: Any, raw: bytes) -> list[Arrival]:
        """Read one update."""
        try:
            return self.update(data, raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedPayload(f"no update of a raven: {error!r}") from error

    def update(self, data: Any, raw: bytes) -> list[Arrival]:
        """One update of each kind."""
        kind, key = text_of(data["kind"]), text_of(data["id"])
        if kind == "receipt":
            status = DeliveryStatus(data["status"])
            return [
                DeliveryReceipt(
                    dedupe_key=f"{key}:{status.value}",
                    external_id=key,
                    status=status,
                    reason=RejectReason.BLOCKED if status is DeliveryStatus.FAILED else None,
                )
            ]
        sender = Address(kind="raven", value=text_of(data["from"]).strip() or "nobody")
        at = Micros(number_of(data["at"]))
        if kind == "button":
            payload = text_of(data["data"])
            return [ButtonPressed(dedupe_key=key, external_id=key, sender=sender, payload=payload)]
        if data.get("outgoing"):
            return []
        known = kind == "message"
        text = text_of(data["text"]) if known else ""
        files = tuple(
            Attachment(name=text_of(one["name"]) or "file", reference=text_of(one["reference"]))
            for one in data.get("files", [])
        )
        return [
            InboundMessage(
                dedupe_key=key,
                external_id=key,
                sender=sender,
                text=text,
                attachments=files,
                sent_at=at,
                unsupported="" if known and (text.replace("\x00", "") or files) else kind,
                raw=raw,
            )
        ]

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Ask the tower again and again."""
        offset = int(mark or 0)
        while True:
            for number, body in enumerate((await self.call("updates", {"offset": offset}))["all"]):
                raw = json.dumps(body).encode()
                arrivals = self.read(body, raw)
                yield Batch(arrivals=tuple(arrivals), mark=str(offset + number + 1))
            offset += number + 1


def text_of(value: object) -> str:
    """A text that is none of nothing."""
    if type(value) is not str or not value.replace("\x00", ""):
        raise TypeError("not a text")
    # What is too long to be a key of ours is none of theirs.
    if len(value) > 4000 and value.isascii():
        raise ValueError("too long")
    return value.encode("utf-16", "surrogatepass").decode("utf-16")


def number_of(value: object) -> int:
    """An instant."""
    if type(value) is not int or not 10**15 < value < 4 * 10**15:
        raise TypeError("not an instant")
    return value


class RavenContract(ChannelContract):
    """What the contract needs to know of ravens."""

    channel = RavenChannel
    proof = ("x-signature", "x-time")
    signing_fields = ("signing_key",)
    expires_after = FRESH

    def settings(self, url: str) -> dict[str, object]:
        """An account."""
        return {"url": url, "token": "tower-token-1", "signing_key": "a-signing-key"}

    def accepted(self, request: Request) -> Reply:
        """All is well at the tower."""
        if request.path == "/updates":
            offset = request.json()["offset"]
            waiting = [json.loads(one) for one in self.far.waiting[offset:]]
            return Reply({"all": waiting}) if waiting else WAIT
        if request.path.startswith("/file/"):
            return Reply(FILE)
        return Reply({"id": "raven-77"})

    def refused(self, request: Request) -> Reply:
        """Nobody lives there."""
        return Reply({"error": "nobody lives there"}, 404)

    def overloaded(self, request: Request) -> Reply:
        """Too many ravens."""
        return Reply({"error": "slow down"}, 429, {"Retry-After": "7"})

    def idempotency_key(self, request: Request) -> str:
        """It is a header."""
        return request.headers["idempotency-key"]

    def body(self, kind: str, number: int = 1, **more: object) -> bytes:
        """One update."""
        data = {"kind": kind, "id": f"in-{number}", "from": "vera", "at": 1_789_999_000_000_000}
        return json.dumps({**data, **more}).encode()

    def message(self, text: str, number: int = 1) -> bytes:
        """A customer's letter."""
        return self.body("message", number, text=text)

    def sign(self, body: bytes) -> WebhookRequest:
        """Signed with the time."""
        at = str(self.now)
        signature = hmac.new(b"a-signing-key", at.encode() + b"." + body, hashlib.sha256)
        return self.request(body, {"x-time": at, "x-signature": signature.hexdigest()})

    def samples(self) -> dict[str, bytes]:
        """A button."""
        return {"a button": self.body("button", data="choice-1")}

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        """The tower's word."""
        return self.body("receipt", id=external_id, status=status.value)

    def echo(self, external_id: str) -> list[bytes]:
        """Our own letter, seen from the tower."""
        return [self.body("message", text="ours", outgoing=True)]

    def unknown(self) -> bytes:
        """A song."""
        return self.body("song", notes="caw")

    def with_file(self, content: bytes) -> bytes:
        """A parcel."""
        return self.body("message", text="see", files=[{"name": "a.png", "reference": "p1"}])

    def rotated_settings(self, url: str) -> dict[str, object]:
        """A new key, and the old one still known."""
        return {"signing_key": "a-newer-key", "old_signing_key": "a-signing-key"}
