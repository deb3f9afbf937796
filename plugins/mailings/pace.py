"""How fast a mailing goes, seen from one look at its numbers to the next: messages a minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


def _(text: str) -> str:
    return text


MINUTE_US: Final = 60_000_000
SEEN_US: Final = 2 * MINUTE_US
"""So far back it is compared: a limit lets one go after the other, and a moment says nothing."""
LEAST_US: Final = 2_000_000
MOST_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many leave a minute, and when the last one will, at this pace (0: nobody can say)."""

    per_minute: float
    ends_at: int


class Paces:
    """What was seen lately of mailings that go on. It may be forgotten at any time."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, ...], deque[tuple[int, int]]] = {}

    def look(self, key: Sequence[int], now: int, gone: int, waiting: int) -> Pace | None:
        """Take down how many had gone by now; None until it was looked at twice."""
        seen = self._seen.get(tuple(key))
        if seen is None or (seen and not seen[-1][0] <= now < seen[-1][0] + SEEN_US):
            if len(self._seen) >= MOST_KEPT:
                self._seen.clear()
            seen = self._seen[tuple(key)] = deque()
        if not seen or now >= seen[-1][0] + LEAST_US // 2:
            seen.append((now, gone))
        # One from before the time that is compared stays, so that all of it is.
        while len(seen) > 2 and seen[1][0] <= now - SEEN_US:
            seen.popleft()
        since, before = seen[0]
        if now - since < LEAST_US:
            return None
        left = max(0, gone - before)
        ends_at = now + waiting * (now - since) // left if left else 0
        return Pace(per_minute=round(left * MINUTE_US / (now - since), 1), ends_at=ends_at)


def told(pace: Pace, now: int, words: Callable[[str], str]) -> str:
    """Say both as a person says them; `words` gives the texts in his language."""
    rate = words(_("{n} a minute")).format(n=f"{pace.per_minute:g}".replace(".", words(_("."))))
    if not pace.ends_at:
        return rate
    minutes = max(1, round((pace.ends_at - now) / MINUTE_US))
    hours, minutes = divmod(minutes, 60)
    if not hours:
        left = words(_("about {minutes} min to go")).format(minutes=minutes)
    elif hours < 10:
        text = words(_("about {hours} h {minutes} min to go"))
        left = text.format(hours=hours, minutes=minutes)
    else:
        left = words(_("about {hours} h to go")).format(hours=hours)
    return f"{rate} · {left}"


PACES: Final = Paces()
"""This process's: mailings have numbers of their own, whichever hub they are of."""
