"""Each person of a mailing with the ways that were tried, and the state it ended in."""

from __future__ import annotations

from dataclasses import dataclass

from hub import Hub, HubError, Invalid, Way
from plugins.mailings.audience import sends_of
from plugins.mailings.plans import Mailing

WAYS_PAGE = 50
GROUPS = {
    "": (),
    "waiting": ("queued", "claimed", "sending", "paused"),
    "sent": ("sent", "delivered", "read"),
    "delivered": ("delivered", "read"),
    "failed": ("failed",),
    "unknown": ("unknown",),
    "kept_back": ("suppressed",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One person in one send."""

    contact_id: int
    delivery_id: int
    name: str
    ways: tuple[Way, ...]


async def ways(
    hub: Hub, mailing: Mailing, *, state: str = "", reason: str = "", after: int = 0
) -> list[Reached]:
    """Give a page of people with their ways, continued by the delivery's id."""
    if state not in GROUPS:
        raise Invalid("there is no such state", field="state")
    sends = await sends_of(hub, mailing)
    rows = await hub.send_people(
        sends, status=GROUPS[state], reason=reason, after=after, limit=WAYS_PAGE
    )
    known: dict[tuple[int, int], list[Way]] = {}
    for one in await hub.send_ways(sends, [row.contact_id for row in rows]):
        known.setdefault((one.send_id, one.contact_id), []).append(one)
    found = []
    for row in rows:
        try:
            name = (await hub.contact(row.contact_id)).name
        except HubError:
            name = ""
        found.append(
            Reached(
                contact_id=row.contact_id,
                delivery_id=row.delivery_id,
                name=name,
                ways=tuple(known.get((row.send_id, row.contact_id), ())),
            )
        )
    return found
