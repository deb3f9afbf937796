"""A small real hub for tests: runtime, workers where wanted, and two scripted channels.

`pigeon` has no threads (one open dialog per person), `letter` has them. What `send` does is
decided by the test: a list of outcomes, used up one by one, then success.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel

from hub import (
    SYSTEM,
    AccountId,
    Address,
    Capabilities,
    Channel,
    CreateAccount,
    CreateUser,
    InboundMessage,
    Micros,
    OutboundMessage,
    Sent,
    hookimpl,
)
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.records.dialogs import Received
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.workers import Workers

US = 1_000_000


class NoSettings(BaseModel):
    """Pigeons need none."""


@dataclass
class World:
    """The far side: what reached it, and what it will answer."""

    sent: list[OutboundMessage] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    offset_us: int = 0

    def now(self) -> Micros:
        """The clock, which the test can turn."""
        return Micros(system_now() + self.offset_us)


def channels_of(world: World) -> list[type[Channel]]:
    """Make the channels of one world."""

    class Pigeon(Channel):
        name = "pigeon"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="pigeon",
            max_attachment_bytes=1_000_000,
            receipts="read",
            rate_per_second=10_000,
            max_text=4000,
            initiates=True,
            vouches=True,
        )
        Settings = NoSettings

        async def send(self, message: OutboundMessage) -> Sent:
            world.sent.append(message)
            outcome = world.outcomes.pop(0) if world.outcomes else None
            if callable(outcome):
                outcome = await outcome(message)
            if isinstance(outcome, BaseException):
                raise outcome
            if isinstance(outcome, Sent):
                return outcome
            return Sent(external_ids=(f"out-{message.idempotency_key}",))

        def parse(self, request: Any) -> Any:
            data = request.json()
            return [message(**data)]

    class Letters(Pigeon):
        name = "letter"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="email",
            threads=True,
            subject=True,
            html=True,
            copies=True,
            initiates=True,
            ordered=False,
            rate_per_second=10_000,
        )

    return [Pigeon, Letters]


def plugin_of(world: World) -> ModuleType:
    """Make the plugin that brings the scripted channels."""
    module = ModuleType("pigeons")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return channels_of(world)

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


@dataclass
class House:
    """A running hub with an administrator and one account per channel."""

    runtime: Runtime
    world: World
    user: BoundHub
    pigeon: AccountId
    letter: AccountId

    @property
    def system(self) -> BoundHub:
        """The hub's own handle."""
        return self.runtime.handle(SYSTEM)

    async def receive(self, *messages: InboundMessage, letter: bool = False) -> list[Received]:
        """Take messages in through the one inbound path."""
        account = await self.system.account(self.letter if letter else self.pigeon)
        return await self.runtime.receive(account, messages)


def message(key: str, sender: str = "anna", text: str = "hello", **more: Any) -> InboundMessage:
    """Make a customer's message."""
    kind = more.pop("kind", "pigeon")
    name = more.pop("name", sender.title())
    return InboundMessage(
        dedupe_key=key,
        external_id=more.pop("external_id", f"in-{key}"),
        sender=Address(kind=kind, value=sender, name=name),
        text=text,
        **more,
    )


def letter(key: str, sender: str = "anna@example.com", **more: Any) -> InboundMessage:
    """Make a customer's letter."""
    return message(key, sender, kind="email", **more)


def settings_for(folder: Path, url: str) -> HubSettings:
    """Give settings of a hub in a folder of its own."""
    return HubSettings(data=folder / "data", database_url=url, hold_after_hours=1e6)


def build(folder: Path, url: str, world: World, plugins: Sequence[tuple[str, Any]] = ()) -> Runtime:
    """Build a hub with the scripted channels, and these plugins, alone."""
    host = PluginHost()
    host.add("pigeons", plugin_of(world))
    for name, module in plugins:
        host.add(name, module)
    return Runtime(settings_for(folder, url), plugins=host, now=world.now)


@asynccontextmanager
async def house(
    folder: Path,
    url: str,
    *,
    workers: bool = False,
    world: World | None = None,
    plugins: Sequence[tuple[str, Any]] = (),
    migrate: bool = False,
) -> AsyncIterator[House]:
    """Run a hub with an administrator and two accounts."""
    world = world or World()
    runtime = build(folder, url, world, plugins)
    if migrate or any(one.plugin for one in runtime.nouns.values()):
        runtime.migrate()
    await runtime.start()
    loops = Workers(runtime) if workers else None
    if loops is not None:
        loops.start()
    try:
        system = runtime.handle(SYSTEM)
        user_id = (
            await system.do(CreateUser(email="vera@example.com", name="Vera", role="administrator"))
        )[0]
        user = system.as_user(user_id)
        pigeon, letters = await user.do(
            CreateAccount(channel="pigeon", title="Pigeons"),
            CreateAccount(channel="letter", title="Letters"),
        )
        yield House(runtime=runtime, world=world, user=user, pigeon=pigeon, letter=letters)
    finally:
        if loops is not None:
            await loops.stop()
        await runtime.stop()


async def until(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until something is true; a busy machine gets the time it needs."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"still not true after {seconds:g} s")
        await asyncio.sleep(0.03)
