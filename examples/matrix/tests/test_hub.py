"""A room in a real hub: the plugin is found by its entry point, and a dialog goes back and forth."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import unquote

from hub import EditMessage, ReactToMessage, RetractMessage
from hub.testing import HttpFarSide, Scene, running_hub, until

sys.path.insert(0, str(Path(__file__).parent))
from homeserver import OWN, ROOM, TOKEN, Homeserver


def test_a_room_becomes_a_dialog_and_answers_reach_it(tmp_path: Path) -> None:
    asyncio.run(back_and_forth(tmp_path))


async def back_and_forth(folder: Path) -> None:
    server = Homeserver()
    far = HttpFarSide({Scene.ACCEPTED: server.answer}, lambda _: True)

    def say(text: str) -> None:
        # Waking the held /sync is all that `deliver` is needed for.
        server.happen("m.room.message", {"msgtype": "m.text", "body": text})
        far.deliver(b"")

    try:
        async with running_hub(folder, only=["matrix"]) as house:
            await house.connect("matrix", homeserver=far.url, user_id=OWN, access_token=TOKEN)

            async def listens() -> bool:
                return any("since" in one.query for one in far.requests)

            await until(listens, "the first long poll")
            say("Where is my order 1042?")
            question = await house.message("Where is my order 1042?")
            assert question.author_name == "@vera:example.org"
            answer = await house.answer(question.dialog_id, "On its way")
            sent = await house.status(answer, "sent")
            event = next(one for one in server.stream if one["event_id"] == sent.external_id)
            assert (event["sender"], event["content"]["body"]) == (OWN, "On its way")
            read = {"m.read": {"@vera:example.org": {"ts": 1}}}
            server.happen("m.receipt", {sent.external_id: read})
            far.deliver(b"")
            await house.status(answer, "read")
            await house.hub.do(EditMessage(message_id=answer, text="On its way to you"))
            await house.hub.do(ReactToMessage(message_id=question.id, emoji="👍"))

            async def changed() -> bool:
                words = [json.dumps(one["content"], ensure_ascii=False) for one in server.stream]
                return all(
                    any(word in one for one in words) for word in ("* On its way to you", '"👍"')
                )

            await until(changed, "the edit and the reaction")
            await house.hub.do(RetractMessage(message_id=answer))

            async def redacted() -> bool:
                return any(one["type"] == "m.room.redaction" for one in server.stream)

            await until(redacted, "the redaction")
            # Nothing of ours came back as the customer's.
            said = [one.text for one in await house.messages() if one.direction.value == "in"]
            assert said == ["Where is my order 1042?"]
            rooms = {
                unquote(one.path.split("/")[5]) for one in far.requests if "/send/" in one.path
            }
            assert rooms == {ROOM}
    finally:
        far.close()
