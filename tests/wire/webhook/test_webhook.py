"""The generic channel over real HTTP, against a system that only knows the specification."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from crm_store.deliveries import delivery
from hub import (
    Address,
    Attachment,
    DeliveryStatus,
    Direction,
    MessageId,
    SendMessage,
    UpdateAccount,
    new_webhook_secret,
)
from tests.houses import until
from tests.wire.killed import killed_in_send
from tests.wire.webhook.far_side import FarSide, far_side

VERA = {"address": "vera", "name": "Vera"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


@pytest.fixture
async def shop(tmp_path: Path, database_url: str, httpserver: HTTPServer) -> AsyncIterator[FarSide]:
    async with far_side(tmp_path, database_url, httpserver) as found:
        yield found


async def answer(shop: FarSide, text: str = "From 10 to 8", **more: Any) -> MessageId:
    (dialog,) = await shop.dialogs()
    last = (await shop.messages())[-1].id
    sent = await shop.agent.do(
        SendMessage(dialog_id=dialog.id, text=text, seen_message_id=last, **more)
    )
    return MessageId(sent[0])


async def status_of(shop: FarSide, message_id: MessageId) -> str:
    message = next(one for one in await shop.messages() if one.id == message_id)
    return str(message.status)


async def test_words_and_files_go_both_ways(shop: FarSide) -> None:
    file = {"name": "чек.png", "media_type": "image/png", "content": PNG}
    first = await shop.post(
        "message.received", id="m1", text="When do you open?", attachments=[file], **{"from": VERA}
    )
    assert (first.status_code, first.text) == (200, "ok")
    (message,) = await shop.messages()
    assert (message.text, message.attachments[0].name) == ("When do you open?", "чек.png")
    (dialog,) = await shop.dialogs()
    assert (dialog.address_kind, dialog.address, dialog.contact_name) == (
        "webhook",
        "vera",
        "Vera",
    )

    upload = await shop.agent.upload(
        Attachment(name="map.pdf", media_type="application/pdf", content=b"%PDF-1.4"), dialog.id
    )
    shop.answers.append(lambda event: Response('{"id": "out-1"}', mimetype="application/json"))
    mine = await answer(shop, attachments=(upload,), reply_to=message.id)
    await until(lambda: shop.taken)
    event = shop.taken[0]
    assert event["type"] == "message.send"
    sent = event["data"]
    assert (sent["to"], sent["text"], sent["in_reply_to"]) == (VERA, "From 10 to 8", "m1")
    assert base64.b64decode(sent["attachments"][0]["content"]) == b"%PDF-1.4"

    await until(lambda: _is(shop, mine, "sent"))
    for status in ("delivered", "read", "delivered"):
        await shop.post("delivery.changed", id="out-1", status=status)
    # A late `delivered` moves nothing down.
    await until(lambda: _is(shop, mine, "read"))


async def _is(shop: FarSide, message_id: MessageId, status: str) -> bool:
    return await status_of(shop, message_id) == status


async def test_a_copy_of_an_event_is_one_message(shop: FarSide) -> None:
    for key in ("a", "a", "b"):
        given = await shop.post("message.received", key=key, id="m1", text="Hi", **{"from": VERA})
        assert given.status_code == 200
    assert len(await shop.messages()) == 1


async def test_what_happens_to_messages_is_told_too(shop: FarSide) -> None:
    for number in (1, 2, 3):
        await shop.post("message.received", id=f"m{number}", text=f"No {number}", **{"from": VERA})
    await shop.post("message.edited", id="m1", text="Number one")
    await shop.post("message.deleted", id="m2")
    await shop.post("reaction.changed", id="m3", emoji="👍", **{"from": VERA})
    await shop.post("button.pressed", id="m3", payload="yes", label="Yes", **{"from": VERA})
    await shop.post("call.changed", id="c1", state="ringing", **{"from": VERA})
    await shop.post("call.changed", id="c1", state="ended", seconds=63, **{"from": VERA})
    await shop.post("presence.changed", **{"from": VERA})
    await shop.post("contact.changed", change="blocked", **{"from": VERA})
    found = {one.external_id: one for one in await shop.messages()}
    assert found["m1"].text == "Number one"
    assert found["m1"].edited_at
    assert found["m2"].extra["taken_back"]
    assert [emoji for emoji, _ in found["m3"].reactions] == ["👍"]
    calls = [one for one in found.values() if one.direction == Direction.CALL]
    assert [one.extra["seconds"] for one in calls] == [63]
    assert any("Yes" in one.text or one.extra.get("payload") == "yes" for one in found.values())


async def test_a_kind_of_event_that_nobody_knows_is_shown_as_such(shop: FarSide) -> None:
    given = await shop.post("sticker.thrown", id="s1", power=9000, **{"from": VERA})
    assert given.status_code == 200
    (message,) = await shop.messages()
    assert message.unsupported == "sticker.thrown"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("not json", "the body is not JSON"),
        ('{"type": "message.received", "data": {"id": "1", "text": "x"}}', "data.from"),
        ('{"type": "message.received", "data": {"id": "1", "from": {"address": "v"}}}', "text"),
        ('{"type": "message.deleted", "data": {"id": "1", "txet": "x"}}', "txet"),
        ('{"type": "delivery.changed", "data": {"id": "1", "status": "flown"}}', "data.status"),
        ('{"type": "sticker.thrown", "data": {}}', "there is no event"),
        ("[1]", "the body"),
        ("{" * 5000, "the body is not JSON"),
    ],
)
async def test_a_wrong_event_is_answered_with_what_is_wrong(
    shop: FarSide, event: str, words: str
) -> None:
    given = await shop.raw(event)
    assert given.status_code == 422
    assert words in given.json()["error"]
    assert await shop.dialogs() == ()


async def test_only_the_holder_of_the_secret_is_let_in(shop: FarSide) -> None:
    message = {"id": "m1", "text": "Hi", "from": VERA}
    forged = await shop.post("message.received", secret=new_webhook_secret(), **message)
    old = await shop.post("message.received", age=600, **message)
    early = await shop.post("message.received", age=-600, **message)
    async with httpx2.AsyncClient() as client:
        unsigned = await client.post(shop.hook, json={"type": "message.received", "data": message})
    assert [one.status_code for one in (forged, old, early, unsigned)] == [403] * 4
    assert await shop.dialogs() == ()


async def test_a_secret_is_changed_without_a_gap(shop: FarSide) -> None:
    before, after = shop.secret, new_webhook_secret()
    account = await shop.house.system.account(shop.account_id)
    await shop.house.system.do(
        UpdateAccount(
            account_id=account.id,
            settings={"url": shop.server.url_for("/answers"), "secret": after},
        )
    )
    assert (await shop.post("presence.changed", secret=before, **{"from": VERA})).status_code == 403
    await shop.house.system.do(
        UpdateAccount(
            account_id=account.id,
            settings={
                "url": shop.server.url_for("/answers"),
                "secret": after,
                "previous_secret": before,
            },
        )
    )
    for secret in (before, after):
        given = await shop.post("presence.changed", secret=secret, **{"from": VERA})
        assert given.status_code == 200


def _reply(status: int, body: str = "", **headers: str) -> Any:
    return lambda event: Response(
        body, status, {k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        (
            _reply(422, '{"error": "no such person", "reason": "invalid_address"}'),
            "failed",
            "no su",
        ),
        (_reply(400, "<html>oops</html>"), "failed", "answered 400"),
        (_reply(429, retry_after="3600"), "queued", "answered 429"),
        (_reply(503, "<html>down</html>"), "queued", "answered 503"),
        (_reply(401, '{"error": "who are you"}'), "queued", "who are you"),
        (_reply(302, location="https://elsewhere.example/"), "queued", "answered 302"),
    ],
)
async def test_a_refusal_keeps_its_meaning(
    shop: FarSide, reply: Any, status: str, words: str
) -> None:
    await shop.post("message.received", id="m1", text="Hi", **{"from": VERA})
    shop.answers.append(reply)
    mine = await answer(shop)
    await until(lambda: _told(shop, mine, words))
    assert await status_of(shop, mine) == status
    assert len(shop.taken) == 1


async def _told(shop: FarSide, message_id: MessageId, words: str) -> bool:
    found = await shop.house.system.read(delivery, message_id)
    return any(words in one.text for one in found.attempts)


async def test_an_answer_that_never_comes_leaves_the_outcome_unknown(
    shop: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.http_client.TOTAL_SECONDS", 0.5)
    await shop.post("message.received", id="m1", text="Hi", **{"from": VERA})

    def slow(event: dict[str, Any]) -> Response:
        time.sleep(2)
        return Response(status=204)

    shop.answers.append(slow)
    mine = await answer(shop)
    await until(lambda: _is(shop, mine, DeliveryStatus.UNKNOWN))
    assert len(shop.taken) == 1


async def test_an_answer_of_no_meaning_is_unknown_and_a_refused_secret_is_red(
    shop: FarSide,
) -> None:
    await shop.post("message.received", id="m1", text="Hi", **{"from": VERA})
    shop.answers.append(_reply(200, "<html>a page of somebody between</html>"))
    mine = await answer(shop)
    await until(lambda: _is(shop, mine, DeliveryStatus.UNKNOWN))
    assert len(shop.taken) == 1
    shop.answers.append(_reply(401, '{"error": "who are you"}'))
    kept = await answer(shop, "Still there?")
    await until(lambda: _told(shop, kept, "who are you"))

    async def red() -> bool:
        account = await shop.house.system.account(shop.account_id)
        return account.state == "down" and "who are you" in account.last_error

    await until(red)
    assert await status_of(shop, kept) == "queued"


async def test_a_kill_in_the_middle_of_a_send_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str, httpserver: HTTPServer
) -> None:
    reached, loop = asyncio.Event(), asyncio.get_running_loop()
    taken: list[str] = []

    def silent(request: Request) -> Response:
        taken.append(request.get_json()["data"]["text"])
        loop.call_soon_threadsafe(reached.set)
        time.sleep(3)
        return Response(status=204)

    httpserver.expect_request("/answers").respond_with_handler(silent)
    status = await killed_in_send(
        tmp_path,
        database_url,
        module="channels.webhook",
        channel="webhook",
        settings={"url": httpserver.url_for("/answers")},
        person=Address(kind="webhook", value="vera", name="Vera"),
        reached=reached,
    )
    assert (status, taken) == ("unknown", ["We are"])


async def test_files_are_fetched_signed_and_from_their_own_host_only(shop: FarSide) -> None:
    asked: list[bool] = []

    def give(request: Any) -> Response:
        asked.append("webhook-signature" in request.headers)
        return Response(b"%PDF-1.4")

    shop.server.expect_request("/files/1").respond_with_handler(give)
    files = [
        {"name": "a.pdf", "url": shop.server.url_for("/files/1")},
        {"name": "b.pdf", "url": "http://169.254.169.254/latest/meta-data"},
    ]
    await shop.post("message.received", id="m1", attachments=files, **{"from": VERA})

    async def settled() -> bool:
        (message,) = await shop.messages()
        return {one.state for one in message.attachments} == {"ready", "failed"}

    await until(settled)
    (message,) = await shop.messages()
    assert {one.name: one.state for one in message.attachments} == {
        "a.pdf": "ready",
        "b.pdf": "failed",
    }
    assert asked == [True]


async def test_the_client_of_the_documentation_works_as_it_stands(
    shop: FarSide, tmp_path: Path
) -> None:
    page = Path(__file__).parents[3] / "docs/webhook-channel.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    script = tmp_path / "client.py"
    script.write_text(code)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        env={**os.environ, "HOOK": shop.hook, "SECRET": shop.secret},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert said.split() == [b"200"]
    assert [one.text for one in await shop.messages()] == ["Is it open on Sunday?"]
