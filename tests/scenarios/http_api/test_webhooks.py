"""Outgoing webhooks over real sockets: once per change, signed, tried again, never lost silently."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hub import webhook_sender
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.workers import Workers
from tests.scenarios.http_api.receiver import Answer, Posted, receiving, verify
from tests.scenarios.http_api.world import Program, World, open_world


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "SCHEDULE_SECONDS", (0.05, 0.05, 0.05))
    monkeypatch.setattr(webhook_sender, "IDLE_SECONDS", 0.05)


async def hook(program: Program, url: str, *events: str) -> dict[str, Any]:
    """Add a webhook; facts are queued for it from now on."""
    made: dict[str, Any] = await program.ok(
        "POST", "/webhooks", json={"url": url, "events": list(events) or ["message.received"]}
    )
    return made


async def until(look: Callable[[], Awaitable[Any]], seconds: float = 40) -> Any:
    """Wait until a look finds something, and give it."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


def in_state(program: Program, made: dict[str, Any], state: str) -> Callable[[], Awaitable[Any]]:
    async def look() -> Any:
        path = f"/webhooks/{made['id']}/deliveries"
        return (await program.ok("GET", path, params={"state": state}))["items"]

    return look


async def test_each_fact_is_posted_once_signed_and_without_words(world: World) -> None:
    account = await world.account()
    program = await world.program()
    async with receiving() as receiver:
        made = await hook(program, receiver.url, "message.received", "dialog.*")
        assert made["secret"].startswith("whsec_")
        assert "secret" not in (await program.ok("GET", f"/webhooks/{made['id']}"))
        came = [await world.letter(account, f"bird-{n}", "a secret word") for n in range(10)]
        await receiver.wait(20)
        await until(in_state(program, made, "done"))
        await asyncio.sleep(0.5)
        counted = Counter(one.event["type"] for one in receiver.posted)
        assert counted == {"message.received": 10, "dialog.opened": 10}
        assert len({one.id for one in receiver.posted}) == 20
        for one in receiver.posted:
            verify(made["secret"], one, time.time())
            assert one.event["id"] == one.id
            assert one.headers["content-type"] == "application/json"
            assert b"secret word" not in one.body
        told = {one.event["data"]["dialog_id"] for one in receiver.posted}
        assert told == {str(one.dialog_id) for one in came}
        events = await program.ok("GET", "/events", params={"types": "message.received"})
        bodies = {one.id: one.event for one in receiver.posted}
        # One form for all: what the journal says is what was posted.
        assert all(bodies[one["id"]] == one for one in events["events"])


async def test_what_is_refused_is_tried_again_under_the_same_id(world: World) -> None:
    account = await world.account()
    program = await world.program()
    answers: list[Answer] = [(500, {}), (429, {"retry-after": "1"}), (302, {"location": "/x"})]

    def answer(posted: Posted) -> Answer:
        return answers.pop(0) if answers else (200, {})

    async with receiving(answer) as receiver:
        made = await hook(program, receiver.url)
        await world.letter(account, "anna")
        started = time.monotonic()
        await receiver.wait(4)
        assert time.monotonic() - started > 0.9, "the receiver asked for a second"
        assert len({one.id for one in receiver.posted}) == 1
        for one in receiver.posted:
            verify(made["secret"], one, time.time())
            assert one.path == "/hook", "a redirect is not followed"
        done = (await until(in_state(program, made, "done")))[0]
        assert (done["attempts"], done["code"], done["error"]) == (4, 200, "")


async def test_what_nobody_takes_ends_on_the_dead_letter_list_and_can_be_repeated(
    world: World,
) -> None:
    account = await world.account()
    program = await world.program()
    takes = False
    async with receiving(lambda posted: (200, {}) if takes else (503, {})) as receiver:
        made = await hook(program, receiver.url)
        await world.letter(account, "anna")
        dead = (await until(in_state(program, made, "dead")))[0]
        assert (dead["attempts"], dead["code"], dead["error"]) == (4, 503, "answered 503")
        assert (await program.ok("GET", f"/webhooks/{made['id']}"))["dead"] == 1
        takes = True
        path = f"/webhooks/{made['id']}/deliveries/{dead['event_id']}/repeat"
        assert (await program.ok("POST", path))["state"] in ("queued", "sending", "done")
        done = (await until(in_state(program, made, "done")))[0]
        assert done["event_id"] == dead["event_id"]
        assert receiver.posted[-1].id == dead["event_id"]
        assert (await program.ok("GET", f"/webhooks/{made['id']}"))["dead"] == 0
        nowhere = f"/webhooks/1/deliveries/{dead['event_id']}/repeat"
        await program.refused(404, "not_found", "POST", nowhere)
        epoch = dead["event_id"].partition("-")[0]
        for number in ("999999999", "0"):
            unknown = f"/webhooks/{made['id']}/deliveries/{epoch}-{number}/repeat"
            await program.refused(404, "not_found", "POST", unknown)


async def test_gone_ends_it(world: World) -> None:
    account = await world.account()
    program = await world.program()
    async with receiving(lambda posted: (410, {})) as receiver:
        made = await hook(program, receiver.url)
        await world.letter(account, "anna")
        await until(in_state(program, made, "dead"))

        async def is_off() -> bool:
            return not (await program.ok("GET", f"/webhooks/{made['id']}"))["active"]

        await until(is_off)
        await world.letter(account, "boris")
        await asyncio.sleep(0.6)
        assert len(receiver.posted) == 1
        changed = await program.ok("GET", "/events", params={"types": "webhook.changed"})
        assert len(changed["events"]) == 2


@pytest.mark.slow
async def test_a_slow_receiver_does_not_hold_the_others_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sender, "TIMEOUT_SECONDS", 3.0)
    account = await world.account()
    program = await world.program()
    async with receiving(lambda posted: None) as slow, receiving() as quick:
        stuck = await hook(program, slow.url)
        await hook(program, quick.url)
        for n in range(5):
            await world.letter(account, f"bird-{n}")
        await slow.wait(5)
        await quick.wait(5, seconds=2.5)
        failed = (await until(in_state(program, stuck, "dead"), 60))[0]
        assert failed["error"] == "no answer within 3 seconds"


async def test_a_test_event_tells_what_was_answered(world: World) -> None:
    program = await world.program()
    status = 200
    async with receiving(lambda posted: (status, {})) as receiver:
        made = await hook(program, receiver.url)
        found = await program.ok("POST", f"/webhooks/{made['id']}/ping")
        assert (found["ok"], found["code"], found["error"]) == (True, 200, "")
        verify(made["secret"], receiver.posted[0], time.time())
        assert receiver.posted[0].event["type"] == "ping"
        status = 401
        found = await program.ok("POST", f"/webhooks/{made['id']}/ping")
        assert (found["ok"], found["code"]) == (False, 401)
        changed = await program.ok("PATCH", f"/webhooks/{made['id']}", json={"new_secret": True})
        assert changed["secret"] not in ("", made["secret"])
        await program.ok("POST", f"/webhooks/{made['id']}/ping")
        verify(changed["secret"], receiver.posted[-1], time.time())
        with pytest.raises(AssertionError):
            verify(made["secret"], receiver.posted[-1], time.time())
    found = await program.ok("POST", f"/webhooks/{made['id']}/ping")
    assert (found["ok"], found["code"]) == (False, 0)
    assert found["error"].startswith("ConnectError")


async def test_a_webhook_is_changed_paused_and_removed(world: World) -> None:
    account = await world.account()
    program = await world.program()
    async with receiving() as receiver:
        made = await hook(program, receiver.url)
        path = f"/webhooks/{made['id']}"
        changed = await program.ok("PATCH", path, json={"active": False})
        assert changed == {**changed, "active": False, "events": ["message.received"]}
        # Another one shows how far the journal has been walked.
        witness = await hook(program, receiver.url)
        await world.letter(account, "anna")
        await receiver.wait(1)
        await program.ok("DELETE", f"/webhooks/{witness['id']}")
        await program.ok("PATCH", path, json={"active": True, "events": ["dialog.opened"]})
        await world.letter(account, "boris")
        await receiver.wait(2)
        kinds = [one.event["type"] for one in receiver.posted]
        assert kinds == ["message.received", "dialog.opened"]
        listed = await program.ok("GET", f"{path}/deliveries")
        assert len(listed["items"]) == 1
        await program.ok("DELETE", path)
        await program.refused(404, "not_found", "GET", path)
        await program.refused(404, "not_found", "GET", f"{path}/deliveries")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://user:password@example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://exa mple.org/",
        "http://example.org:99999/",
        "//example.org/",
        "http://example.org/\\x",
    ],
)
async def test_an_address_that_is_never_called_is_refused_when_typed(
    world: World, url: str
) -> None:
    program = await world.program()
    error = await program.refused(422, "invalid", "POST", "/webhooks", json={"url": url})
    assert error["field"] == "url"


async def test_private_addresses_are_called_only_where_allowed(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        open_world(tmp_path, database_url, webhooks_allow_private=False) as world,
        receiving() as receiver,
    ):
        program = await world.program()
        for host in ("127.0.0.1", "localhost"):
            made = await hook(program, f"http://{host}:{receiver.port}/")
            found = await program.ok("POST", f"/webhooks/{made['id']}/ping")
            assert found["ok"] is False
            assert "not called" in found["error"]
        assert receiver.posted == []


async def test_a_name_that_points_to_metadata_is_not_called(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked at when it is called, not when it is typed."""
    loop = asyncio.get_running_loop()
    plain = loop.getaddrinfo

    async def rebound(host: Any, port: Any, **more: Any) -> Any:
        if host == "innocent.example":
            return [(2, 1, 6, "", ("127.0.0.1", port)), (2, 1, 6, "", ("169.254.169.254", port))]
        return await plain(host, port, **more)

    monkeypatch.setattr(loop, "getaddrinfo", rebound)
    program = await world.program()
    made = await hook(program, "http://innocent.example/")
    found = await program.ok("POST", f"/webhooks/{made['id']}/ping")
    assert (found["ok"], found["code"]) == (False, 0)
    assert "not called" in found["error"]


async def test_two_hubs_on_one_database_post_each_fact_once(world: World, tmp_path: Path) -> None:
    account = await world.account()
    program = await world.program()
    first = world.house.runtime
    settings = HubSettings(data=tmp_path / "data", database_url=first.settings.database)
    second = Runtime(settings, plugins=first.plugins)
    await second.start()
    workers = Workers(second)
    workers.start("worker")
    try:
        async with receiving() as receiver:
            made = await hook(program, receiver.url)
            for n in range(100):
                await world.letter(account, f"bird-{n}")
            await receiver.wait(100)

            async def is_all_done() -> bool:
                path = f"/webhooks/{made['id']}/deliveries"
                found = await program.ok("GET", path, params={"state": "done", "limit": 200})
                return len(found["items"]) == 100

            await until(is_all_done)
            await asyncio.sleep(0.5)
            assert set(Counter(one.id for one in receiver.posted).values()) == {1}
            assert len(receiver.posted) == 100
    finally:
        await workers.stop()
        await second.stop()


async def test_a_late_settle_of_a_lost_lease_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hung and comes back must not end what another one has taken over."""
    account = await world.account()
    program = await world.program()
    gate = asyncio.Event()
    plain = webhook_sender.WebhookSender._call
    hung: list[str] = []

    async def hang(self: Any, url: str, headers: dict[str, str], body: bytes) -> Any:
        if not hung:
            hung.append(headers["webhook-id"])
            await gate.wait()
            return webhook_sender.Outcome(code=410, error="answered 410")
        return await plain(self, url, headers, body)

    monkeypatch.setattr(webhook_sender, "LEASE_US", 300_000)
    monkeypatch.setattr(webhook_sender.WebhookSender, "_call", hang)
    async with receiving() as receiver:
        made = await hook(program, receiver.url)
        await world.letter(account, "anna")
        await receiver.wait(1)
        await until(in_state(program, made, "done"))
        gate.set()
        await asyncio.sleep(0.4)
        assert (await program.ok("GET", f"/webhooks/{made['id']}"))["active"] is True
        assert len(await in_state(program, made, "done")()) == 1
