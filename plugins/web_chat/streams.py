"""The open event streams of visitors in this process, and what wakes them.

A stream says only *that* something is new, someone types, or someone has read: the page fetches
the rest, so a missed event costs nothing. One reader of the hub's facts serves all streams; when
it ends for whatever reason, all streams end, the browsers come back, and the next one starts it.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator

from hub import AccountId, DialogId, Event, Hub, NotFound, ServerEvent

FACTS = ("message.received", "message.changed", "message.cancelled", "delivery.changed")
RELOCATED = ("dialog.linked", "dialog.merged", "dialog.unmerged", "dialog.split")
BEAT_SECONDS = 20.0
LOOK_EVERY = 6
"""Every so many quiet beats the page looks for itself: whatever was missed is found in minutes."""
MAX_STREAMS = 8
"""Open streams of one visitor; a new one ends the oldest."""
MAX_KNOWN = 10_000
_END = ""


class _Stream:
    """What waits for one browser: at most one event of each kind, the newest."""

    def __init__(self) -> None:
        self.waiting: dict[str, str] = {}
        self.woken = asyncio.Event()

    def put(self, kind: str, value: str) -> None:
        self.waiting[kind] = value
        self.woken.set()


class Streams:
    """Who listens, by account and visitor."""

    def __init__(self) -> None:
        self._open: dict[tuple[AccountId, str], list[_Stream]] = {}
        self._peers: OrderedDict[DialogId, tuple[AccountId, str]] = OrderedDict()
        self._reader: asyncio.Task[None] | None = None

    def count(self, account_id: AccountId, visitor: str) -> int:
        """How many streams a visitor has open."""
        return len(self._open.get((account_id, visitor), ()))

    def tell(self, account_id: AccountId, visitor: str, kind: str, value: str = "") -> None:
        """Wake a visitor's streams; nobody listening is fine."""
        for stream in self._open.get((account_id, visitor), ()):
            stream.put(kind, value)

    async def listen(
        self, hub: Hub, account_id: AccountId, visitor: str
    ) -> AsyncIterator[ServerEvent]:
        """Give the events of one browser until it leaves or the hub goes down."""
        stream, key = _Stream(), (account_id, visitor)
        others = self._open.setdefault(key, [])
        for old in others[: len(others) - MAX_STREAMS + 1]:
            old.put(_END, "")
        others.append(stream)
        self._start(hub)
        try:
            yield ServerEvent(event="hello", data="{}")
            quiet = 0
            while True:
                try:
                    await asyncio.wait_for(stream.woken.wait(), BEAT_SECONDS)
                except TimeoutError:
                    quiet += 1
                    looks = quiet % LOOK_EVERY == 0
                    yield ServerEvent(event="changed" if looks else "beat", data="{}")
                    continue
                stream.woken.clear()
                waiting, stream.waiting = stream.waiting, {}
                if _END in waiting:
                    return
                for kind, value in waiting.items():
                    yield ServerEvent(event=kind, data=json.dumps({"value": value}))
        finally:
            others.remove(stream)
            if not others and self._open.get(key) is others:
                del self._open[key]

    async def close(self) -> None:
        """End every stream: the hub goes down."""
        if self._reader is not None:
            self._reader.cancel()
        self._end()

    def _start(self, hub: Hub) -> None:
        loop = asyncio.get_running_loop()
        if self._reader and not self._reader.done() and self._reader.get_loop() is loop:
            return

        def ended(reader: asyncio.Task[None]) -> None:
            if not reader.cancelled() and (error := reader.exception()):
                hub.log.warning("web_chat.reader_ended error=%s", type(error).__name__)
            self._end()

        self._reader = asyncio.create_task(self._read(hub))
        self._reader.add_done_callback(ended)

    def _end(self) -> None:
        for streams in self._open.values():
            for stream in streams:
                stream.put(_END, "")

    async def _read(self, hub: Hub) -> None:
        async for event in hub.events([*FACTS, *RELOCATED]):
            if event.type in RELOCATED:
                self._peers.clear()
            elif self._open:
                await self._wake(hub, event)

    async def _wake(self, hub: Hub, event: Event) -> None:
        account_id = getattr(event, "account_id", None)
        if account_id is not None and not any(one == account_id for one, _ in self._open):
            return
        peer = self._peers.get(event.dialog)
        if peer is None:
            try:
                dialog = await hub.dialog(event.dialog)
            except NotFound:
                return
            peer = self._peers[event.dialog] = (dialog.account_id, dialog.address)
            while len(self._peers) > MAX_KNOWN:
                self._peers.popitem(last=False)
        self.tell(*peer, "changed")


STREAMS = Streams()
"""One per process, as the plugin's module itself is: channels and routes meet here."""
