"""The channel: a user of a homeserver, whose rooms are dialogs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Address,
    Arrival,
    Batch,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    MalformedPayload,
    OutboundMessage,
    Sent,
)
from matrix_channel.api import Homeserver
from matrix_channel.events import KIND, pack, pack_receipt, read

WAIT_MS = 25_000
_MSGTYPES = {"image": "m.image", "audio": "m.audio", "video": "m.video"}


class MatrixSettings(BaseModel):
    """One user of one homeserver."""

    homeserver: str = Field(title="Homeserver", description="https://matrix.example.org")
    user_id: str = Field(title="User", description="@support:example.org", pattern=r"^@[^:]+:.+$")
    access_token: SecretStr = Field(title="Access token")


class MatrixChannel(Channel):
    """Rooms of a Matrix homeserver."""

    name: ClassVar[str] = "matrix"
    title: ClassVar[str] = "Matrix"
    needs: ClassVar[tuple[str, ...]] = ("A user of your homeserver for the hub, and its token",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        # An event has at most 65 536 bytes; four of them may be one letter.
        max_text=12_000,
        max_attachment_bytes=50_000_000,
        receipts="read",
        # The transaction id makes a repeat the same event; servers forget it after a while
        # (the specification names no time, Synapse keeps it for half an hour).
        idempotent_send=True,
        idempotent_for=timedelta(minutes=30),
        rate_per_second=5.0,
        replies=True,
        edits=True,
        deletes=True,
        reactions=True,
        typing=True,
    )
    Settings: ClassVar[type[BaseModel]] = MatrixSettings

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, MatrixSettings)
        self._user = settings.user_id
        self._server = Homeserver(
            context.http, settings.homeserver, settings.access_token.get_secret_value()
        )

    async def check(self) -> list[Check]:
        """Ask whose token it is."""
        found = str((await self._server.call("GET", "account", "whoami")).get("user_id", ""))
        good = found == self._user
        return [Check(name="Access token", ok=good, text="" if good else f"it is {found}'s")]

    async def inspect(self) -> Health:
        """The token still works."""
        [found] = await self.check()
        return Health(ok=found.ok, text=found.text)

    # -- sending ---------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Send the text, then each file, as events of their own."""
        events = []
        text = message.text.replace("\x00", "")
        if text:
            content: dict[str, Any] = {"msgtype": "m.text", "body": text}
            if message.in_reply_to:
                content["m.relates_to"] = {"m.in_reply_to": {"event_id": message.in_reply_to}}
            events.append(content)
        for file in message.attachments:
            bytes_of = file.content or b""
            address = await self._server.upload(file.name, file.media_type, bytes_of)
            msgtype = _MSGTYPES.get(file.media_type.partition("/")[0], "m.file")
            about = {"mimetype": file.media_type, "size": len(bytes_of)}
            events.append({"msgtype": msgtype, "body": file.name, "url": address, "info": about})
        room, key = message.to.value, message.idempotency_key
        ids = [
            await self._put(room, "m.room.message", f"{key}.{n}", one)
            for n, one in enumerate(events)
        ]
        return Sent(external_ids=tuple(ids))

    async def _put(self, room: str, kind: str, key: str, content: object) -> str:
        path = ("rooms", room, "send", kind, key)
        return str((await self._server.call("PUT", *path, json=content))["event_id"])

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """Replace a message ("Event replacements"); the old id stays its name."""
        new = {"msgtype": "m.text", "body": message.text}
        relation = {"rel_type": "m.replace", "event_id": external_id}
        content = {**new, "body": f"* {message.text}", "m.new_content": new}
        key = f"{message.idempotency_key}.edit.{hash_of(message.text)}"
        await self._put(
            message.to.value, "m.room.message", key, {**content, "m.relates_to": relation}
        )
        return Sent(external_ids=(external_id,))

    async def delete(self, to: Address, external_id: str) -> None:
        """Redact a message."""
        path = ("rooms", to.value, "redact", external_id, f"hub.{external_id}")
        await self._server.call("PUT", *path, json={})

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """Annotate a message."""
        relation = {"rel_type": "m.annotation", "event_id": external_id, "key": emoji}
        key = f"hub.{external_id}.{hash_of(emoji)}"
        await self._put(to.value, "m.reaction", key, {"m.relates_to": relation})

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show that the agent types."""
        if kind == "typing":
            typing = {"typing": True, "timeout": 5000}
            path = ("rooms", to.value, "typing", self._user)
            await self._server.call("PUT", *path, json=typing)

    # -- receiving -------------------------------------------------------------------------

    async def fetch(self, reference: str) -> bytes:
        """Get a file."""
        return await self._server.download(reference)

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Read one event again."""
        return read(raw, self._user)

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Long-poll /sync for ever; the mark is the token of the next batch ("Syncing")."""
        while True:
            params = {"timeout": str(WAIT_MS if mark else 0)}
            params |= {"since": mark} if mark else {}
            found = await self._server.call("GET", "sync", params=params, timeout=40)
            rooms = found.get("rooms", {})
            for room in rooms.get("invite", {}):
                await self._server.call("POST", "join", room, json={})
            # What was said before the account was connected is not ours to import.
            raws = [one async for one in self._raws(rooms, mark)] if mark else []
            mark = str(found["next_batch"])
            yield self._batch(raws, mark)

    async def _raws(self, rooms: dict[str, Any], since: str) -> AsyncIterator[bytes]:
        for room, about in rooms.get("join", {}).items():
            timeline = about.get("timeline", {})
            if timeline.get("limited"):
                async for event in self._missed(room, since, str(timeline.get("prev_batch", ""))):
                    yield pack(room, event)
            for event in timeline.get("events", []):
                yield pack(room, event)
            for event in about.get("ephemeral", {}).get("events", []):
                if event.get("type") == "m.receipt":
                    yield pack_receipt(room, event.get("content"))

    async def _missed(self, room: str, since: str, end: str) -> AsyncIterator[Any]:
        """What a limited timeline left out, oldest first ("Syncing", the gap)."""
        while since:
            params = {"dir": "f", "from": since, "to": end, "limit": "100"}
            found = await self._server.call("GET", "rooms", room, "messages", params=params)
            for event in found.get("chunk", []):
                yield event
            since = str(found.get("end", "")) if found.get("chunk") else ""

    def _batch(self, raws: list[bytes], mark: str) -> Batch:
        arrivals: list[Arrival] = []
        poison = []
        for raw in raws:
            try:
                arrivals += read(raw, self._user)
            except MalformedPayload as error:
                poison.append((raw, str(error)))
        return Batch(arrivals=tuple(arrivals), mark=mark, poison=tuple(poison))


def hash_of(text: str) -> str:
    """A short name of a text, the same in every process."""
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:16]
