"""The live channel objects: one per account, opened when first needed, closed when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_store import accounts as account_reads
from crm_store.viewer import Reader, Viewer
from hub.account_settings import NEEDS_SECRET, check, unseal
from hub.channel import Channel, ChannelContext
from hub.commands import RecordConnection, RecordHealth, TakeToken
from hub.errors import Invalid, NotFound
from hub.events import AccountConnected, ChannelDown, ChannelUp, Event
from hub.http_client import HubHttpClient
from hub.ids import AccountId
from hub.messages import Arrival, ButtonPressed
from hub.objects import SYSTEM
from hub.records.system import Account
from hub.shared_files import share

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.channels")
ACKNOWLEDGE_SECONDS = 10.0
DISCONNECT_SECONDS = 10.0


class ChannelHost:
    """Builds, keeps and replaces the channel objects of the accounts."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: dict[AccountId, tuple[int, Account, Channel]] = {}
        self._changes: dict[AccountId, int] = {}
        self._locks: dict[AccountId, asyncio.Lock] = {}
        self._http: HubHttpClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        runtime.feed.before_all(self._noticed)

    def _noticed(self, events: list[Event]) -> None:
        """What another process learned of an account counts here too."""
        for event in events:
            if isinstance(event, AccountConnected | ChannelDown | ChannelUp):
                self._background(self._refresh(event.account_id))

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh(self, account_id: AccountId) -> None:
        """Read an open account again; its channel object stays, and finds its memory renewed."""
        if account_id not in self._open:
            return
        account, _ = await self._load(account_id)
        known = self._open.get(account_id)
        if known is not None and known[0] == account.version:
            known[2].context = replace(known[2].context, memory=dict(account.memory))
            self._open[account_id] = (account.version, account, known[2])

    @property
    def http(self) -> HubHttpClient:
        """The client that every channel shares."""
        if self._http is None:
            self._http = HubHttpClient(self._runtime.settings.ca_file)
        return self._http

    async def get(self, account_id: AccountId) -> tuple[Account, Channel]:
        """Give an account with its open channel, rebuilt where the account has changed.

        Raises NotFound (no account, plugin gone) or Invalid (settings or secrets unusable).
        """
        known = self._open.get(account_id)
        if known is not None:
            return known[1], known[2]
        async with self._locks.setdefault(account_id, asyncio.Lock()):
            known = self._open.get(account_id)
            if known is not None:
                return known[1], known[2]
            while True:
                changes = self._changes.get(account_id, 0)
                account, sealed = await self._load(account_id)
                channel = await self._build(account, sealed)
                if changes == self._changes.get(account_id, 0):
                    break
                # The account changed meanwhile: this one would keep the old settings for good.
                await _close(channel)
            self._open[account_id] = (account.version, account, channel)
            return account, channel

    async def _load(self, account_id: AccountId) -> tuple[Account, str]:
        def run(conn: Any) -> tuple[Account, str]:
            reader = Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now())
            return (
                account_reads.account(reader, account_id),
                account_reads.sealed_secrets(reader, account_id),
            )

        return await self._runtime.database.read(run)

    async def _build(self, account: Account, sealed: str) -> Channel:
        kind = self._runtime.channels.get(account.channel)
        if kind is None:
            raise NotFound(f"the plugin of channel {account.channel!r} is not loaded")
        try:
            settings = unseal(kind, account.settings, sealed, self._runtime.keys)
        except Invalid as error:
            if error.field == NEEDS_SECRET:
                await self.report(account.id, NEEDS_SECRET, str(error))
            raise
        channel = kind(settings, self._context(account))
        await channel.open()
        return channel

    def try_out(self, kind: type[Channel], values: Mapping[str, Any], title: str) -> Channel:
        """Build an unsaved channel for a live check of its settings; the caller closes it."""
        context = ChannelContext(
            account_id=AccountId(0),
            title=title,
            http=self.http,
            log=log,
            public_url=self._runtime.public_url,
            now=self._runtime.now,
        )
        return kind(check(kind, values), context)

    def hook_url(self, account: Account) -> str:
        """Give the public address of an account's webhook, "" where the hub has none."""
        base = self._runtime.public_url.rstrip("/")
        return f"{base}/hooks/{account.hook_token}" if base else ""

    @asynccontextmanager
    async def fresh(self, account_id: AccountId) -> AsyncIterator[Channel]:
        """Give a channel object of its own for one piece of work, closed after it."""
        account, sealed = await self._load(account_id)
        channel = await self._build(account, sealed)
        try:
            yield channel
        finally:
            await _close(channel)

    async def disconnect(self, account_id: AccountId) -> None:
        """Let the channel take back what it did at its provider; never worth an error."""
        try:
            async with asyncio.timeout(DISCONNECT_SECONDS):
                account, _ = await self._load(account_id)
                kind = self._runtime.channels.get(account.channel)
                if kind is None or account.removed or not kind.overrides("disconnect"):
                    return
                async with self.fresh(account_id) as channel:
                    await channel.disconnect()
        except Exception as error:  # noqa: BLE001 - who wants to go must not be kept
            log.warning("not_disconnected account=%d error=%s", account_id, type(error).__name__)

    def _context(self, account: Account) -> ChannelContext:
        base = self._runtime.public_url.rstrip("/")

        async def remember(values: Mapping[str, str]) -> None:
            command = RecordConnection(account_id=account.id, memory=dict(values))
            await self._runtime.do(SYSTEM, None, (command,))
            # The provider may ask back at once.
            await self._refresh(account.id)

        async def take(name: str, per_minute: int, minutes: int = 1) -> int:
            command = TakeToken(
                account_id=account.id, name=name, per_minute=per_minute, minutes=minutes
            )
            return int((await self._runtime.do(SYSTEM, None, (command,)))[0])

        return ChannelContext(
            account_id=account.id,
            title=account.title,
            http=self.http,
            log=logging.getLogger(f"hub.channel.{account.channel}"),
            hook_url=self.hook_url(account),
            public_url=base,
            now=self._runtime.now,
            memory=dict(account.memory),
            remember=remember,
            take=take,
            share=lambda file: share(self._runtime.keys, base, file),
        )

    async def forget(self, account_id: AccountId) -> None:
        """Close an account's channel; the next use builds it again."""
        self._changes[account_id] = self._changes.get(account_id, 0) + 1
        known = self._open.pop(account_id, None)
        if known is not None:
            await _close(known[2])

    async def close(self) -> None:
        """Close everything."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for account_id in list(self._open):
            await self.forget(account_id)
        if self._http is not None:
            await self._http.close()
            self._http = None

    def acknowledge(self, account_id: AccountId, arrivals: Sequence[Arrival]) -> None:
        """Let the channel tell its provider which presses of buttons were taken, on its own time."""
        for arrival in arrivals:
            if isinstance(arrival, ButtonPressed):
                self._background(self._acknowledge(account_id, arrival))

    async def _acknowledge(self, account_id: AccountId, pressed: ButtonPressed) -> None:
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                _, channel = await self.get(account_id)
                await channel.acknowledge(pressed)
        except Exception as error:  # noqa: BLE001 - the press is committed; nothing is lost
            log.info("not_acknowledged account=%d error=%s", account_id, type(error).__name__)

    async def report(self, account_id: AccountId, state: str, error: str = "") -> None:
        """Note an account's health where it differs from what is known."""
        known = self._open.get(account_id)
        if known is not None and known[1].state == state and state == "ok":
            return
        await self._runtime.do(
            SYSTEM, None, (RecordHealth(account_id=account_id, state=state, error=error),)
        )
        if known is not None:
            account, _ = await self._load(account_id)
            # What was forgotten meanwhile has old settings, and is closed: it must not come back.
            if self._open.get(account_id) is known:
                self._open[account_id] = (account.version, account, known[2])


async def _close(channel: Channel) -> None:
    try:
        async with asyncio.timeout(10):
            await channel.close()
    except Exception as error:  # noqa: BLE001 - a channel must not keep the hub from stopping
        log.warning("close_failed channel=%s error=%s", channel.name, type(error).__name__)
