"""Counting what became of sends while they go on: the larger they are, the less often.

Each look at what is due asks twice: whether too much has failed, and whether it is over. Counting a
million rows costs the processor 0.7 s on SQLite, so that it would take an ever larger part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub import Hub, Micros

Numbers = Mapping[tuple[str, str], int]

SMALL: Final = 20_000
"""So many rows are counted whenever somebody asks."""
REST_US: Final = 20
"""So many microseconds larger ones rest for each row counted: some 28 times what counting it costs."""
MOST_KEPT: Final = 1_000


class Counts:
    """What was counted lately. It may be forgotten at any time: then it is counted once more."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[Micros, Micros, Numbers]] = {}

    async def lately(self, hub: Hub, send_ids: Sequence[int]) -> Numbers:
        """Give how many rows stood in each (status, reason) now, or a moment ago."""
        key, now = tuple(send_ids), hub.now()
        if key in self._known:
            since, until, numbers = self._known[key]
            # A clock that was set back counts anew.
            if since <= now < until:
                return numbers
        return await self.exactly(hub, send_ids)

    async def exactly(self, hub: Hub, send_ids: Sequence[int]) -> Numbers:
        """Give how many rows stand in each (status, reason) now."""
        now = hub.now()
        numbers = await hub.send_counts(send_ids)
        rows = sum(numbers.values())
        self._known.pop(tuple(send_ids), None)
        if rows > SMALL:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[tuple(send_ids)] = (now, Micros(now + rows * REST_US), numbers)
        return numbers


COUNTS: Final = Counts()
"""This process's: sends have numbers of their own, whichever hub they are of."""
