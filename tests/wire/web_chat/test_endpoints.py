"""The doors of the web chat that stand open to everybody: what they give, and what they refuse."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub import Attachment, AttachmentId
from plugins.web_chat.widget import widget_script
from tests.wire.web_chat.site import ChatHub, running_chat, until

BUDGET = 15 * 1024


@pytest.fixture
async def chat(tmp_path: Path, database_url: str) -> AsyncIterator[ChatHub]:
    async with running_chat(tmp_path, database_url) as running:
        yield running


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def visitor(chat: ChatHub, web: httpx.AsyncClient, **fields: object) -> str:
    answer = await web.post(f"{chat.base}/visitor", content=json.dumps(fields))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


async def say(
    chat: ChatHub, web: httpx.AsyncClient, token: str, text: str, **fields: object
) -> httpx.Response:
    hook = (await web.get(f"{chat.base}/config")).json()["hook"]
    data = {"token": token, "kind": "message", "id": "client-0001", "text": text} | fields
    return await web.post(chat.hub_url + hook, content=json.dumps(data))


async def history(chat: ChatHub, web: httpx.AsyncClient, token: str) -> list[dict[str, object]]:
    answer = await web.post(f"{chat.base}/history", content=json.dumps({"token": token}))
    assert answer.status_code == 200
    return list(answer.json()["messages"])


def test_the_widget_is_one_small_script() -> None:
    script = widget_script()
    assert gzip.decompress(script.compressed) == script.source
    assert len(script.compressed) <= BUDGET
    assert b"http://" not in script.source.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in script.source


async def test_the_script_comes_packed_to_browsers_that_can_unpack(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    url = f"{chat.hub_url}/p/web_chat/widget.js?account={chat.account_id}"
    packed = await web.get(url)
    assert packed.headers["content-encoding"] == "gzip"
    plain = await web.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content == widget_script().source


async def test_the_settings_of_the_widget_hold_no_secret(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    answer = await web.get(f"{chat.base}/config?lang=ru-RU")
    config = answer.json()
    assert (config["language"], config["texts"]["send"]) == ("ru", "Отправить")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "key" not in answer.text
    assert "secret" not in answer.text
    for wrong in ("0", "999", "abc", "9" * 30, "%00"):
        assert (await web.get(f"{chat.hub_url}/p/web_chat/{wrong}/config")).status_code == 404


async def test_a_word_a_note_and_an_answer(chat: ChatHub, web: httpx.AsyncClient) -> None:
    token = await visitor(chat, web, name="Vera")
    assert await history(chat, web, token) == []
    for _ in range(3):
        assert (await say(chat, web, token, "Hello")).status_code == 200
    (mine,) = await history(chat, web, token)
    assert (mine["mine"], mine["text"], mine["client_id"]) == (True, "Hello", "client-0001")
    from hub import AddNote

    (dialog,) = await chat.dialogs()
    assert dialog.contact_name == "Vera"
    await chat.agent.do(AddNote(dialog_id=dialog.id, text="only for us"))
    await chat.answer("Good morning")

    async def answered() -> bool:
        return len(await history(chat, web, token)) == 2

    await until(answered, "the answer did not arrive")
    theirs = (await history(chat, web, token))[1]
    assert (theirs["mine"], theirs["text"], theirs["name"]) == (False, "Good morning", "Anna")
    data = {"token": token, "kind": "ack", "delivered": [theirs["id"]], "read": [theirs["id"]]}
    hook = (await web.get(f"{chat.base}/config")).json()["hook"]
    assert (await web.post(chat.hub_url + hook, content=json.dumps(data))).status_code == 200

    async def read() -> bool:
        return (await chat.messages())[-1].status == "read"

    await until(read, "the read mark did not arrive")


async def test_a_stranger_s_token_opens_nothing(chat: ChatHub, web: httpx.AsyncClient) -> None:
    vera = await visitor(chat, web)
    await say(chat, web, vera, "secret words")
    boris = await visitor(chat, web)
    assert await history(chat, web, boris) == []
    payload, mac = vera.split(".")
    for forged in ("", "x", f"{payload}.{'A' * len(mac)}", f"{boris.split('.')[0]}.{mac}", None, 5):
        body = json.dumps({"token": forged})
        for door in ("history", "events"):
            answer = await web.post(f"{chat.base}/{door}", content=body)
            assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})
        answer = await say(chat, web, forged, "hi")  # type: ignore[arg-type]
        assert answer.status_code == 403
        assert "secret" not in answer.text
    for noise in (b"", b"\x00\xff", b"[]", b"{" * 5_000):
        assert (await web.post(f"{chat.base}/history", content=noise)).status_code == 403
    assert len(await chat.dialogs()) == 1


async def test_another_visitor_s_messages_cannot_be_acknowledged(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    vera, boris = await visitor(chat, web), await visitor(chat, web)
    await say(chat, web, vera, "Hello")
    message_id = await chat.answer("For Vera")

    async def sent() -> bool:
        return (await chat.messages())[-1].status == "sent"

    await until(sent, "the answer was not sent")
    await say(chat, web, boris, "", kind="ack", read=[str(message_id)])
    assert (await chat.messages())[-1].status == "sent"
    await say(chat, web, vera, "", kind="ack", read=[str(message_id)])

    async def read() -> bool:
        return (await chat.messages())[-1].status == "read"

    await until(read, "the read mark did not arrive")


async def test_the_site_s_own_user_is_known_and_nobody_else_s_word_counts(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    secret = "known to the site's server"
    await chat.set(identity_secret=secret)
    signed = hmac.new(secret.encode(), b"42\nvera@example.org\nVera", hashlib.sha256).hexdigest()
    user = {"id": 42, "email": "vera@example.org", "name": "Vera", "signature": signed}
    first = await visitor(chat, web, user=user)
    await say(chat, web, first, "from my phone")
    second = await visitor(chat, web, user=user)
    assert [one["text"] for one in await history(chat, web, second)] == ["from my phone"]
    profile = (await chat.messages())[0].extra["profile"]
    assert isinstance(profile, dict)
    assert (profile["user_id"], profile["verified"]) == ("42", "yes")
    unsigned = hmac.new(b"", b"42\nvera@example.org\nVera", hashlib.sha256).hexdigest()
    for forged in (
        {**user, "signature": unsigned},
        {**user, "id": 43},
        {**user, "signature": ""},
        {**user, "email": "x@y.zz"},
    ):
        answer = await web.post(f"{chat.base}/visitor", content=json.dumps({"user": forged}))
        assert answer.status_code == 403


async def test_consent_is_asked_for_kept_and_cannot_be_skipped(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    await chat.set(consent_text="I agree", consent_link="https://shop.example/privacy")
    token = await visitor(chat, web)
    answer = await say(chat, web, token, "Hello")
    assert (answer.status_code, answer.json()) == (422, {"error": "consent"})
    token = await visitor(chat, web, token=token, consent=True)
    assert (await say(chat, web, token, "Hello")).status_code == 200
    profile = (await chat.messages())[0].extra["profile"]
    assert isinstance(profile, dict)
    assert profile["consent"].endswith("I agree")
    assert profile["consent_link"] == "https://shop.example/privacy"


async def test_a_wrong_e_mail_address_is_said_so(chat: ChatHub, web: httpx.AsyncClient) -> None:
    answer = await web.post(f"{chat.base}/visitor", content=json.dumps({"email": "nobody"}))
    assert (answer.status_code, answer.json()) == (422, {"error": "email"})


async def test_only_allowed_sites_are_served(chat: ChatHub, web: httpx.AsyncClient) -> None:
    await chat.set(allowed_sites="shop.example")
    hook = chat.hub_url + (await web.get(f"{chat.base}/config")).json()["hook"]
    for origin, status in (
        ("https://shop.example", 200),
        (chat.hub_url, 200),
        ("https://evil.example", 403),
        (chat.hub_url[:-1], 403),
        ("null", 403),
        ("", 403),
    ):
        answer = await web.post(f"{chat.base}/visitor", content="{}", headers={"origin": origin})
        assert answer.status_code == status, origin
        if status == 200:
            token = answer.json()["token"]
        data = {"token": token, "kind": "message", "id": "client-0001", "text": "x"}
        posted = await web.post(hook, content=json.dumps(data), headers={"origin": origin})
        assert posted.status_code == status, origin


async def test_files_go_both_ways_and_only_by_signed_addresses(
    chat: ChatHub, web: httpx.AsyncClient
) -> None:
    token = await visitor(chat, web)
    hook = (await web.get(f"{chat.base}/config")).json()["hook"]
    data = {"token": token, "kind": "message", "id": "client-0002", "text": ""}
    answer = await web.post(
        chat.hub_url + hook,
        data={"data": json.dumps(data)},
        files=[("files", ("схема.png", b"\x89PNG-1", "image/png"))],
    )
    assert answer.status_code == 200
    (dialog,) = await chat.dialogs()
    evil = Attachment(name="a.html", media_type="text/html", content=b"<script>alert(1)</script>")
    uploaded = await chat.agent.upload(evil, dialog.id)
    await chat.answer("see", AttachmentId(uploaded))

    async def both() -> bool:
        return len(await history(chat, web, token)) == 2

    await until(both, "the answer did not arrive")
    mine, theirs = ((one["files"][0]) for one in await history(chat, web, token))  # type: ignore[index]
    picture = await web.get(f"{chat.base}/{mine['path']}")
    assert (picture.content, picture.headers["content-type"]) == (b"\x89PNG-1", "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"
    page = await web.get(f"{chat.base}/{theirs['path']}")
    assert page.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in page.headers["content-security-policy"]
    assert page.headers["content-disposition"].startswith("attachment")
    for wrong in (theirs["path"][:-3] + "AAA", "file/1", "file/" + "x" * 300):
        assert (await web.get(f"{chat.base}/{wrong}")).status_code in (403, 404)


async def test_a_flood_of_visitors_is_slowed_down(chat: ChatHub, web: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(web.post(f"{chat.base}/visitor", content="{}") for _ in range(90))
    )
    codes = [one.status_code for one in answers]
    assert 30 <= codes.count(200) < 80
    slowed = [one for one in answers if one.status_code == 429]
    assert len(slowed) == 90 - codes.count(200)
    assert all(int(one.headers["retry-after"]) >= 1 for one in slowed)
    assert (await web.post(f"{chat.base}/visitor", content="x" * 20_000)).status_code == 413


async def test_a_paused_chat_is_gone_from_the_site(chat: ChatHub, web: httpx.AsyncClient) -> None:
    from hub import SYSTEM, UpdateAccount

    await chat.runtime.handle(SYSTEM).do(UpdateAccount(account_id=chat.account_id, paused=True))
    assert (await web.get(f"{chat.base}/config")).status_code == 404
