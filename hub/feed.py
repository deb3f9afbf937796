"""The feed: facts as they are committed, read once per process, handed to whoever listens.

Woken by our own commits, by NOTIFY on PostgreSQL, and by polling as the fallback. Signals
(typing, viewing, presence) travel beside the facts: never stored, lost on restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crm_store.database import Database
from crm_store.journal import events_after, last_event
from hub.events import Event, EventRegistry
from hub.following import Follower, Recent, facts_behind
from hub.ids import DialogId, UserId

log = logging.getLogger("hub.feed")
POLL_SECONDS = 0.25
QUEUE_LIMIT = 1000
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that is true only now: somebody types, looks, is here."""

    kind: str
    dialog_id: DialogId = DialogId(0)
    user_id: UserId = UserId(0)
    contact: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The listener was too slow and has missed facts: it must read again from the database."""


Item = Event | Signal | Gap


@dataclass(slots=True, eq=False)
class Subscription:
    """One listener's bounded queue."""

    queue: asyncio.Queue[list[Item]] = field(
        default_factory=lambda: asyncio.Queue(maxsize=QUEUE_LIMIT)
    )

    async def get(self) -> list[Item]:
        """Give the next batch, waiting for it."""
        return await self.queue.get()

    def put(self, batch: list[Item]) -> None:
        """Offer a batch; a full queue is emptied and told of the gap."""
        try:
            self.queue.put_nowait(batch)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait([Gap()])


class Feed:
    """The one reader of the journal in this process."""

    def __init__(self, database: Database, registry: EventRegistry) -> None:
        self.database = database
        self.registry = registry
        self.recent = Recent()
        self.followers: set[Follower] = set()
        self._subscriptions: set[Subscription] = set()
        self._reading = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: list[Callable[[list[Event]], None]] = []
        self.park: Callable[[int, str], None] | None = None
        """Puts a fact aside by its number that cannot be read; the feed goes on behind it."""
        self.tell_others: Callable[[Signal], None] | None = None
        """Where other processes share the database: hands a signal of ours to them."""

    @property
    def last(self) -> int:
        """The number of the newest fact that was read."""
        return self.recent.last

    @property
    def connections(self) -> int:
        """How many listen."""
        return len(self._subscriptions)

    def before_all(self, function: Callable[[list[Event]], None]) -> None:
        """Call a plain function with every batch before anybody else sees it (caches)."""
        self._first.append(function)

    async def start(self) -> None:
        """Begin at the newest fact."""
        self._loop = asyncio.get_running_loop()
        self.recent.start(await self.database.read(last_event))
        self._task = asyncio.create_task(self._run(), name="feed")

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Say that something was committed; safe from every thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def signal(self, signal: Signal) -> None:
        """Hand a signal to everybody who listens, in every process."""
        self.pass_on(signal)
        if self.tell_others is not None:
            self.tell_others(signal)

    def pass_on(self, signal: Signal) -> None:
        """Hand a signal to everybody who listens in this process."""
        for one in self._subscriptions:
            one.put([signal])

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Listen from now on."""
        one = Subscription()
        self._subscriptions.add(one)
        try:
            yield one
        finally:
            self._subscriptions.discard(one)

    @asynccontextmanager
    async def follow(
        self, name: str, place: int, wants: Callable[[Event], bool] | None = None
    ) -> AsyncIterator[Follower]:
        """Follow the journal from a place on; woken only for wanted facts."""
        one = Follower(self, name, place, wants)
        self.followers.add(one)
        try:
            yield one
        finally:
            self.followers.discard(one)

    async def facts(self, place: int, limit: int) -> tuple[list[Event], int]:
        """Give facts behind a place, and the place behind them; the same one at the end."""
        return await facts_behind(self, place, limit)

    async def look(self) -> None:
        """Read what is committed by now; from here on it is among the facts."""
        async with self._reading:
            await self._read()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.look()
            except Exception:
                log.exception("feed_read_failed after=%d", self.last)
                await asyncio.sleep(1)

    async def _read(self) -> None:
        while True:
            after = self.recent.last
            unreadable: list[tuple[int, str]] = []
            events, last = await self.database.read(
                lambda conn, a=after, u=unreadable: events_after(  # type: ignore[misc]
                    conn, self.registry, a, BATCH, unreadable=u
                )
            )
            if last == after:
                return
            self.recent.add(events, last)
            for event_id, error in unreadable:
                if self.park is not None:
                    self.park(event_id, error)
            if not events:
                continue
            for function in self._first:
                function(events)
            for follower in self.followers:
                follower.offer(events)
            batch: list[Item] = list(events)
            for one in self._subscriptions:
                one.put(batch)
            if len(events) < BATCH // 2:
                return
