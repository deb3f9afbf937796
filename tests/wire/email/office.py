"""A hub with mailboxes at real Dovecot and Postfix, for the tests of this folder."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

from sqlalchemy import func, select

from channels import email as email_plugin
from channels.email.channel import EmailChannel
from crm_store.tables.dialogs import messages
from hub import SYSTEM, AccountId, ChannelContext, CreateAccount, CreateUser, DialogId, DialogQuery
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.records.dialogs import Dialog
from hub.runtime import Runtime, system_now
from hub.workers import Workers
from plugins import signature as signature_plugin
from tests.houses import World, settings_for, until
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix

NewMailbox = Callable[..., Mailbox]


def letter(
    key: str, text: str = "Where is my order?", sender: str = "anna@away.example", **headers: str
) -> bytes:
    """Make a customer's letter."""
    lines = {
        "From": f"Anna <{sender}>",
        "To": "us@hub.example",
        "Subject": "Order",
        "Message-ID": f"<{key}@away.example>",
        "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


class Office:
    """A running hub with one mailbox."""

    def __init__(self, runtime: Runtime, user: BoundHub, account_id: AccountId) -> None:
        self.runtime, self.user, self.account_id = runtime, user, account_id

    async def dialogs(self) -> tuple[Dialog, ...]:
        return (await self.user.dialogs(DialogQuery(view="everything", limit=200))).dialogs

    async def count(self, direction: str = "in") -> int:
        return await self.runtime.database.read(
            lambda conn: conn.execute(
                select(func.count()).select_from(messages).where(messages.c.direction == direction)
            ).scalar_one()
        )

    async def arrived(self, number: int, seconds: float = 60.0) -> None:
        """Wait until so many letters are in."""

        async def enough() -> bool:
            return await self.count() >= number

        await until(enough, seconds)

    async def ids(self) -> list[str]:
        """Give the Message-IDs of all letters that came in, each as often as it is there."""
        return await self.runtime.database.read(
            lambda conn: list(
                conn.execute(
                    select(messages.c.external_id).where(messages.c.direction == "in")
                ).scalars()
            )
        )

    async def longest(self) -> int:
        """Give the length of the longest text that came in."""
        return await self.runtime.database.read(
            lambda conn: int(conn.execute(select(func.max(func.length(messages.c.text)))).scalar())
        )

    async def words(self, dialog_id: DialogId) -> set[str]:
        """Give what was said in a dialog; letters carry the dates of their own headers."""
        return {one.text for one in (await self.user.thread(dialog_id)).messages}

    async def state(self) -> str:
        return (await self.user.account(self.account_id)).state

    async def listening(self) -> None:
        """Wait until the mailbox was opened for the first time."""

        async def marked() -> bool:
            return bool((await self.user.account(self.account_id)).mark)

        await until(marked, 60)


class Opening:
    """What it takes to open a hub: where, and with which servers."""

    def __init__(
        self, folder: Path, url: str, authority: Authority, dovecot: Dovecot, postfix: Postfix
    ) -> None:
        self._folder, self._url, self._authority = folder, url, authority
        self.imap_port, self.smtp_port = dovecot.imaps_port, postfix.smtp_port
        self.dovecot, self.postfix = dovecot, postfix
        self.world = World()

    def settings(self, mailbox: Mailbox, **more: object) -> dict[str, object]:
        return {
            "address": mailbox.address,
            "sender_name": "Support",
            "imap_host": "localhost",
            "imap_port": self.imap_port,
            "imap_password": mailbox.password,
            "smtp_host": "localhost",
            "smtp_port": self.smtp_port,
            "smtp_security": "none",
            "smtp_login": False,
            "ca_file": str(self._authority.ca_file),
            **more,
        }

    @asynccontextmanager
    async def office(
        self, mailbox: Mailbox, *, plugins: tuple[ModuleType, ...] = (), **more: object
    ) -> AsyncIterator[Office]:
        """Run a hub; a second one in the same folder is the first one, started again."""
        host = PluginHost()
        for one in (email_plugin, signature_plugin, *plugins):
            host.add(one.__name__.rpartition(".")[2], one)
        runtime = Runtime(settings_for(self._folder, self._url), plugins=host, now=self.world.now)
        if any(hasattr(one, "register_tables") for one in plugins):
            runtime.migrate()
        await runtime.start()
        workers = Workers(runtime)
        workers.start()
        try:
            system = runtime.handle(SYSTEM)
            accounts = await system.accounts()
            if accounts:
                yield Office(runtime, system, accounts[0].id)
                return
            made = await system.do(CreateUser(email="v@h.example", name="V", role="administrator"))
            user = system.as_user(made[0])
            settings = self.settings(mailbox, **more)
            [account] = await user.do(
                CreateAccount(channel="email", title="Mail", settings=settings)
            )
            one = Office(runtime, user, account)
            if "imap_password" not in more:
                await one.listening()
            yield one
        finally:
            await workers.stop()
            await runtime.stop()


def lone_channel(**settings: object) -> EmailChannel:
    """Make a channel outside any hub."""
    context = ChannelContext(
        account_id=AccountId(1),
        title="Mail",
        http=None,  # type: ignore[arg-type]
        log=logging.getLogger("hub.channel.email"),
        now=system_now,
    )
    values = {"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1", **settings}
    return EmailChannel(EmailChannel.Settings.model_validate(values), context)
