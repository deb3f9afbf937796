"""A whole hub behind its real application on a real port, with channels that obey the test."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import uvicorn
from playwright.async_api import BrowserContext, Page
from pydantic import BaseModel
from starlette.applications import Starlette

from hub import (
    SYSTEM,
    AccountId,
    Address,
    Attachment,
    Capabilities,
    Channel,
    CreateAccount,
    CreateUser,
    DialogId,
    DialogQuery,
    HubSettings,
    InboundMessage,
    Message,
    MessageId,
    Micros,
    OpenSession,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    SendMessage,
    Sent,
    TemporaryFailure,
    UpdateProfile,
    UserId,
    hookimpl,
)
from hub.app import build
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.web.auth import COOKIE, token_hash
from tests.wire.web_chat.site import until

HOUR = 3_600_000_000


class Post:
    """What the channels of one test did, and what they shall do."""

    sent: ClassVar[list[OutboundMessage]] = []
    outcome: ClassVar[str] = "sent"


class BoatSettings(BaseModel):
    """Nothing to set."""

    address: str = "desk@boats.example"


class BoatChannel(Channel):
    """A messenger: short texts, small files, tells what was read."""

    name: ClassVar[str] = "boat"
    title: ClassVar[str] = "Boats"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="boat", max_text=4000, max_attachment_bytes=200_000, rate_per_second=1000
    )
    Settings: ClassVar[type[BaseModel]] = BoatSettings

    async def send(self, message: OutboundMessage) -> Sent:
        """Do what the test said."""
        if Post.outcome == "failed":
            raise PermanentFailure(text="the harbour is closed")
        if Post.outcome == "blocked":
            raise PermanentFailure(RejectReason.BLOCKED, "403 blocked by the user")
        if Post.outcome == "later":
            raise TemporaryFailure(text="low tide")
        if Post.outcome == "unknown":
            raise RuntimeError("the line was cut while sending")
        Post.sent.append(message)
        return Sent(external_ids=(secrets.token_hex(8),))

    async def fetch(self, attachment: Attachment) -> Attachment:
        """Files come with their bytes."""
        return attachment


class LetterChannel(BoatChannel):
    """Letters: copies, subjects, HTML."""

    name: ClassVar[str] = "letter"
    title: ClassVar[str] = "Letters"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="email",
        max_attachment_bytes=20_000_000,
        html=True,
        formatting=True,
        subject=True,
        copies=True,
        threads=True,
        initiates=True,
        rate_per_second=1000,
    )


def plugin() -> ModuleType:
    """A plugin that brings both."""

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [BoatChannel, LetterChannel]

    module = ModuleType("boats")
    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


@dataclass
class Office:
    """The running hub and its people."""

    app: Starlette
    runtime: Runtime
    url: str
    port: int
    boats: AccountId = AccountId(0)
    letters: AccountId = AccountId(0)
    users: dict[str, UserId] = field(default_factory=dict)
    number: int = 0

    @property
    def system(self) -> BoundHub:
        return self.runtime.handle(SYSTEM)

    def hands_of(self, name: str) -> BoundHub:
        """The hub as one colleague uses it."""
        found = self.system.as_user(self.users[name])
        assert isinstance(found, BoundHub)
        return found

    async def hire(self, name: str, role: str = "agent", language: str = "en") -> UserId:
        command = CreateUser(email=f"{name.lower()}@boats.example", name=name, role=role)
        user_id = UserId((await self.system.do(command))[0])
        self.users[name] = user_id
        await self.hands_of(name).do(UpdateProfile(language=language, time_zone="UTC"))
        return user_id

    async def cookie(self, name: str) -> str:
        """A session of a colleague, as the login page opens one."""
        token = secrets.token_urlsafe()
        hub = self.system
        expires_at = Micros(hub.now() + 30 * HOUR)
        await hub.do(
            OpenSession(
                user_id=self.users[name], token_hash=token_hash(token), expires_at=expires_at
            )
        )
        return token

    async def log_in(self, context: BrowserContext, name: str, url: str = "") -> None:
        await context.add_cookies(
            [{"name": COOKIE, "value": await self.cookie(name), "url": url or self.url}]
        )

    async def writes(
        self,
        person: str,
        text: str,
        *,
        account: AccountId | None = None,
        **more: object,
    ) -> DialogId:
        """A person writes; gives the dialog."""
        self.number += 1
        account_id = account or self.boats
        kind = "email" if account_id == self.letters else "boat"
        value = f"{person.split()[0].lower()}@example.org" if kind == "email" else person.lower()
        message = InboundMessage(
            dedupe_key=f"n{self.number}",
            external_id=f"n{self.number}",
            sender=Address(kind=kind, value=value, name=person),
            text=text,
            sent_at=Micros(self.system.now()),
            **more,  # type: ignore[arg-type]
        )
        account_record = await self.system.account(account_id)
        await self.runtime.receive(account_record, [message])
        page = await self.system.dialogs(
            DialogQuery(view="everything", account_id=account_id, address_kind=kind, address=value)
        )
        return page.dialogs[0].id

    async def answers(self, name: str, dialog_id: DialogId, text: str) -> MessageId:
        """A colleague answers from somewhere else."""
        result = await self.hands_of(name).do(
            SendMessage(dialog_id=dialog_id, text=text, send_anyway=True)
        )
        return MessageId(getattr(result[0], "id", result[0]))

    async def messages(self, dialog_id: DialogId) -> list[Message]:
        return list((await self.system.thread(dialog_id)).messages)

    async def wait_message(self, dialog_id: DialogId, text: str, status: str = "") -> Message:
        """Wait until a message with this text is in the store (in this state)."""

        async def find() -> Message | None:
            return next(
                (
                    one
                    for one in await self.messages(dialog_id)
                    if one.text == text and (not status or one.status == status)
                ),
                None,
            )

        found = await until(find, f"no message {text!r} {status}")
        assert isinstance(found, Message)
        return found


class Complaints(list[str]):
    """What a page complained about, and every address outside the hub it asked."""

    forgiven: tuple[str, ...] = ()

    def forgive(self, *texts: str) -> None:
        """Expect complaints with these words (the browser reports every refused request)."""
        self.forgiven += texts

    @property
    def left(self) -> list[str]:
        """What nobody expected."""
        return [one for one in self if not any(text in one for text in self.forgiven)]

    def watch(self, page: Page, url: str) -> None:
        page.on("pageerror", lambda error: self.append(f"pageerror {error}"))
        page.on(
            "console",
            lambda line: (
                self.append(f"{line.type} {line.text}")
                if line.type in ("error", "warning")
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((url, "data:", "blob:"))
                else self.append(f"request to {request.url}")
            ),
        )


def listening(host: str = "127.0.0.1") -> socket.socket:
    """Take a free port."""
    one = socket.socket()
    one.bind((host, 0))
    one.listen(128)
    return one


@contextlib.asynccontextmanager
async def open_office(
    folder: Path, database_url: str, host: str = "127.0.0.1", *more: tuple[str, ModuleType]
) -> AsyncIterator[Office]:
    """Start everything in this process, on a free port."""
    Post.sent, Post.outcome = [], "sent"
    sock = listening(host)
    port = sock.getsockname()[1]
    url = f"http://{host}:{port}"
    plugins = PluginHost()
    for name, module in (("boats", plugin()), *more):
        plugins.add(name, module)
    settings = HubSettings(
        data=folder / "data", database_url=database_url, host=host, port=port, public_url=url
    )
    runtime = Runtime(settings, plugins=plugins)
    runtime.migrate()
    app = build(settings, runtime)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", lifespan="on", timeout_graceful_shutdown=2, access_log=False
        )
    )
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        async with asyncio.timeout(60):
            while not server.started:
                if task.done():
                    task.result()
                await asyncio.sleep(0.02)
        office = Office(app, runtime, url, port)
        hub = office.system
        office.boats = AccountId(
            (await hub.do(CreateAccount(channel="boat", title="Boat post", settings={})))[0]
        )
        office.letters = AccountId(
            (await hub.do(CreateAccount(channel="letter", title="Desk", settings={})))[0]
        )
        await office.hire("Max", "administrator")
        await office.hire("Vera")
        await office.hire("Oleg")
        yield office
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        sock.close()
