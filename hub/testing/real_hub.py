"""A whole real hub for a test: database, workers and plugins, in a folder of its own.

async with running_hub(tmp_path) as house:              # every installed plugin
    account = await house.connect("pigeon", url=..., token=..., signing_key=...)
    message = await house.message("Hello")              # waits until it is in the inbox
    sent = await house.answer(message.dialog_id, "Good day")
    await house.status(sent, "delivered")
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from crm_store.journal import events_after
from hub.capabilities import Capabilities
from hub.channel import Channel
from hub.commands import CreateAccount, CreateUser, SendMessage
from hub.events.base import Event
from hub.handle import BoundHub
from hub.hookspecs import hookimpl
from hub.ids import AccountId, DialogId, MessageId
from hub.messages import Address, Arrival, InboundMessage, OutboundMessage, Sent
from hub.objects import SYSTEM
from hub.plugin_host import PluginHost
from hub.records.dialogs import Dialog, DialogQuery, Direction, Message
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.workers import Workers

T = TypeVar("T")
PATIENCE = 60.0


class LetterboxSettings(BaseModel):
    """It needs none."""


class LetterboxChannel(Channel):
    """A channel without a vendor: what it is given to send is kept here."""

    name = "letterbox"
    title = "Letterbox"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="letterbox", initiates=True, rate_per_second=10_000, idempotent_send=True
    )
    Settings: ClassVar[type[BaseModel]] = LetterboxSettings
    sent: ClassVar[list[OutboundMessage]] = []

    async def send(self, message: OutboundMessage) -> Sent:
        """Keep it."""
        self.sent.append(message)
        return Sent(external_ids=(f"letterbox-{message.idempotency_key}",))


class _Letterbox:
    """The plugin that brings it."""

    @staticmethod
    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [LetterboxChannel]


@dataclass
class RunningHub:
    """A hub that runs, and its administrator's handle."""

    runtime: Runtime
    hub: BoundHub
    letterbox: AccountId

    async def connect(self, channel: str, **settings: object) -> AccountId:
        """Connect an account of a channel; its listener starts by itself."""
        command = CreateAccount(channel=channel, title=channel.title(), settings=settings)
        account: AccountId = (await self.hub.do(command))[0]
        return account

    async def arrive(self, *texts: str, sender: str = "vera") -> list[Any]:
        """Let a customer's messages come in through the letterbox."""
        account = await self.hub.account(self.letterbox)
        arrivals: list[Arrival] = [
            InboundMessage(
                dedupe_key=f"{sender}-{self.runtime.now()}-{n}",
                external_id=f"{sender}-{self.runtime.now()}-{n}",
                sender=Address(kind="letterbox", value=sender, name=sender.title()),
                text=text,
                sent_at=self.runtime.now(),
            )
            for n, text in enumerate(texts)
        ]
        return await self.runtime.receive(account, arrivals)

    async def dialogs(self) -> tuple[Dialog, ...]:
        """Every dialog there is."""
        return (await self.hub.dialogs(DialogQuery(view="everything", limit=100))).dialogs

    async def messages(self) -> list[Message]:
        """The newest messages of every dialog."""
        threads = [await self.hub.thread(one.id) for one in await self.dialogs()]
        return [message for thread in threads for message in thread.messages]

    async def message(self, text: str, direction: Direction = Direction.IN) -> Message:
        """Wait until a message with this text is there; gives it."""

        async def find() -> Message | None:
            for one in await self.messages():
                if one.text == text and one.direction is direction:
                    return one
            return None

        found: Message = await until(find, f"a message {text!r}")
        return found

    async def facts(self, *types: str) -> list[Event]:
        """The facts of the journal so far, of these types or of all."""
        registry = self.runtime.registry
        found, _ = await self.runtime.database.read(
            lambda conn: events_after(conn, registry, 0, 10_000)
        )
        return [one for one in found if not types or one.type in types]

    async def answer(self, dialog_id: DialogId, text: str, **more: Any) -> MessageId:
        """Answer in a dialog as the administrator; gives the message's id."""
        command = SendMessage(dialog_id=dialog_id, text=text, **more)
        message_id: MessageId = (await self.hub.do(command))[0]
        return message_id

    async def status(self, message_id: MessageId, *wanted: str) -> Message:
        """Wait until a message of ours has one of these statuses."""

        async def find() -> Message | None:
            one = await self.hub.message(message_id)
            return one if one.status in wanted else None

        found: Message = await until(find, f"the status {' or '.join(wanted)}")
        return found


@asynccontextmanager
async def running_hub(
    folder: Path,
    *,
    plugins: Mapping[str, object] | None = None,
    only: Iterable[str] | None = None,
    workers: bool = True,
) -> AsyncIterator[RunningHub]:
    """Run a hub on SQLite in a folder, with every installed plugin, and these beside them.

    `only` names the installed plugins to load (() for none); `plugins` are objects by name.
    """
    host = PluginHost()
    host.add("letterbox", _Letterbox)
    for name, plugin in (plugins or {}).items():
        host.add(name, plugin)
    if only is None or list(only):
        host.load()
    if only is not None:
        for name in list(host.plugins):
            if name not in {*only, "letterbox", *(plugins or {})}:
                host.plugins[name].error = "not asked for"
    settings = HubSettings(data=folder / "data", hold_after_hours=1e6)
    runtime = Runtime(settings, plugins=host)
    await asyncio.to_thread(runtime.migrate)
    await runtime.start()
    loops = Workers(runtime) if workers else None
    if loops is not None:
        loops.start()
    try:
        system = runtime.handle(SYSTEM)
        user = CreateUser(email="vera@example.com", name="Vera", role="administrator")
        hub = system.as_user((await system.do(user))[0])
        box = (await hub.do(CreateAccount(channel="letterbox", title="Letterbox")))[0]
        yield RunningHub(runtime=runtime, hub=hub, letterbox=box)
    finally:
        if loops is not None:
            await loops.stop()
        await runtime.stop()


async def until(
    find: Callable[[], Awaitable[T | None]], words: str, seconds: float = PATIENCE
) -> T:
    """Wait until something is found; raises AssertionError with the words."""
    end = time.monotonic() + seconds
    while not (found := await find()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {words}")
        await asyncio.sleep(0.03)
    return found
