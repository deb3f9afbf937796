"""The webhook door over a real hub: nothing forged gets in, nothing else gets lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import OperationalError
from starlette.responses import PlainTextResponse

from crm_store.quarantine import quarantine_item, quarantined
from hub import (
    SYSTEM,
    AccountId,
    CreateAccount,
    CreateUser,
    DialogQuery,
    QuarantineItem,
    UpdateAccount,
)
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.replay import replay
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.web.webhooks import WebhookDoor, WebhookNumbers
from tests.scenarios.web.pigeons import KEY, SETTINGS, letter, plugin, signed


@dataclass
class House:
    """A running hub with its door, and somebody who knocks."""

    runtime: Runtime
    admin: BoundHub
    door: WebhookDoor
    client: httpx2.AsyncClient
    numbers: WebhookNumbers

    async def hook(self, channel: str = "pigeon") -> str:
        account_id = (
            await self.admin.do(CreateAccount(channel=channel, title="Loft", settings=SETTINGS))
        )[0]
        return f"/hooks/{(await self.admin.account(account_id)).hook_token}"

    async def account_of(self, hook: str) -> AccountId:
        found = await self.admin.accounts()
        return next(one.id for one in found if hook.endswith(one.hook_token))

    async def dialogs(self) -> int:
        return len((await self.admin.dialogs(DialogQuery())).dialogs)

    async def kept(self) -> list[QuarantineItem]:
        return await self.admin.read(quarantined)


async def _otherwise(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("a page")(scope, receive, send)


def _raise(*_: Any) -> Any:
    raise RuntimeError("a mistake of the channel's")


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    plugins = PluginHost()
    plugins.add("pigeons", plugin())
    settings = HubSettings(
        data=tmp_path / "data",
        database_url=database_url,
        public_url="https://hub.example",
        max_body=200_000,
    )
    runtime = Runtime(settings, plugins=plugins)
    runtime.migrate()
    await runtime.start()
    numbers = WebhookNumbers()
    door = WebhookDoor(_otherwise, runtime, numbers)
    user_id = (
        await runtime.handle(SYSTEM).do(
            CreateUser(email="a@example.org", name="Ada", role="administrator")
        )
    )[0]
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=door), base_url="https://evil.example"
    ) as client:
        yield House(runtime, runtime.handle(SYSTEM).as_user(user_id), door, client, numbers)
    await runtime.stop()


async def test_a_signed_letter_is_a_dialog_when_the_answer_comes(house: House) -> None:
    hook = await house.hook()
    body, headers = letter("1", "where is my order")
    answer = await house.client.post(hook, content=body, headers=headers)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert await house.dialogs() == 1
    assert await house.kept() == []


async def test_the_same_letter_again_changes_nothing(house: House) -> None:
    hook = await house.hook()
    body, headers = letter("1")
    answers = await asyncio.gather(
        *(house.client.post(hook, content=body, headers=headers) for _ in range(20))
    )
    assert {one.status_code for one in answers} == {200}
    page = await house.admin.dialogs(DialogQuery())
    assert len(page.dialogs) == 1
    assert len((await house.admin.thread(page.dialogs[0].id)).messages) == 1


@pytest.mark.parametrize("forgery", ["unsigned", "another key", "changed afterwards"])
async def test_a_forged_letter_is_refused_and_not_kept(house: House, forgery: str) -> None:
    hook = await house.hook()
    body, headers = letter("1", key="not-the-key" if forgery == "another key" else KEY)
    if forgery == "unsigned":
        headers.pop("x-pigeon")
    if forgery == "changed afterwards":
        body += b" "
    answer = await house.client.post(hook, content=body, headers=headers)
    assert answer.status_code == 403
    assert await house.dialogs() == 0
    assert await house.kept() == []


async def test_an_unknown_address_is_not_found(house: House) -> None:
    body, headers = letter("1")
    assert (
        await house.client.post("/hooks/nobody", content=body, headers=headers)
    ).status_code == 404
    assert (await house.client.post("/hooks/", content=body, headers=headers)).status_code == 404


async def test_what_cannot_be_read_is_kept_with_its_bytes_and_answered_well(house: House) -> None:
    hook = await house.hook()
    body = b'{"kind": "of a future version"}'
    answer = await house.client.post(hook, content=body, headers=signed(body))
    assert (answer.status_code, answer.text) == (200, "ok")
    item = await house.admin.read(quarantine_item, (await house.kept())[0].id)
    assert item.raw == body
    assert "KeyError" in item.error
    assert "parse" in item.trace
    assert item.url == f"https://hub.example{hook}"
    assert dict(item.headers)["x-pigeon"] == signed(body)["x-pigeon"]


async def test_what_was_kept_is_read_again_with_its_signature(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await house.hook()
    account_id = await house.account_of(hook)
    body, headers = letter("7", key="the-new-key-of-theirs")
    _, channel = await house.runtime.channel_host.get(account_id)
    with monkeypatch.context() as patch:
        patch.setattr(type(channel), "parse", _raise)
        await house.client.post(hook, content=body, headers=headers)
    await house.admin.do(
        UpdateAccount(
            account_id=account_id, settings={**SETTINGS, "signing_key": "the-new-key-of-theirs"}
        )
    )
    await house.runtime.channel_host.forget(account_id)
    assert await replay(house.runtime, (await house.kept())[0].id) == 1
    assert await house.dialogs() == 1


async def test_too_large_a_body_is_refused_before_it_is_read(house: House) -> None:
    hook = await house.hook()
    answer = await house.client.post(hook, content=b"x" * 200_001)
    assert answer.status_code == 413
    assert await house.kept() == []


async def test_too_large_a_stream_is_refused_while_it_comes(house: House) -> None:
    token = (await house.hook()).rpartition("/")[2]
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 50_000
        return {"type": "http.request", "body": b"x" * 50_000, "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/{token}",
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
        "client": ("203.0.113.5", 1),
    }
    await house.door(scope, receive, send)
    assert sent[0]["status"] == 413
    assert taken <= 250_000


async def test_a_body_cut_off_half_way_is_nobodys_message(house: House) -> None:
    token = (await house.hook()).rpartition("/")[2]
    messages = iter(
        [
            {"type": "http.request", "body": b'{"id"', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/{token}",
        "query_string": b"",
        "headers": [],
        "client": ("203.0.113.5", 1),
    }
    await house.door(scope, receive, send)
    assert sent == []
    assert await house.kept() == []


async def test_a_challenge_is_answered_in_the_channels_own_words(house: House) -> None:
    hook = await house.hook()
    answer = await house.client.get(f"{hook}?challenge=abc%20d")
    assert (answer.status_code, answer.text) == (200, "abc d")


async def test_a_channel_without_a_webhook_takes_none(house: House) -> None:
    hook = await house.hook("owl")
    body, headers = letter("1")
    assert (await house.client.post(hook, content=body, headers=headers)).status_code == 405
    assert await house.kept() == []


async def test_a_paused_account_asks_the_provider_to_come_again(house: House) -> None:
    hook = await house.hook()
    body, headers = letter("1")
    assert (await house.client.post(hook, content=body, headers=headers)).status_code == 200
    await house.admin.do(UpdateAccount(account_id=await house.account_of(hook), paused=True))
    body, headers = letter("2")
    async with asyncio.timeout(10):
        while True:
            answer = await house.client.post(hook, content=body, headers=headers)
            if answer.status_code == 503:
                break
            await asyncio.sleep(0.02)
    assert answer.headers["retry-after"] == "300"


async def test_a_new_secret_counts_without_a_restart(house: House) -> None:
    hook = await house.hook()
    old, old_headers = letter("1")
    assert (await house.client.post(hook, content=old, headers=old_headers)).status_code == 200
    await house.admin.do(
        UpdateAccount(
            account_id=await house.account_of(hook),
            settings={**SETTINGS, "signing_key": "rotated-key"},
        )
    )
    new, new_headers = letter("2", key="rotated-key")
    async with asyncio.timeout(10):
        while (await house.client.post(hook, content=new, headers=new_headers)).status_code != 200:
            await asyncio.sleep(0.02)
    assert (await house.client.post(hook, content=old, headers=old_headers)).status_code == 403


async def test_when_nothing_can_be_written_the_provider_is_told_to_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await house.hook()
    body, headers = letter("1")

    async def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("insert", {}, Exception("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(house.runtime, "receive", broken)
        answer = await house.client.post(hook, content=body, headers=headers)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert (await house.client.post(hook, content=body, headers=headers)).status_code == 200
    assert await house.dialogs() == 1


async def test_browsers_of_other_sites_may_call_where_the_channel_says_so(house: House) -> None:
    hook = await house.hook("street_pigeon")
    answer = await house.client.options(
        hook,
        headers={"origin": "https://shop.example", "access-control-request-headers": "x-pigeon"},
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "x-pigeon"
    private = await house.hook("pigeon")
    answer = await house.client.options(private, headers={"origin": "https://shop.example"})
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


async def test_one_address_that_calls_too_often_is_asked_to_wait(house: House) -> None:
    hook = await house.hook("street_pigeon")
    statuses = []
    for number in range(4):
        body, headers = letter(str(number))
        statuses.append((await house.client.post(hook, content=body, headers=headers)).status_code)
    assert statuses == [200, 200, 200, 429]


async def test_other_addresses_of_the_house_are_passed_on(house: House) -> None:
    assert (await house.client.get("/inbox")).text == "a page"


async def test_the_house_counts_what_comes_in(house: House) -> None:
    hook = await house.hook()
    body, headers = letter("1")
    await house.client.post(hook, content=body, headers=headers)
    await house.client.post(hook, content=body)
    value = house.numbers.registry.get_sample_value
    assert value("hub_webhook_requests_total", {"status": "200"}) == 1
    assert value("hub_webhook_requests_total", {"status": "403"}) == 1
    assert value("hub_webhook_seconds_count") == 2


async def test_nothing_a_stranger_sends_brings_the_door_down(house: House) -> None:
    hook = await house.hook()
    hostile = [b"", b"\x00" * 100, b"[" * 20_000, json.dumps([1, 2]).encode(), "ё".encode("utf-16")]
    for body in hostile:
        for headers in ({}, signed(body), {"x-pigeon": "é" * 3}, {"content-type": "\x80weird"}):
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            answer = await house.client.post(hook, content=body, headers=raw)
            assert answer.status_code in (200, 403)
