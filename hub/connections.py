"""Connections: every account known to its provider, asked after every few minutes.

One process does it for all. What `Channel.connect` did last is remembered by the account's
version and the address of its webhook, so that a change of either connects again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_store import accounts as account_reads
from crm_store.viewer import Reader, Viewer
from hub.channel import Channel, Health
from hub.commands import RecordConnection, RecordInspection, SaveTemplates
from hub.errors import HubError
from hub.events import AccountChanged, AccountConnected, AccountCreated, BrandChanged, Event
from hub.ids import AccountId, Micros, bounded_key
from hub.objects import SYSTEM
from hub.records.system import Account

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.connections")
SWEEP_SECONDS = 15.0
CALL_SECONDS = 60.0
INSPECT_EVERY = 180.0
TEMPLATES_EVERY = 1800.0
PAUSE_FIRST = 5.0
PAUSE_LAST = 600.0
US = 1_000_000
Act = Callable[[Account], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Turn:
    """When one verb of one account is due again, and how long it waits after a failure."""

    due_at: Micros = Micros(0)
    pause: float = PAUSE_FIRST
    version: int = 0
    ended_at: Micros = Micros(0)


class Connections:
    """Connects accounts, inspects them, synchronises their templates."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turns: dict[tuple[AccountId, str], Turn] = {}
        self._tasks: dict[tuple[AccountId, str], asyncio.Task[None]] = {}
        self._looked_at = Micros(0)

    async def run(self) -> None:
        """Look after the accounts until cancelled: on each fact about one, and now and then."""
        try:
            async with self._runtime.feed.subscribe() as subscription:
                while True:
                    await self._look()
                    try:
                        async with asyncio.timeout(SWEEP_SECONDS):
                            while not any(_matters(one) for one in await subscription.get()):
                                pass
                    except TimeoutError:
                        pass
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._tasks.clear()

    async def _look(self) -> None:
        self._looked_at = self._runtime.now()
        accounts = await self._runtime.database.read(
            lambda conn: account_reads.all_accounts(
                Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now())
            )
        )
        known = {one.id for one in accounts}
        self._turns = {key: one for key, one in self._turns.items() if key[0] in known}
        for account in accounts:
            kind = self._runtime.channels.get(account.channel)
            if kind is None or account.paused:
                continue
            if kind.overrides("connect") and account.connected_to != self._wanted(account):
                self._begin(account, "connect", self._connect)
            elif kind.overrides("inspect"):
                self._begin(account, "inspect", self._inspect)
            if kind.capabilities.templates and kind.overrides("templates"):
                self._begin(account, "templates", self._templates)

    def _wanted(self, account: Account) -> str:
        return bounded_key(f"{account.version} {self._runtime.channel_host.hook_url(account)}")

    def _begin(self, account: Account, verb: str, act: Act) -> None:
        key = (account.id, verb)
        running = self._tasks.get(key)
        if running is not None and not running.done():
            return
        turn = self._turns.setdefault(key, Turn())
        if turn.version != account.version:
            # A change by hand is tried at once, whatever failed before.
            turn.due_at, turn.pause, turn.version = Micros(0), PAUSE_FIRST, account.version
        # What ended while the accounts were read is not known to what was read.
        if turn.due_at <= self._runtime.now() and turn.ended_at < self._looked_at:
            self._tasks[key] = asyncio.create_task(
                self._act(account, verb, act, turn), name=f"{verb}:{account.id}"
            )

    async def _act(self, account: Account, verb: str, act: Act, turn: Turn) -> None:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await act(account)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the account shows it
            wait = turn.pause * random.uniform(0.7, 1.3)
            turn.pause = min(PAUSE_LAST, turn.pause * 2)
            log.warning("%s_failed account=%d error=%s", verb, account.id, type(error).__name__)
            await self._failed(account, verb, error)
        else:
            turn.pause = PAUSE_FIRST
            wait = {"inspect": INSPECT_EVERY, "templates": TEMPLATES_EVERY}.get(verb, 0.0)
        turn.ended_at = self._runtime.now()
        turn.due_at = Micros(turn.ended_at + int(wait * US))

    async def _failed(self, account: Account, verb: str, error: Exception) -> None:
        # A stranger's words may hold secrets.
        words = str(error) if isinstance(error, HubError) else ""
        words = words or ("no answer in time" if isinstance(error, TimeoutError) else "")
        words = words or type(error).__name__
        if verb == "templates":
            await self._do(SaveTemplates(account_id=account.id, error=words))
        else:
            await self._runtime.channel_host.report(account.id, "down", words)

    async def _do(self, command: Any) -> None:
        await self._runtime.do(SYSTEM, None, (command,))

    async def _connect(self, account: Account) -> None:
        wanted = self._wanted(account)
        async with self._runtime.channel_host.fresh(account.id) as channel:
            await channel.connect()
        await self._do(RecordConnection(account_id=account.id, connected_to=wanted))
        log.info("connected account=%d", account.id)
        await self._runtime.channel_host.report(account.id, "ok")

    async def _inspect(self, account: Account) -> None:
        _, channel = await self._runtime.channel_host.get(account.id)
        await keep_health(self._runtime, account.id, await channel.inspect())

    async def _templates(self, account: Account) -> None:
        _, channel = await self._runtime.channel_host.get(account.id)
        await fetch_templates(self._runtime, account.id, channel)


async def keep_health(runtime: Runtime, account_id: AccountId, found: Health) -> None:
    """Store what an inspection found, and turn the account red or green."""
    command = RecordInspection(account_id=account_id, webhook=found.webhook, quota=found.quota)
    await runtime.do(SYSTEM, None, (command,))
    words = "" if found.ok else found.text or "the provider says that it does not work"
    await runtime.channel_host.report(account_id, "ok" if found.ok else "down", words)


async def fetch_templates(runtime: Runtime, account_id: AccountId, channel: Channel) -> int:
    """Synchronise an account's catalogue; gives how many entries differ."""
    asked_at = runtime.now()
    found = tuple(await channel.templates())
    command = SaveTemplates(account_id=account_id, templates=found, asked_at=asked_at)
    return int((await runtime.do(SYSTEM, None, (command,)))[0])


def _matters(item: object) -> bool:
    return isinstance(item, Event) and isinstance(
        item, AccountCreated | AccountChanged | AccountConnected | BrandChanged
    )
