"""Following the journal: the newest facts in memory, and the places of those who read them.

Facts are read and understood once per process, by the feed, and handed as the same objects to
everybody who follows. Each follower keeps a place of its own. One that is behind what is kept
here reads for itself, until it has caught up. Nobody is woken for facts that it does not want.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from crm_store.journal import events_after
from hub.events import Event

if TYPE_CHECKING:
    from hub.feed import Feed

KEPT = 4000
"""How many facts stay in memory for followers that are a little behind."""
TELL_SECONDS = 0.5
"""How long a follower that is told of nothing goes without a place to write down."""


class Recent:
    """The newest facts, without a hole between `begin` and `last`."""

    def __init__(self) -> None:
        self.begin = 0
        self.last = 0
        self._facts: list[Event] = []

    def start(self, last: int) -> None:
        """Begin behind a fact."""
        self.begin = self.last = last
        self._facts = []

    def add(self, events: Sequence[Event], last: int) -> None:
        """Take the facts up to `last`, those before it among them."""
        self._facts += events
        self.last = last
        if len(self._facts) > 2 * KEPT:
            self.begin = self._facts[-KEPT - 1].id
            del self._facts[:-KEPT]

    def after(self, place: int, limit: int) -> tuple[list[Event], int] | None:
        """Give facts behind a place and the place behind them; None where they are not here."""
        if place >= self.last:
            return [], place
        if place < self.begin:
            return None
        first = bisect_right(self._facts, place, key=lambda one: one.id)
        found = self._facts[first : first + limit]
        more = first + limit < len(self._facts)
        return found, found[-1].id if more else self.last


class Follower:
    """One reader of the journal, with its place and what it wants to be woken for."""

    def __init__(
        self, feed: Feed, name: str, place: int, wants: Callable[[Event], bool] | None
    ) -> None:
        self.name = name
        self.place = place
        self._feed = feed
        self._wants = wants
        self._news = asyncio.Event()
        self._told = place
        self._told_at = time.monotonic()

    def offer(self, events: Sequence[Event]) -> None:
        """Wake this reader, if one of these facts is for it."""
        if not self._news.is_set() and (self._wants is None or any(map(self._wants, events))):
            self._news.set()

    def wake(self) -> None:
        """Let this reader look again, though no fact has come."""
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a wanted fact, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def next(self, limit: int) -> tuple[list[Event], int]:
        """Give the next facts among which is a wanted one, and the place behind them.

        Now and then there are none: then only the place is new, and should be written down.
        """
        while True:
            events, last = await self._feed.facts(self.place, limit)
            if last > self.place:
                self.place = last
                if self._wants is None or any(map(self._wants, events)):
                    return events, self._tell()
            elif self.place == self._told or not self._quiet_since_long():
                await self.wait(TELL_SECONDS)
                continue
            if self.place > self._told and self._quiet_since_long():
                return [], self._tell()

    def _quiet_since_long(self) -> bool:
        return time.monotonic() - self._told_at >= TELL_SECONDS

    def _tell(self) -> int:
        self._told, self._told_at = self.place, time.monotonic()
        return self.place


async def facts_behind(feed: Feed, place: int, limit: int) -> tuple[list[Event], int]:
    """Give facts behind a place: those in memory, or, for one that is far behind, from the store."""
    found = feed.recent.after(place, limit)
    if found is not None:
        return found
    return await feed.database.read(lambda conn: events_after(conn, feed.registry, place, limit))
