"""Giving out dialogs: wakes when something could be given out, and looks by itself too.

What waits stands in the database; this loop only says when to look. It runs in one process.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crm_store.desks import anything_to_route
from dialogs.handing import anything_to_turn
from hub.commands import CarryMoves, RouteWaiting, TurnAbsences
from hub.events import (
    AbsenceChanged,
    DeskChanged,
    DeskStatusesChanged,
    DialogAssigned,
    DialogOpened,
    DialogStatusChanged,
    RouteChanged,
    WorkHandedOver,
)
from hub.feed import Gap
from hub.objects import SYSTEM
from hub.rights import TELLING

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.router")
LOOK_SECONDS = 5.0
REST_SECONDS = 0.05
NEWS = (
    Gap,
    DialogOpened,
    DialogStatusChanged,
    DialogAssigned,
    DeskChanged,
    DeskStatusesChanged,
    RouteChanged,
    *TELLING,
)


class Handing:
    """The loop that begins and ends absences, and moves what they and handovers hand over."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Turn and move until cancelled."""
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                done = 0
                if await self._runtime.database.read(
                    lambda conn: anything_to_turn(conn, self._runtime.now())
                ):
                    done = sum(await self._runtime.do(SYSTEM, None, (TurnAbsences(), CarryMoves())))
                if done:
                    continue
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        while not any(
                            isinstance(one, Gap | AbsenceChanged | WorkHandedOver)
                            for one in await subscription.get()
                        ):
                            pass
                except TimeoutError:
                    pass


class Router:
    """The loop that gives out dialogs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Give out until cancelled."""
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                given = 0
                if await self._runtime.database.read(
                    lambda conn: anything_to_route(conn, self._runtime.now())
                ):
                    given = (await self._runtime.do(SYSTEM, None, (RouteWaiting(),)))[0]
                if given:
                    log.info("dialogs_routed count=%d", given)
                    await asyncio.sleep(REST_SECONDS)
                    continue
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        while not any(isinstance(one, NEWS) for one in await subscription.get()):
                            pass
                except TimeoutError:
                    pass
