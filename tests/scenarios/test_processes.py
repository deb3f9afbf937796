"""Two processes on one PostgreSQL: what happens in one is seen in the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from hub import (
    SYSTEM,
    Address,
    Capabilities,
    Channel,
    CreateAccount,
    CreateUser,
    DialogId,
    SendMessage,
    UserId,
    hookimpl,
)
from hub.feed import Signal, Subscription
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.workers import Workers
from tests.houses import NoSettings, World, channels_of, message, settings_for, until


@dataclass
class Process:
    """One process of the hub, as far as it matters here."""

    runtime: Runtime
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)


@asynccontextmanager
async def process(folder: Path, url: str, world: World | None = None) -> AsyncIterator[Process]:
    shown: list[tuple[str, str, str]] = []
    called: list[str] = []

    class Chat(Channel):
        """Its people's browsers hang in the processes."""

        name: ClassVar[str] = "chat"
        browsers: ClassVar[bool] = True
        capabilities: ClassVar[Capabilities] = Capabilities(address_kind="chat", typing=True)
        Settings: ClassVar[type[BaseModel]] = NoSettings

        async def signal(self, to: Address, kind: str, value: str = "") -> None:
            shown.append((to.value, kind, value))

    class Messenger(Chat):
        """Its provider is called over the network: once."""

        name: ClassVar[str] = "messenger"
        browsers: ClassVar[bool] = False

        async def signal(self, to: Address, kind: str, value: str = "") -> None:
            called.append(to.value)

    module = ModuleType("both")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Chat, Messenger, *channels_of(world or World())]

    module.register_channels = register_channels  # type: ignore[attr-defined]
    host = PluginHost()
    host.add("both", module)
    runtime = Runtime(settings_for(folder, url), plugins=host)
    await runtime.start()
    try:
        yield Process(runtime, shown, called)
    finally:
        await runtime.stop()


@asynccontextmanager
async def both(folder: Path, url: str, world: World | None = None) -> AsyncIterator[list[Process]]:
    async with process(folder / "a", url, world) as one, process(folder / "b", url, world) as two:
        for each in (one, two):
            assert each.runtime.signals.bus is not None
            await asyncio.wait_for(each.runtime.signals.bus.connected.wait(), 30)
        yield [one, two]


async def next_signal(subscription: Subscription) -> Signal:
    while True:
        for item in await asyncio.wait_for(subscription.get(), 30):
            if isinstance(item, Signal):
                return item


async def accounts_of(one: Process, *channels: str) -> tuple[Any, list[Any]]:
    system = one.runtime.handle(SYSTEM)
    made = await system.do(CreateUser(email="v@x.example", name="V", role="administrator"))
    user = system.as_user(made[0])
    return user, await user.do(*(CreateAccount(channel=name, title=name) for name in channels))


async def test_typing_reaches_visitors_of_every_process_and_a_provider_once(
    tmp_path: Path, postgres_url: str
) -> None:
    async with both(tmp_path, postgres_url) as (here, there):
        _, (chat, messenger) = await accounts_of(here, "chat", "messenger")
        to = Address(kind="chat", value="visitor-1")
        show = here.runtime.signals.show_person
        await show(messenger, "messenger", to, "typing", "Vera")
        await show(chat, "chat", to, "typing", "Vera")
        await until(lambda: there.shown, 30)
        assert here.shown == there.shown == [("visitor-1", "typing", "Vera")]
        # The provider was told first, so whoever told it twice would have done so by now.
        assert (here.called, there.called) == (["visitor-1"], [])


async def test_colleagues_of_another_process_see_who_types(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        both(tmp_path, postgres_url) as (here, there),
        there.runtime.feed.subscribe() as theirs,
        here.runtime.feed.subscribe() as ours,
    ):
        here.runtime.presence("typing", DialogId(5), UserId(7), "Vera")
        wanted = Signal(kind="typing", dialog_id=DialogId(5), user_id=UserId(7), value="Vera")
        assert await next_signal(theirs) == await next_signal(ours) == wanted
        # What a process has told comes back to nobody: the next that both see is another.
        there.runtime.presence("left", DialogId(5), UserId(7))
        assert (await next_signal(ours)).kind == (await next_signal(theirs)).kind == "left"


async def test_a_worker_carries_at_once_what_another_process_queues(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without word from the other process the worker would look up after an hour.
    monkeypatch.setattr("hub.dispatcher.POLL_SECONDS", 3600.0)
    monkeypatch.setattr("hub.feed.POLL_SECONDS", 3600.0)
    world = World()
    async with both(tmp_path, postgres_url, world) as (web, worker):
        workers = Workers(worker.runtime)
        workers.start("worker")
        try:
            user, (pigeon,) = await accounts_of(web, "pigeon")
            account = await user.account(pigeon)
            given = (await web.runtime.receive(account, [message("k1")]))[0]
            await user.do(SendMessage(dialog_id=given.dialog_id, text="over there"))
            await until(lambda: world.sent, 30)
            assert [one.text for one in world.sent] == ["over there"]
        finally:
            await workers.stop()


async def test_the_bus_comes_back_after_its_connection_was_cut(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.bus.RETRY_SECONDS", 0.05)
    async with both(tmp_path, postgres_url) as (here, there):
        with here.runtime.database.administer() as conn:
            conn.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE (query LIKE 'LISTEN%%' OR query LIKE '%%pg_notify%%')"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        async with there.runtime.feed.subscribe() as theirs:

            async def told() -> Signal:
                # A signal that falls into the gap is lost, so people go on typing.
                while True:
                    here.runtime.presence("typing", DialogId(5), UserId(7))
                    await asyncio.sleep(0.1)

            typing = asyncio.create_task(told())
            try:
                assert (await next_signal(theirs)).dialog_id == 5
            finally:
                typing.cancel()
