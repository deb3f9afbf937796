"""What happens elsewhere to people on call lists: merges, erasures, refusals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from hub import (
    ConsentWithdrawn,
    ContactErased,
    ContactsMerged,
    ContactsUnmerged,
    ContactUnsplit,
    Event,
    Hub,
    UsedBy,
)
from plugins.telemarketing.commands import DropRefuser, ForgetListed, MoveListed
from plugins.telemarketing.plans import read_list
from plugins.telemarketing.tables import lists


async def hear(hub: Hub, events: Sequence[Event]) -> None:
    """Take the facts in; each may come twice."""
    for event in events:
        match event:
            case ContactsMerged(contact_id=target, merged_id=source, merge_id=merge):
                await hub.do(MoveListed(source=source, target=target, merge_id=merge))
            case ContactsUnmerged(contact_id=source, restored_id=target, merge_id=merge):
                await hub.do(MoveListed(source=source, target=target, merge_id=merge, back=True))
            case ContactUnsplit(contact_id=target, new_contact_id=source):
                # No way leads back to such a card: its places are of no merge.
                await hub.do(MoveListed(source=source, target=target, merge_id=0))
            case ContactErased(contact_id=person):
                await hub.do(ForgetListed(contact_id=person))
            case ConsentWithdrawn(contact_id=person, channel=channel, topic=""):
                if channel in ("", "phone"):
                    await hub.do(DropRefuser(contact_id=person))
            case _:
                pass


async def team_uses(hub: Hub, team_id: int) -> list[UsedBy]:
    """Give the lists that a team calls, unless they are removed; the newest first."""
    rows = await hub.store.all(
        select(lists).where(lists.c.state != "removed").order_by(lists.c.id.desc())
    )
    return [
        UsedBy(title=one.title, path=f"/p/telemarketing/{one.id}")
        for one in map(read_list, rows)
        if one.plan.team_id == team_id
    ]


async def segment_uses(hub: Hub, segment_id: int) -> list[UsedBy]:
    """Give the drafts that would call a segment, the newest first."""
    rows = await hub.store.all(
        select(lists).where(lists.c.state == "draft").order_by(lists.c.id.desc())
    )
    return [
        UsedBy(title=one.title, path=f"/p/telemarketing/{one.id}")
        for one in map(read_list, rows)
        if one.plan.segment_id == segment_id
    ]
