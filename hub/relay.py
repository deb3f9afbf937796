"""The relay: offers facts to each plugin's `event_occurred`, in order, at least once.

One durable cursor per plugin. A fact on which a plugin fails three times is parked under the
plugin's name, and the next one goes on.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from crm_store.journal import cursor, last_event
from hub.commands import MoveCursor, ParkEvent
from hub.events import Event
from hub.ids import EventId
from hub.objects import SYSTEM, Actor, ActorKind
from hub.plugin_host import Plugin

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.relay")
BATCH = 100
TRIES = 3


class Relay:
    """Carries facts to the plugins."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Carry facts until cancelled; one loop per plugin, so that nobody waits for another."""
        plugins = self._runtime.plugins.with_hook("event_occurred")
        if not plugins:
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            for plugin in plugins:
                group.create_task(self._plugin(plugin), name=f"relay:{plugin.name}")

    async def _plugin(self, plugin: Plugin) -> None:
        name = f"plugin:{plugin.name}"
        after = await self._runtime.database.read(lambda conn: cursor(conn, name))
        if after is None:
            # A plugin that is new here begins now: it is not shown years of history.
            after = await self._runtime.database.read(last_event)
            await self._move(name, after)
        async with self._runtime.feed.follow(name, after, partial(_wants, plugin)) as follower:
            while True:
                events, last = await follower.next(BATCH)
                wanted = [one for one in events if _wants(plugin, one)]
                if wanted:
                    await self._offer(plugin, wanted)
                await self._move(name, last)

    async def _move(self, name: str, after: int) -> None:
        await self._runtime.do(SYSTEM, None, (MoveCursor(name=name, event_id=EventId(after)),))

    async def _offer(self, plugin: Plugin, events: list[Event]) -> None:
        if await self._try(plugin, events):
            return
        # One by one, to find the fact that the plugin cannot stand.
        for event in events:
            for attempt in range(TRIES):
                if await self._try(plugin, [event]):
                    break
                await asyncio.sleep(0.2 * 2**attempt)
            else:
                log.error("fact_parked plugin=%s event=%d", plugin.name, event.id)
                command = ParkEvent(
                    plugin=plugin.name, event_id=event.id, error=plugin.last_failure
                )
                await self._runtime.do(SYSTEM, None, (command,))

    async def _try(self, plugin: Plugin, events: list[Event]) -> bool:
        hub = self._runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        try:
            await self._runtime.plugins.call(
                plugin, "event_occurred", hub=hub, events=tuple(events)
            )
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            return False
        return True


def _wants(plugin: Plugin, event: Event) -> bool:
    return not plugin.event_types or event.type in plugin.event_types
