"""After a long silence nothing old leaves by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel

from crm_store.holding import alive_at, held, held_deliveries, hold_facts_to, is_holding
from crm_store.journal import last_event, set_meta
from hub import (
    SYSTEM,
    AccountId,
    Address,
    Capabilities,
    Channel,
    CreateAccount,
    CreateUser,
    DialogId,
    InboundMessage,
    Job,
    MessageId,
    Micros,
    OutboundMessage,
    ReleaseHeld,
    RunJob,
    SaveWebhook,
    SendMessage,
    Sent,
    hookimpl,
)
from hub.handle import BoundHub
from hub.holding import hold_restored
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.workers import Workers

HOUR = 3_600_000_000


class NoSettings(BaseModel):
    """Pigeons need none."""


@dataclass
class World:
    """The far side: what reached it, and a clock that can be turned."""

    sent: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    offset: int = 0

    def now(self) -> Micros:
        return Micros(system_now() + self.offset)


def plugin(world: World) -> ModuleType:
    """A channel and a job that tell the world."""

    class Pigeon(Channel):
        name: ClassVar[str] = "pigeon"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="pigeon", rate_per_second=1000
        )
        Settings: ClassVar[type[BaseModel]] = NoSettings

        async def send(self, message: OutboundMessage) -> Sent:
            world.sent.append(message.text)
            return Sent(external_ids=(message.idempotency_key,))

    async def run(hub: Any, payload: Any) -> None:
        world.jobs.append(payload["name"])

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Pigeon]

    @hookimpl
    def register_jobs() -> list[Job]:
        return [Job(name="tell", run=run)]

    module = ModuleType("pigeon")
    vars(module).update(register_channels=register_channels, register_jobs=register_jobs)
    return module


@asynccontextmanager
async def running(
    folder: Path, url: str, world: World, *, workers: bool = True
) -> AsyncIterator[Runtime]:
    plugins = PluginHost()
    plugins.add("pigeon", plugin(world))
    runtime = Runtime(
        HubSettings(data=folder, database_url=url, hold_after_hours=6),
        plugins=plugins,
        now=world.now,
    )
    runtime.migrate()
    await runtime.start()
    loops = Workers(runtime)
    if workers:
        loops.start()
    try:
        yield runtime
    finally:
        await loops.stop()
        await runtime.stop()


async def opened_dialog(runtime: Runtime) -> tuple[BoundHub, DialogId]:
    hub = runtime.handle(SYSTEM)
    user_id = (await hub.do(CreateUser(email="a@b.example", name="A", role="administrator")))[0]
    user = hub.as_user(user_id)
    account_id: AccountId = (await user.do(CreateAccount(channel="pigeon", title="Pigeons")))[0]
    message = InboundMessage(
        dedupe_key="1",
        external_id="1",
        sender=Address(kind="pigeon", value="vera"),
        text="are you there",
    )
    received = (await hub.receive(account_id, [message]))[0]
    return user, received.dialog_id


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def last_alive(runtime: Runtime, at: int) -> None:
    with runtime.database.administer() as conn:
        set_meta(conn, "alive_at", str(at))


async def test_a_late_start_holds_what_is_old_and_lets_new_answers_go(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, dialog_id = await opened_dialog(runtime)
        await user.do(SendMessage(dialog_id=dialog_id, text="old"))
        await user.do(
            SendMessage(dialog_id=dialog_id, text="planned", due_at=Micros(world.now() + HOUR))
        )
        await user.do(
            SendMessage(dialog_id=dialog_id, text="to come", due_at=Micros(world.now() + 50 * HOUR))
        )
        await user.do(SaveWebhook(url="http://127.0.0.1:9/x"))
        await user.do(RunJob(name="tell", payload={"name": "old"}))
        last_alive(runtime, world.now())
    world.offset = 8 * HOUR
    async with running(tmp_path, database_url, world) as runtime:
        user = runtime.handle(user.actor)
        counts = await user.read(held)
        assert (counts.deliveries, counts.jobs) == (2, 1)
        await user.do(SendMessage(dialog_id=dialog_id, text="new", seen_message_id=MessageId(0)))
        await user.do(RunJob(name="tell", payload={"name": "new"}))
        await until(lambda: world.sent == ["new"] and world.jobs == ["new"])
        await user.do(ReleaseHeld(kind="deliveries", release=True))
        await user.do(ReleaseHeld(kind="jobs", release=False))
        await until(lambda: world.sent == ["new", "old", "planned"])
        assert (await user.read(held)).deliveries == 0
    assert world.jobs == ["new"]


async def test_a_short_pause_holds_nothing(tmp_path: Path, database_url: str) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, dialog_id = await opened_dialog(runtime)
        await user.do(SendMessage(dialog_id=dialog_id, text="an hour ago"))
        last_alive(runtime, world.now())
    world.offset = HOUR
    async with running(tmp_path, database_url, world):
        await until(lambda: world.sent == ["an hour ago"])


async def test_dropping_what_is_held_says_so_at_the_message(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, dialog_id = await opened_dialog(runtime)
        message_id = (await user.do(SendMessage(dialog_id=dialog_id, text="old")))[0]
        last_alive(runtime, world.now())
    world.offset = 100 * HOUR
    async with running(tmp_path, database_url, world) as runtime:
        user = runtime.handle(user.actor)
        await user.do(ReleaseHeld(kind="deliveries", release=False))
        assert (await user.message(message_id)).status == "suppressed"
    assert world.sent == []


async def test_held_messages_are_named_and_decided_on_one_by_one(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, dialog_id = await opened_dialog(runtime)
        ids = [
            (await user.do(SendMessage(dialog_id=dialog_id, text=text)))[0]
            for text in ("first", "second\nline", "third")
        ]
        hold_restored(runtime)
        named = await user.read(held_deliveries)
        assert [one.text for one in named] == ["first", "second line", "third"]
        assert {(one.kind, one.name, one.account) for one in named} == {
            ("dialog", "vera", "Pigeons")
        }
        assert await user.read(held_deliveries, named[1].id) == [named[2]]
        # Whoever reads the dialog sees why each of them waits, and until when.
        assert [(await user.message(one)).reason for one in ids] == ["held"] * 3
        await user.do(ReleaseHeld(kind="deliveries", release=True, ids=(named[0].id,)))
        await user.do(ReleaseHeld(kind="deliveries", release=False, ids=(named[1].id,)))
        assert await user.read(held_deliveries) == [named[2]]
        assert [
            (one.status, one.reason) for one in [await user.message(number) for number in ids]
        ] == [("queued", ""), ("suppressed", "expired"), ("queued", "held")]
        assert await user.read(is_holding)
        await user.do(ReleaseHeld(kind="deliveries", release=True))
        assert not await user.read(is_holding)


async def test_facts_from_before_a_pause_make_held_webhooks(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, _ = await opened_dialog(runtime)
        await user.do(SaveWebhook(url="http://127.0.0.1:9/x"))
        with runtime.database.administer() as conn:
            conn.exec_driver_sql(
                "INSERT INTO cursors (name, event_id, updated_at) VALUES ('webhooks', 0, 0)"
            )
        last_alive(runtime, world.now())
        before = await runtime.database.read(last_event)
    world.offset = 8 * HOUR
    async with running(tmp_path, database_url, world) as runtime:
        user = runtime.handle(user.actor)
        assert await runtime.database.read(hold_facts_to) == before
        deadline = time.monotonic() + 30
        while (await user.read(held)).webhooks != before:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_after_a_restore_everything_waits_even_what_is_planned(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with running(tmp_path, database_url, world, workers=False) as runtime:
        user, dialog_id = await opened_dialog(runtime)
        await user.do(SendMessage(dialog_id=dialog_id, text="now"))
        await user.do(
            SendMessage(dialog_id=dialog_id, text="later", due_at=Micros(world.now() + HOUR))
        )
        assert hold_restored(runtime).deliveries == 2
        assert hold_restored(runtime).deliveries == 0
        assert await runtime.database.read(alive_at) > 0
