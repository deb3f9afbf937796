"""Word between the processes of one hub, over PostgreSQL's NOTIFY: facts are there, somebody types.

Facts stand in the journal and are read from there: the word only wakes its readers, which look
by themselves too. Signals are never stored: who is not connected at that moment does not hear them.
SQLite is one process and needs none of this.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import psycopg

log = logging.getLogger("hub.bus")

CHANNEL = "hub"
WAITING = 1000
"""Signals kept while the connection is away; older ones are of no use to anybody."""
MAX_PAYLOAD = 7900
"""PostgreSQL takes fewer than 8000 bytes (manual, NOTIFY)."""
PAUSE_SECONDS = 0.005
"""Between two notifications: what is committed meanwhile is told in one."""
RETRY_SECONDS = 2.0


class Bus:
    """One process's ear and voice."""

    def __init__(
        self,
        url: str,
        owner: str,
        on_facts: Callable[[], None],
        on_message: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._owner = owner
        self._on_facts = on_facts
        self._on_message = on_message
        self._waiting: deque[str] = deque(maxlen=WAITING)
        self._has_facts = False
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = asyncio.Event()

    def start(self) -> None:
        """Begin to listen; a database that is away is asked again and again."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [
            asyncio.create_task(self._keep(one), name=f"bus:{one.__name__}")
            for one in (self._listen, self._speak)
        ]

    async def stop(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def facts(self) -> None:
        """Tell the others that something was committed; safe from every thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._note_facts)

    def _note_facts(self) -> None:
        self._has_facts = True
        self._wake.set()

    def send(self, message: Mapping[str, Any]) -> None:
        """Hand a signal to the other processes; on the loop only."""
        payload = orjson.dumps({**message, "from": self._owner})
        if len(payload) <= MAX_PAYLOAD:
            self._waiting.append(payload.decode())
            self._wake.set()

    async def _keep(self, run: Callable[[], Any]) -> None:
        while True:
            try:
                await run()
            except (psycopg.Error, OSError) as error:
                log.warning("bus_lost error=%s", type(error).__name__)
            self.connected.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as conn:
            await conn.execute(f"LISTEN {CHANNEL}")
            self.connected.set()
            async for one in conn.notifies():
                self._hear(one.payload)

    def _hear(self, payload: str) -> None:
        try:
            message = orjson.loads(payload)
            if message["from"] == self._owner:
                return
        except (ValueError, KeyError, TypeError):
            # Somebody else uses the name in this database.
            return
        if "facts" in message:
            self._on_facts()
        else:
            try:
                self._on_message(message)
            except (KeyError, TypeError, ValueError):
                # A newer release speaks of what this one does not know.
                log.info("bus_not_understood kind=%s", message.get("what"))

    async def _speak(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as conn:
            while True:
                await self._wake.wait()
                self._wake.clear()
                payloads = list(self._waiting)
                self._waiting.clear()
                if self._has_facts:
                    self._has_facts = False
                    payloads.append(orjson.dumps({"facts": True, "from": self._owner}).decode())
                await conn.execute(
                    "SELECT pg_notify(%s, one) FROM unnest(%s::text[]) AS one", (CHANNEL, payloads)
                )
                await asyncio.sleep(PAUSE_SECONDS)
