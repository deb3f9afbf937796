"""Matrix keeps the contract of a channel; and what is Matrix's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matrix_channel import MatrixChannel
from matrix_channel.events import pack, pack_receipt

from hub import DeliveryStatus, MessageDeleted, MessageEdited, Reaction
from hub.testing import FILE, ChannelContract, Reply, Request

sys.path.insert(0, str(Path(__file__).parent))
from homeserver import OWN, ROOM, TOKEN, Homeserver, error


class TestMatrix(ChannelContract):
    channel = MatrixChannel
    recipient = ROOM

    def setup_method(self) -> None:
        self.server = Homeserver()

    def settings(self, url: str) -> dict[str, object]:
        return {"homeserver": url, "user_id": OWN, "access_token": TOKEN}

    def accepted(self, request: Request) -> Reply:
        # What the kit delivered has happened in the room.
        for body in self.far.waiting[:]:
            event = json.loads(body)["event"]
            if event not in self.server.stream:
                self.server.stream.append(event)
        return self.server.answer(request)

    def refused(self, request: Request) -> Reply:
        return error(403, "M_FORBIDDEN", "you are not in this room")

    def overloaded(self, request: Request) -> Reply:
        body = {"errcode": "M_LIMIT_EXCEEDED", "error": "slow down", "retry_after_ms": 7000}
        return Reply(body, 429)

    def is_send(self, request: Request) -> bool:
        return "/send/" in request.path or "/redact/" in request.path

    def idempotency_key(self, request: Request) -> str:
        return request.path.rpartition("/")[2]

    def wire_text(self, request: Request) -> str:
        text: str = request.json()["body"]
        return text

    def event(self, kind: str, content: object, number: int = 1) -> bytes:
        event = {"event_id": f"$in{number}", "type": kind, "sender": "@vera:example.org"}
        at = 1_790_000_000_000 + number
        return pack(ROOM, {**event, "origin_server_ts": at, "content": content})

    def message(self, text: str, number: int = 1) -> bytes:
        return self.event("m.room.message", {"msgtype": "m.text", "body": text}, number)

    def samples(self) -> dict[str, bytes]:
        new = {"msgtype": "m.text", "body": "the 43rd"}
        edit = {**new, "m.new_content": new}
        edit["m.relates_to"] = {"rel_type": "m.replace", "event_id": "$in1"}
        thumb = {"rel_type": "m.annotation", "event_id": "$out1", "key": "👍"}
        return {
            "an edit": self.event("m.room.message", edit, 2),
            "a reaction": self.event("m.reaction", {"m.relates_to": thumb}, 3),
            "a redaction": self.event("m.room.redaction", {"redacts": "$in1"}, 4),
            "an encrypted message": self.event("m.room.encrypted", {"ciphertext": "x"}, 5),
        }

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        if status is not DeliveryStatus.READ:
            return None
        return pack_receipt(ROOM, {external_id: {"m.read": {"@vera:example.org": {"ts": 1}}}})

    def echo(self, external_id: str) -> list[bytes]:
        # The server shows it in the next sync, as everybody's.
        return [pack(ROOM, one) for one in self.server.stream]

    def unknown(self) -> bytes:
        return self.event("m.room.message", {"msgtype": "org.example.poll", "body": "A poll"})

    def with_file(self, content: bytes) -> bytes:
        self.server.media["photo"] = (FILE, "image/png")
        about = {"mimetype": "image/png", "size": len(content)}
        url = "mxc://example.org/photo"
        picture = {"msgtype": "m.image", "body": "a.png", "url": url, "info": about}
        return self.event("m.room.message", picture)

    def test_edits_reactions_and_redactions_name_what_they_are_about(self) -> None:
        found = {name: self.read(self.reader(), body) for name, body in self.samples().items()}
        [edit], [reaction], [gone] = (
            found["an edit"],
            found["a reaction"],
            found["a redaction"],
        )
        assert isinstance(edit, MessageEdited)
        assert (edit.external_id, edit.text) == ("$in1", "the 43rd")
        assert isinstance(reaction, Reaction)
        assert (reaction.external_id, reaction.emoji) == ("$out1", "👍")
        assert isinstance(gone, MessageDeleted)
        assert gone.external_id == "$in1"

    def test_a_gap_of_a_busy_room_is_filled(self) -> None:
        async def work(url: str) -> list[str]:
            async with self.opened(url) as channel:
                batches = channel.listen("")
                mark = (await anext(batches)).mark
                for n in range(25):
                    self.server.happen("m.room.message", {"msgtype": "m.text", "body": str(n)})
                await batches.aclose()  # type: ignore[attr-defined]
                found = await anext(channel.listen(mark))
                return [one.text for one in found.arrivals]  # type: ignore[union-attr]

        with self.playing() as far:
            assert self.run(work(far.url)) == [str(n) for n in range(25)]

    def test_an_invitation_is_accepted(self) -> None:
        async def work(url: str) -> None:
            async with self.opened(url) as channel:
                self.server.invited.add("!new:example.org")
                await anext(channel.listen(""))

        with self.playing() as far:
            self.run(work(far.url))
        assert "!new:example.org" in self.server.rooms
