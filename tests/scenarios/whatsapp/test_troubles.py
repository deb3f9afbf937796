"""What goes wrong at Meta, and what becomes of the messages: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from channels.whatsapp.graph import Graph
from hub import Account, Invalid, UpdateAccount
from tests.houses import until
from tests.scenarios.office import SECONDS, Office
from tests.scenarios.whatsapp.conftest import bring, tell
from tests.servers.graph import PERSON, PHONE_ID, TOKEN, GraphServer, refuse
from tests.servers.stand_in import HTML, Reply, Request

MESSAGES = f"/{PHONE_ID}/messages"


async def asked(shop: Office, graph: GraphServer) -> None:
    await bring(graph, graph.text("Do you have bread?"))
    await shop.received(1)


async def test_passing_troubles_delay_and_never_double(shop: Office, graph: GraphServer) -> None:
    await asked(shop, graph)
    troubles = [
        refuse(130429, status=429, retry_after="1"),
        refuse(131056, "(#131056) pair rate limit", retry_after="1"),
        refuse(2, status=503, is_transient=True, retry_after="1"),
        Reply(429, headers={"Retry_After": "1"}),
    ]
    for n, trouble in enumerate(troubles):
        graph.fail_next(MESSAGES, trouble)
        await shop.becomes(await shop.answer(f"Yes {n}"), "sent")
    assert [one["text"]["body"] for one in graph.messages] == [
        f"Yes {n}" for n in range(len(troubles))
    ]


async def test_an_outcome_nobody_knows_is_unknown_and_not_repeated(
    shop: Office, graph: GraphServer
) -> None:
    """Meta takes the message; its answer is lost, or is a gateway's page."""
    await asked(shop, graph)
    for n, trouble in enumerate((None, HTML, Reply(500), Reply(200, b"<html>"))):
        graph.fail_next(MESSAGES, trouble, after=True)
        sent = await shop.answer(f"Yes {n}")
        await shop.becomes(sent, "unknown")
        assert len(graph.messages) == n + 1
        # The status carries our own key: what Meta tells later is still known as this message.
        await tell(graph, n, "delivered")
        await shop.becomes(sent, "delivered")


async def test_an_answer_that_never_comes_is_unknown(
    shop: Office, graph: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(shop, graph)
    defaults = {**(Graph._call.__kwdefaults__ or {}), "seconds": 1.0}
    monkeypatch.setattr(Graph._call, "__kwdefaults__", defaults)
    hold = threading.Event()
    graph.fail_next(MESSAGES, after=True, hold=hold)
    sent = await shop.answer("Yes")
    await shop.becomes(sent, "unknown")
    hold.set()
    assert len(graph.messages) == 1


async def test_a_slow_meta_holds_up_nobody_else(shop: Office, graph: GraphServer) -> None:
    await asked(shop, graph)
    hold = threading.Event()
    first = graph.handle

    def slow(request: Request) -> Reply | None:
        if MESSAGES in request.path and not hold.is_set():
            hold.wait(SECONDS)
        return first(request)

    graph.handle = slow  # type: ignore[method-assign]
    sent = await shop.answer("Yes")
    await bring(graph, graph.text("Hello?"))
    await shop.received(2)
    assert (await shop.user.message(sent)).status != "sent"
    hold.set()
    await shop.becomes(sent, "sent")
    assert len(graph.messages) == 1


async def test_a_final_refusal_fails_with_its_reason(shop: Office, graph: GraphServer) -> None:
    await asked(shop, graph)
    for code, reason in (
        (131026, "invalid_address"),
        (131047, "window_closed"),
        (131049, "spam"),
        (131050, "unsubscribed"),
        (132007, "spam"),
        (100, "provider_error"),
    ):
        graph.fail_next(MESSAGES, refuse(code, error_data={"details": "as it is"}))
        failed = await shop.becomes(await shop.answer("Yes"), "failed")
        assert (failed.reason, failed.reason_text) == (reason, f"WhatsApp {code}: as it is")
    assert graph.messages == []


async def test_a_status_that_overtakes_the_answer_is_merged(
    shop: Office, graph: GraphServer
) -> None:
    await asked(shop, graph)
    routed = graph._message

    def early(request: Request) -> tuple[str, Reply]:
        found = routed(request)
        assert graph.tell(graph.messages[-1], "delivered") == 200
        return found

    graph._message = early  # type: ignore[method-assign]
    await shop.becomes(await shop.answer("Yes"), "delivered")


async def test_a_revoked_token_turns_the_account_red_and_keeps_the_answer(
    shop: Office, graph: GraphServer
) -> None:
    await asked(shop, graph)
    fresh = "EAAGafreshtoken"
    graph.token = fresh
    sent = await shop.answer("Yes")

    async def red() -> Account | None:
        account = await shop.account()
        return account if account.state == "down" else None

    account = await until(red, SECONDS)
    assert account is not None
    assert "WhatsApp 190" in account.last_error
    assert (await shop.user.message(sent)).status == "queued"
    settings = {**account.settings, "access_token": fresh}
    await shop.user.do(UpdateAccount(account_id=shop.account_id, settings=settings))
    await shop.becomes(sent, "sent")
    assert len(graph.messages) == 1
    assert TOKEN not in json.dumps(dict(account.settings))


async def test_an_upload_that_fails_is_tried_again_and_nothing_leaves_twice(
    shop: Office, graph: GraphServer
) -> None:
    await asked(shop, graph)
    graph.fail_next("/media", after=True)
    graph.fail_next("/media", HTML)
    picture = await shop.attach("cake.jpg", b"\xff\xd8\xff\xe0cake", "image/jpeg")
    await shop.becomes(await shop.answer("Here", attachments=(picture,)), "sent")
    assert [one["type"] for one in graph.messages] == ["image"]


async def test_what_whatsapp_does_not_take_is_refused_before_the_upload(
    shop: Office, graph: GraphServer
) -> None:
    await asked(shop, graph)
    with pytest.raises(Invalid):
        await shop.answer("run", attachments=(await shop.attach("a.exe", b"MZ", "x/y"),))
    large = await shop.attach("cake.jpg", bytes(5_000_001), "image/jpeg")
    with pytest.raises(Invalid, match=r"image/jpeg up to 5 MB"):
        await shop.answer("Here", attachments=(large,))
    assert not [one for one in graph.requests if one.path.endswith("/media")]


async def test_a_file_is_got_in_spite_of_a_damaged_answer(shop: Office, graph: GraphServer) -> None:
    graph.fail_next("/store/", Reply(200, b"\xff\xd8half", "image/jpeg"))
    whole = b"\xff\xd8\xff\xe0" + b"bread" * 50
    await bring(graph, graph.file("image", "image/jpeg", whole))
    [message] = await shop.received(1)
    assert await shop.files(message.id) == [("image.jpg", "image/jpeg", whole)]


async def test_health_is_told_by_meta(shop: Office, graph: GraphServer) -> None:
    _, channel = await shop.runtime.channel_host.get(shop.account_id)
    health = await channel.inspect()
    assert (health.ok, health.webhook, health.quota) == (True, "set", "quality green")
    graph.webhook = "https://elsewhere.example/hook"
    health = await channel.inspect()
    assert (health.ok, health.webhook) == (False, "elsewhere")
    assert [one.ok for one in await channel.check()] == [True, True]
    graph.token = "another"
    checks = await channel.check()
    assert [one.ok for one in checks] == [False]
    assert "WhatsApp 190" in checks[0].text


async def test_a_crowd_in_one_request_comes_in_order(shop: Office, graph: GraphServer) -> None:
    many = [graph.text(f"line {n}") for n in range(40)]
    await bring(graph, *many)
    found = await shop.received(40)
    assert [one.text for one in found] == [f"line {n}" for n in range(40)]
    [dialog] = await shop.dialogs()
    assert dialog.address == f"+{PERSON}"
    repeated = [asyncio.to_thread(graph.bring, *many) for _ in range(4)]
    assert await asyncio.gather(*repeated) == [200] * 4
    assert len(await shop.messages()) == 40
