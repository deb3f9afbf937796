"""The dispatcher: claims what is due, calls the wire, writes down what became of it.

`claimed` is leased and nothing is on the wire; `sending` is committed immediately before the
call, for at most as many deliveries as an account has connections. So a kill leaves no more
unknowns than there were calls under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter
from sqlalchemy import Connection, func, select

from crm_store.tables.outbox import WAITING, deliveries
from crm_store.tables.users import accounts
from hub.carrier import Carrier
from hub.errors import HubError
from hub.events import (
    AccountChanged,
    DeliveriesQueued,
    DeliveryChanged,
    Event,
    HeldReleased,
    MessageChanged,
    MessageQueued,
    NoticesMailed,
    SendSteered,
)
from hub.ids import AccountId
from hub.many_rendering import Contents
from hub.messages import Lane
from hub.notice_letters import NoticeLetters
from hub.outcomes import US, limiter_of

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.dispatcher")

POLL_SECONDS = 1.0
WAKING = (
    AccountChanged,
    MessageQueued,
    HeldReleased,
    MessageChanged,
    DeliveriesQueued,
    NoticesMailed,
    SendSteered,
)


class Dispatcher:
    """Carries the outbox of all accounts in this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wake = asyncio.Event()
        # How often there was something to look for: told before the loop hears of it.
        self._told = 0
        self._pumps: dict[AccountId, asyncio.Task[int]] = {}
        self._carriers: dict[AccountId, Carrier] = {}
        self._contents = Contents()
        self._letters = NoticeLetters(runtime)
        self._limiters: dict[AccountId, AsyncLimiter] = {}
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        runtime.on_events(self._noticed)
        if runtime.database.dialect == "postgresql":
            # What another process queued is told by the feed.
            runtime.feed.before_all(self._noticed)

    def _noticed(self, events: list[Event]) -> None:
        if any(
            isinstance(one, WAKING)
            or (isinstance(one, DeliveryChanged) and one.after in ("queued", "sent", "failed"))
            for one in events
        ):
            changed = [one.account_id for one in events if isinstance(one, AccountChanged)]
            self._loop.call_soon_threadsafe(self._look_again, changed)

    def _look_again(self, changed: Sequence[AccountId] = ()) -> None:
        self._told += 1
        self._wake.set()
        for account_id, carrier in self._carriers.items():
            if account_id in changed:
                # Its settings are others now: it goes on by what they are.
                carrier.stop()
            else:
                carrier.stir()

    async def run(self) -> None:
        """Look for accounts with due deliveries until cancelled; then let calls finish."""
        self._stopping = False
        try:
            while True:
                due, next_at = await self._runtime.database.read(self._due)
                for account_id in due:
                    if account_id in self._carriers:
                        self._carriers[account_id].look_again()
                    elif account_id not in self._pumps:
                        task = asyncio.create_task(self._pump(account_id))
                        self._pumps[account_id] = task
                        task.add_done_callback(partial(self._pump_done, account_id))
                await self._sleep(next_at)
        finally:
            await self._finish()

    def _pump_done(self, account_id: AccountId, pump: asyncio.Task[int]) -> None:
        """Look again at once only if something was told since the pump last found nothing.

        What is due and cannot be claimed (a dialog's older message waits, another process holds
        the row) is asked for once a second and with whatever is told, not without end.
        """
        self._pumps.pop(account_id, None)
        if pump.cancelled():
            return
        if pump.exception() is not None:
            log.error("pump_failed account=%d", account_id, exc_info=pump.exception())
        elif pump.result() != self._told:
            self._wake.set()

    async def _sleep(self, next_at: int) -> None:
        seconds = POLL_SECONDS
        if next_at:
            seconds = min(seconds, max(0.02, (next_at - self._runtime.now()) / US))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _finish(self) -> None:
        """A call under way ends by itself within its deadline; waiting keeps it known."""
        self._stopping = True
        for carrier in self._carriers.values():
            carrier.stop()
        if self._pumps:
            await asyncio.wait(list(self._pumps.values()), timeout=20)
        for task in self._pumps.values():
            task.cancel()

    def _due(self, conn: Connection) -> tuple[list[AccountId], int]:
        """Give the accounts with something due, and when the next one of another has something."""
        now = self._runtime.now()
        # The head of each lane is one step into the index, however much stands behind it.
        heads = [
            select(func.min(deliveries.c.due_at))
            .where(
                deliveries.c.account_id == accounts.c.id,
                deliveries.c.lane == lane.order,
                WAITING,
            )
            .scalar_subquery()
            for lane in Lane
        ]
        rows = conn.execute(
            select(accounts.c.id, *heads).where(~accounts.c.paused, ~accounts.c.removed)
        )
        first = {
            AccountId(row[0]): min(one for one in row[1:] if one is not None)
            for row in rows
            if any(one is not None for one in row[1:])
        }
        return (
            [number for number, at in first.items() if at <= now],
            min((at for at in first.values() if at > now), default=0),
        )

    async def _pump(self, account_id: AccountId) -> int:
        """Carry one account's deliveries until nothing is due; gives what was told by then."""
        try:
            _, channel = await self._runtime.channel_host.get(account_id)
        except HubError as error:
            log.warning("account_unusable account=%d error=%s", account_id, error)
            await asyncio.sleep(5)
            return self._told
        rate = channel.capabilities.rate_per_second
        limiter = self._limiters.setdefault(account_id, limiter_of(rate))
        carrier = self._carriers[account_id] = Carrier(
            self._runtime,
            account_id,
            channel,
            limiter,
            self._contents,
            self._letters,
            lambda: self._told,
        )
        if self._stopping:
            carrier.stop()
        try:
            return await carrier.run()
        finally:
            del self._carriers[account_id]
