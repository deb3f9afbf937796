"""Listeners: one supervised `listen` per pull account, by lease in one process only."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from crm_store import accounts as account_reads
from crm_store.viewer import Reader, Viewer
from hub.errors import HubError
from hub.events import AccountChanged, AccountCreated, AccountRemoved, Event
from hub.feed import Gap
from hub.filing import file_batch
from hub.ids import AccountId
from hub.records.system import Account

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.listeners")
SWEEP_SECONDS = 30.0
CALM_SECONDS = 90.0
PAUSE_FIRST = 1.0
PAUSE_LAST = 120.0
Leased = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]


class Listeners:
    """Keeps a listener running for every account that pulls."""

    def __init__(self, runtime: Runtime, leased: Leased) -> None:
        self._runtime = runtime
        self._leased = leased
        self._tasks: dict[AccountId, tuple[int, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Reconcile the running listeners with the accounts: on each fact, and now and then."""
        async with self._runtime.feed.subscribe() as subscription:
            await self._reconcile()
            while True:
                try:
                    async with asyncio.timeout(SWEEP_SECONDS):
                        batch = await subscription.get()
                except TimeoutError:
                    await self._reconcile()
                    continue
                changed = [one for one in batch if _about_account(one)]
                for event in changed:
                    if isinstance(event, AccountChanged | AccountRemoved):
                        await self._runtime.channel_host.forget(event.account_id)
                if changed or any(isinstance(one, Gap) for one in batch):
                    await self._reconcile()

    async def _reconcile(self) -> None:
        accounts = await self._runtime.database.read(
            lambda conn: account_reads.all_accounts(
                Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now())
            )
        )
        wanted: dict[AccountId, Account] = {}
        for one in accounts:
            kind = self._runtime.channels.get(one.channel)
            if kind is not None and kind.pulls() and not one.paused:
                wanted[one.id] = one
        for account_id in list(self._tasks):
            version, task = self._tasks[account_id]
            account = wanted.get(account_id)
            if account is None or account.version != version:
                await self._end(account_id)
        for account_id, account in wanted.items():
            if account_id not in self._tasks:
                task = asyncio.create_task(self._keep(account_id), name=f"listen:{account_id}")
                self._tasks[account_id] = (account.version, task)

    async def _end(self, account_id: AccountId) -> None:
        _, task = self._tasks.pop(account_id)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._runtime.channel_host.forget(account_id)

    async def stop(self) -> None:
        """End every listener."""
        for account_id in list(self._tasks):
            await self._end(account_id)

    async def _keep(self, account_id: AccountId) -> None:
        """Listen for ever: after a failure again, with a growing pause and a red mark."""
        pause = PAUSE_FIRST
        while True:
            started = self._runtime.now()
            try:
                await self._leased(f"listen:{account_id}", lambda: self._listen(account_id))
            except asyncio.CancelledError:
                raise
            except Exception as error:
                text = str(error) or type(error).__name__
                log.warning(
                    "listen_failed account=%d error=%s",
                    account_id,
                    type(error).__name__,
                    exc_info=not isinstance(error, HubError),
                )
                await self._down(account_id, text[:1000])
                await self._runtime.channel_host.forget(account_id)
            if self._runtime.now() - started > 60_000_000:
                pause = PAUSE_FIRST
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))
            pause = min(PAUSE_LAST, pause * 2)

    async def _down(self, account_id: AccountId, text: str) -> None:
        """Show an account red; where not even that can be written, listening goes on all the same."""
        try:
            await self._runtime.channel_host.report(account_id, "down", text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next failure tells it again
            log.warning("down_not_noted account=%d error=%s", account_id, type(error).__name__)

    async def _listen(self, account_id: AccountId) -> None:
        account, channel = await self._runtime.channel_host.get(account_id)
        # The mark may have moved since the channel was opened: read it fresh.
        mark = (
            await self._runtime.database.read(
                lambda conn: account_reads.account(
                    Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now()), account_id
                )
            )
        ).mark
        calm = asyncio.create_task(self._calm(account_id), name=f"calm:{account_id}")
        try:
            async for batch in channel.listen(mark):
                await file_batch(self._runtime, account, batch)
                await self._runtime.channel_host.report(account_id, "ok")
        finally:
            calm.cancel()

    async def _calm(self, account_id: AccountId) -> None:
        """Who has listened in vain for so long is connected: nobody writes, nothing is wrong."""
        await asyncio.sleep(CALM_SECONDS)
        await self._runtime.channel_host.report(account_id, "ok")


def _about_account(item: object) -> bool:
    return isinstance(item, Event) and isinstance(
        item, AccountCreated | AccountChanged | AccountRemoved
    )
