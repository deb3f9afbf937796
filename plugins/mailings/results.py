"""What became of a mailing: the funnel, and whether it is finished, read from the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub import Hub, Micros
from plugins.mailings.audience import sends_of, sends_of_each
from plugins.mailings.counting import MOST_KEPT, REST_US, SMALL
from plugins.mailings.pace import PACES, Pace
from plugins.mailings.plans import Mailing

OPEN = ("queued", "claimed", "sending", "paused")
GONE = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The numbers of a mailing; planned is always their sum."""

    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    kept_back: int = 0
    seen: int = 0
    clicked: int = 0
    answered: int = 0
    machines: int = 0
    reasons: tuple[tuple[str, str, int], ...] = ()


async def funnel_of(hub: Hub, mailing: Mailing) -> Funnel:
    """Count."""
    if not mailing.send_id:
        return Funnel()
    sends = await sends_of(hub, mailing)
    return _funnel(await hub.send_counts(sends), await hub.send_touches(sends))


async def funnels_of(hub: Hub, wanted: Sequence[Mailing]) -> dict[int, Funnel]:
    """Count for a list of mailings, asked at once."""
    sends = await sends_of_each(hub, [one for one in wanted if one.send_id])
    counted = await hub.send_numbers([one for each in sends.values() for one in each])
    found = {one.id: Funnel() for one in wanted}
    for number, mine in sends.items():
        # A delivery is of one send: what each of them had adds up.
        numbers, touched = Counter[tuple[str, str]](), Counter[str]()
        for send_id in mine:
            numbers.update(counted[send_id][0])
            touched.update(counted[send_id][1])
        found[number] = _funnel(numbers, touched)
    return found


class Funnels:
    """What was counted lately of mailings. It may be forgotten at any time: then it is counted again."""

    def __init__(self, small: int = SMALL, rest_us: int = REST_US) -> None:
        self._small, self._rest_us = small, rest_us
        self._known: dict[tuple[int, ...], tuple[Micros, Micros, Funnel]] = {}

    async def lately(
        self, hub: Hub, wanted: Sequence[Mailing], *, exact: bool = False
    ) -> dict[int, tuple[Funnel, Micros]]:
        """Give the numbers of a list with when they were counted, now or a moment ago.

        The larger a mailing, the longer its numbers are kept; `exact` counts all of them now.
        """
        now = hub.now()
        sends = await sends_of_each(hub, wanted)
        keys = {one.id: (one.id, *sends[one.id]) for one in wanted}
        found = {}
        for one in wanted:
            since, until, funnel = self._known.get(keys[one.id], (now, now, Funnel()))
            # A clock that was set back counts anew.
            if not exact and since <= now < until:
                found[one.id] = funnel, since
        left = [one for one in wanted if one.id not in found]
        for number, funnel in (await funnels_of(hub, left)).items():
            found[number] = funnel, now
            self._known.pop(keys[number], None)
            if funnel.planned > self._small:
                if len(self._known) >= MOST_KEPT:
                    self._known.clear()
                rest = funnel.planned * self._rest_us
                self._known[keys[number]] = now, Micros(now + rest), funnel
        return found


FUNNELS: Final = Funnels()
"""This process's: sends have numbers of their own, whichever hub they are of."""


def _funnel(numbers: Mapping[tuple[str, str], int], touched: Mapping[str, int]) -> Funnel:
    def count(*states: str) -> int:
        return sum(n for (status, _), n in numbers.items() if status in states)

    reasons = [
        (status, reason, n)
        for (status, reason), n in numbers.items()
        if status in ("failed", "suppressed", "unknown")
    ]
    return Funnel(
        planned=sum(numbers.values()),
        waiting=count(*OPEN),
        sent=count(*GONE),
        delivered=count("delivered", "read"),
        failed=count("failed"),
        unknown=count("unknown"),
        kept_back=count("suppressed"),
        seen=touched.get("seen", 0),
        clicked=touched.get("clicked", 0),
        answered=touched.get("answered", 0),
        machines=touched.get("clicked_by_machine", 0) + touched.get("opened_by_machine", 0),
        reasons=tuple(sorted(reasons, key=lambda one: -one[2])),
    )


def state_of(mailing: Mailing, funnel: Funnel) -> str:
    """Say where it stands; finished is what the rows say, never a mark."""
    if mailing.state == "sending" and not funnel.waiting:
        return "finished"
    return mailing.state


def pace_of(hub: Hub, mailing: Mailing, funnel: Funnel) -> Pace | None:
    """Say how fast it goes, seen from the looks before; None where nothing is on its way, or yet."""
    if state_of(mailing, funnel) not in ("filling", "sending") or not funnel.waiting:
        return None
    gone = funnel.sent + funnel.failed + funnel.unknown
    return PACES.look((mailing.id, mailing.occurrence), hub.now(), gone, funnel.waiting)


def as_json(mailing: Mailing, funnel: Funnel) -> Mapping[str, object]:
    """Give both for programs."""
    return {
        "id": str(mailing.id),
        "title": mailing.title,
        "state": state_of(mailing, funnel),
        "reason": mailing.reason,
        "plan": mailing.plan.as_json(),
        "version": mailing.version,
        "held_out": mailing.held_out,
        "due_at": mailing.due_at,
        "started_at": mailing.started_at,
        "winner": str(mailing.winner) if mailing.winner else "",
        "numbers": {
            name: getattr(funnel, name)
            for name in (
                "planned",
                "waiting",
                "sent",
                "delivered",
                "failed",
                "unknown",
                "kept_back",
                "seen",
                "clicked",
                "answered",
                "machines",
            )
        },
        "reasons": [
            {"status": status, "reason": reason, "count": n} for status, reason, n in funnel.reasons
        ],
    }
