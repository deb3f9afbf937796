"""How often one caller may ask: counters for doors that stand open to everybody.

In memory and per process: a guard against floods, never an accounting. The number of callers it
remembers is bounded, so that a flood of invented callers cannot fill the memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from hub.ids import Micros

SECOND_US = 1_000_000


class RateLimit:
    """Allows `count` calls per `seconds` and key, refilled evenly, with the full count at first."""

    def __init__(
        self,
        count: int,
        seconds: float,
        now: Callable[[], Micros],
        *,
        max_keys: int = 20_000,
    ) -> None:
        self._count = count
        self._per_us = count / (seconds * SECOND_US)
        self._now = now
        self._max_keys = max_keys
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Count one call; gives 0, or the seconds after which the key may call again."""
        now = self._now()
        left, at = self._left.pop(key, (float(self._count), now))
        left = min(self._count, left + max(0, now - at) * self._per_us)
        waits = left < 1
        self._left[key] = (left if waits else left - 1, now)
        while len(self._left) > self._max_keys:
            self._left.popitem(last=False)
        return (1 - left) / self._per_us / SECOND_US if waits else 0.0
