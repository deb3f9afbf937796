"""A running hub with a web chat, a colleague who answers, and sites that show the chat."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hub import (
    SYSTEM,
    AccountId,
    Address,
    AttachmentId,
    CreateAccount,
    CreateUser,
    Dialog,
    DialogId,
    DialogQuery,
    HubSettings,
    Message,
    MessageId,
    Micros,
    OpenSession,
    SendMessage,
    UpdateAccount,
    UserId,
)
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.web.auth import COOKIE, token_hash
from hub.workers import Workers
from plugins.web_chat.streams import STREAMS
from tests.wire.web_chat.mounting import mounted

PATIENCE = 30.0
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Garden shop</title>
<style nonce="n1">body {{ margin: 40px; font: 16px Georgia, serif; {css} }}</style>
<h1>Garden shop</h1><p>{text}</p><label>Search <input id="search"></label>
<script nonce="n1">{before}</script>
<script async src="{hub}/p/web_chat/widget.js?account={account}" {attributes}></script></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One page of a customer's site that shows the chat."""

    lang: str = "en"
    css: str = ""
    text: str = "Benches, roses, apple trees. " * 20
    before: str = ""
    attributes: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    html: str = ""


@dataclass(slots=True)
class ChatHub:
    """What a test holds in its hands."""

    runtime: Runtime
    account_id: AccountId
    agent_id: UserId
    hub_url: str
    site_url: str
    sites: dict[str, Site]
    down: asyncio.Event
    stopping: asyncio.Event
    requests: list[str]

    @property
    def agent(self) -> Any:
        """The hub with the agent's hands."""
        return self.runtime.handle(SYSTEM).as_user(self.agent_id)

    @property
    def base(self) -> str:
        """Where the visitor's endpoints are."""
        return f"{self.hub_url}/p/web_chat/{self.account_id}"

    async def log_in(self) -> dict[str, str]:
        """The cookie of the agent's browser."""
        token, hub = secrets.token_urlsafe(), self.runtime.handle(SYSTEM)
        expires_at = Micros(hub.now() + 3_600_000_000)
        await hub.do(
            OpenSession(user_id=self.agent_id, token_hash=token_hash(token), expires_at=expires_at)
        )
        return {COOKIE: token}

    async def set(self, **settings: object) -> None:
        """Change settings of the chat."""
        hub = self.runtime.handle(SYSTEM)
        before = dict((await hub.account(self.account_id)).settings)
        await hub.do(UpdateAccount(account_id=self.account_id, settings=before | settings))
        await self.runtime.channel_host.forget(self.account_id)

    async def dialogs(self) -> tuple[Dialog, ...]:
        """Every dialog of the chat."""
        return (
            await self.runtime.handle(SYSTEM).dialogs(
                DialogQuery(view="everything", account_id=self.account_id)
            )
        ).dialogs

    async def messages(self, dialog_id: DialogId | None = None) -> list[Message]:
        """The messages of the only dialog, oldest first."""
        dialogs = await self.dialogs()
        if not dialogs:
            return []
        thread = await self.runtime.handle(SYSTEM).thread(dialog_id or dialogs[0].id)
        return list(thread.messages)

    async def said(self, text: str) -> Message:
        """Wait until a message with this text is in the store."""

        async def find() -> Message | None:
            return next((one for one in await self.messages() if one.text == text), None)

        return await until(find, f"no message {text!r}")

    async def listened(self, streams: int = 1) -> None:
        """Wait until the visitor of the newest dialog has so many event streams open."""
        visitor = (await self.dialogs())[0].address
        await until(
            lambda: STREAMS.count(self.account_id, visitor) == streams, f"not {streams} streams"
        )

    async def answer(self, text: str, *files: AttachmentId) -> MessageId:
        """Answer the newest dialog as the agent."""
        dialog = (await self.dialogs())[0]
        result = await self.agent.do(
            SendMessage(dialog_id=dialog.id, text=text, attachments=files, send_anyway=True)
        )
        return MessageId(getattr(result[0], "id", result[0]))

    async def signal(self, kind: str, value: str = "") -> None:
        """Show the visitor of the newest dialog a signal, as the inbox does."""
        dialog = (await self.dialogs())[0]
        _, channel = await self.runtime.channel_host.get(self.account_id)
        await channel.signal(Address(kind="web_chat", value=dialog.address), kind, value)


async def until(check: Callable[[], Any], failure: str) -> Any:
    """Wait for a condition with a generous deadline."""
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(TimeoutError):
            await stack.enter_async_context(asyncio.timeout(PATIENCE))
            while True:
                found = check()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.05)
    raise AssertionError(failure)


@contextlib.asynccontextmanager
async def running_chat(
    folder: Path, database_url: str, *, plugins: PluginHost | None = None, **settings: object
) -> AsyncIterator[ChatHub]:
    """Start a hub, its workers, and a site on another origin."""
    sockets = [_listening(), _listening()]
    hub_port, site_port = (one.getsockname()[1] for one in sockets)
    hub_url = f"http://127.0.0.1:{hub_port}"
    runtime = Runtime(
        HubSettings(
            data=folder / "data", database_url=database_url, port=hub_port, public_url=hub_url
        ),
        plugins=plugins,
    )
    runtime.migrate()
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    hub = runtime.handle(SYSTEM)
    (account_id,) = await hub.do(
        CreateAccount(channel="web_chat", title="Garden shop", settings=settings)
    )
    (agent_id,) = await hub.do(
        CreateUser(email="anna@shop.example", name="Anna", role="administrator")
    )
    chat = ChatHub(
        runtime=runtime,
        account_id=account_id,
        agent_id=agent_id,
        hub_url=hub_url,
        site_url=f"http://127.0.0.1:{site_port}",
        sites={"": Site()},
        down=asyncio.Event(),
        stopping=asyncio.Event(),
        requests=[],
    )
    servers = [
        _server(mounted(runtime, chat.down, chat.stopping, chat.requests)),
        _server(_site(chat)),
    ]
    tasks = [
        asyncio.create_task(server.serve(sockets=[one]))
        for server, one in zip(servers, sockets, strict=True)
    ]
    try:
        yield chat
    finally:
        for server in servers:
            server.should_exit = True
        chat.stopping.set()
        await STREAMS.close()
        await asyncio.gather(*tasks)
        await workers.stop()
        await runtime.stop()


def _listening() -> socket.socket:
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    one.listen(128)
    return one


def _server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2, access_log=False
    )
    return uvicorn.Server(config)


def _site(chat: ChatHub) -> Starlette:
    async def page(request: Request) -> Response:
        site = chat.sites.get(request.url.path.strip("/"), Site())
        html = site.html or PAGE.format(
            lang=site.lang,
            css=site.css,
            text=site.text,
            before=site.before,
            attributes=site.attributes,
            hub=chat.hub_url,
            account=chat.account_id,
        )
        headers = {name: value.replace("HUB", chat.hub_url) for name, value in site.headers.items()}
        return HTMLResponse(html, headers=headers)

    return Starlette(routes=[Route("/{path:path}", page)])
