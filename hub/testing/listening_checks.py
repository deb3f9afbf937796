"""Rule 16: a channel that listens stops at once and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hub.channel import Batch, Channel
from hub.messages import InboundMessage
from hub.testing.channel_case import LONG, ChannelCase
from hub.testing.checks import Broken, check, expect


def pulls(case: type[ChannelCase]) -> bool:
    """Asked of channels that listen."""
    return case.channel.pulls()


class _Listener:
    """One running `listen`, driven as the hub does: the next batch only after the commit."""

    def __init__(self, channel: Channel, mark: str) -> None:
        self.mark = mark
        self.texts: list[str] = []
        self.batches: list[Batch] = []
        self._channel = channel
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for batch in self._channel.listen(self.mark):
            self.batches.append(batch)
            self.mark = batch.mark or self.mark
            self.texts += [one.text for one in batch.arrivals if isinstance(one, InboundMessage)]
            self._changed.set()

    async def until(self, condition: Callable[[], bool], words: str) -> None:
        try:
            async with asyncio.timeout(LONG):
                while not condition():
                    if self.task.done():
                        await self.task
                        expect(False, f"listen ended by itself before {words}")
                    self._changed.clear()
                    waiter = asyncio.ensure_future(self._changed.wait())
                    await asyncio.wait(
                        [waiter, self.task], return_when="FIRST_COMPLETED", timeout=0.2
                    )
                    waiter.cancel()
        except TimeoutError:
            raise Broken(f"listen waited {LONG:.0f} s in vain for {words}") from None

    async def stop(self) -> None:
        self.task.cancel()
        _, running = await asyncio.wait([self.task], timeout=LONG / 6)
        expect(not running, f"listen does not stop within {LONG / 6:.0f} s of being cancelled")


class ListeningChecks(ChannelCase):
    """What a pull channel does when nobody calls it."""

    @check(16, "listen", asks=pulls)
    def test_listening_stops_at_once_and_goes_on_from_its_mark(self) -> None:
        """Cancelled, it ends; started again from its mark it neither repeats nor misses."""

        async def work(url: str) -> None:
            async with self.opened(url) as channel:
                listener = _Listener(channel, "")
                await listener.until(
                    lambda: bool(listener.batches or self.far.requests),
                    "a first look at the vendor",
                )
                self.far.deliver(self.message("first", 1))
                await listener.until(lambda: "first" in listener.texts, "the first message")
                expect(listener.mark, "a batch with a message has no mark to resume from")
                await listener.stop()
            self.far.deliver(self.message("second", 2))
            async with self.opened(url) as channel:
                again = _Listener(channel, listener.mark)
                await again.until(lambda: "second" in again.texts, "a message from the pause")
                await again.stop()
                expect(
                    "first" not in again.texts, "after a restart from its mark it repeats messages"
                )
            async with self.opened(url) as channel:
                other = _Listener(channel, listener.mark)
                await other.until(
                    lambda: "second" in other.texts,
                    "the message after an older mark, whose batch was never committed",
                )
                await other.stop()

        with self.playing() as far:
            self.run(work(far.url))
