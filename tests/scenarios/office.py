"""A whole hub behind a real port, with one account of a channel at a vendor's stand-in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn

from hub import (
    SYSTEM,
    Account,
    AccountId,
    Attachment,
    CreateAccount,
    CreateUser,
    Dialog,
    DialogId,
    DialogQuery,
    Direction,
    Message,
    MessageId,
    Micros,
    SendMessage,
)
from hub.app import build
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from tests.houses import until

SECONDS = 60.0


@dataclass
class Office:
    """The running hub, its administrator, and the account that is tried."""

    runtime: Runtime
    user: BoundHub
    account_id: AccountId

    @property
    def system(self) -> BoundHub:
        return self.runtime.handle(SYSTEM)

    async def account(self) -> Account:
        return await self.system.account(self.account_id)

    async def dialogs(self) -> list[Dialog]:
        page = await self.system.dialogs(DialogQuery(view="everything"))
        return list(page.dialogs)

    async def messages(self, dialog_id: DialogId | None = None) -> list[Message]:
        """The messages of a dialog (of the only one), the oldest first."""
        if dialog_id is None:
            known = await self.dialogs()
            if not known:
                return []
            dialog_id = known[0].id
        return list((await self.system.thread(dialog_id)).messages)

    async def received(self, count: int) -> list[Message]:
        """Wait until so many messages came in; gives them."""

        async def enough() -> list[Message]:
            found = [one for one in await self.messages() if one.direction is not Direction.OUT]
            return found if len(found) >= count else []

        found: list[Message] = await until(enough, SECONDS)
        return found

    async def answer(self, text: str = "", **more: Any) -> MessageId:
        """Send in the only dialog."""
        dialog = (await self.dialogs())[0]
        command = SendMessage(dialog_id=dialog.id, text=text, **more)
        return MessageId((await self.user.do(command))[0])

    async def attach(self, name: str, content: bytes, media_type: str) -> Any:
        """Upload a file for the next answer; gives its id."""
        dialog = (await self.dialogs())[0]
        return await self.user.upload(
            Attachment(name=name, media_type=media_type, content=content), dialog.id
        )

    async def becomes(self, message_id: MessageId, status: str) -> Message:
        """Wait until a message has a status."""

        async def reached() -> Message | None:
            message = await self.user.message(message_id)
            return message if message.status == status else None

        found: Message = await until(reached, SECONDS)
        return found

    async def files(self, message_id: MessageId) -> list[tuple[str, str, bytes]]:
        """Wait until a message's files are here: name, media type, bytes."""

        async def fetched() -> bool:
            message = await self.system.message(message_id)
            return bool(message.attachments) and all(
                one.state == "ready" for one in message.attachments
            )

        await until(fetched, SECONDS)
        message = await self.system.message(message_id)
        found = []
        for one in message.attachments:
            file = await self.system.file(one.id)
            found.append((file.name, file.media_type, file.content or b""))
        return found


@asynccontextmanager
async def office(
    folder: Path,
    database_url: str,
    plugins: Mapping[str, ModuleType],
    channel: str,
    settings: Mapping[str, Any],
    now: Callable[[], Micros] = system_now,
) -> AsyncIterator[Office]:
    """Start a hub on a free port, reachable there for the stand-in's webhooks."""
    sock = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    host = PluginHost()
    for name, module in plugins.items():
        host.add(name, module)
    values = HubSettings(data=folder / "data", database_url=database_url, public_url=address)
    runtime = Runtime(values, plugins=host, now=now)
    app = build(values, runtime)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    async with app.router.lifespan_context(app):
        running = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            system = runtime.handle(SYSTEM)
            command = CreateUser(email="v@example.org", name="Vera", role="administrator")
            user = system.as_user((await system.do(command))[0])
            create = CreateAccount(channel=channel, title="Shop", settings=dict(settings))
            account_id = AccountId((await user.do(create))[0])
            yield Office(runtime, user, account_id)
        finally:
            server.should_exit = True
            await running
