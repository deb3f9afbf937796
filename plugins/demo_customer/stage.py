"""The stage: where the simulated people of this process wait for their cue.

Nothing here is durable: a demo that is stopped forgets who was about to say something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hub import Hub, HubError, OutboundMessage
from plugins.demo_customer.people import answer, newcomer

NEWCOMER_SECONDS = 60.0


class Stage:
    """The hub that this process runs, and the people who are about to speak."""

    def __init__(self) -> None:
        self._hub: Hub | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, hub: Hub) -> None:
        """Begin: from now on people answer and come."""
        self._hub = hub
        self._spawn(self._newcomers(hub))

    async def close(self) -> None:
        """End: nobody says another word."""
        self._hub = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def heard(self, message: OutboundMessage, external_id: str) -> None:
        """A message has reached its person."""
        if self._hub is not None:
            self._spawn(self._answer(self._hub, message, external_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, hub: Hub, message: OutboundMessage, external_id: str) -> None:
        try:
            await answer(hub, message, external_id)
        except HubError as error:
            hub.log.warning("demo_answer_failed error=%s", type(error).__name__)

    async def _newcomers(self, hub: Hub) -> None:
        while True:
            await asyncio.sleep(NEWCOMER_SECONDS)
            try:
                await newcomer(hub)
            except HubError as error:
                hub.log.warning("demo_newcomer_failed error=%s", type(error).__name__)


STAGE = Stage()
"""The one of this process: a channel object has no other way to its hub."""
