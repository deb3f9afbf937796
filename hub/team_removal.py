"""Removing a team: what hangs on it, plugins' things too, and the steps in which it goes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_store.team_uses import TeamUse, team_use
from hub.commands import RemoveTeam
from hub.errors import Conflict
from hub.ids import TeamId
from hub.uses import uses_by_plugins

if TYPE_CHECKING:
    from hub.handle import BoundHub


async def use_of(hub: BoundHub, team_id: TeamId) -> TeamUse:
    """Give what hangs on a team, and what names it."""
    found = await hub.read(lambda reader: team_use(reader.conn, reader.nouns, team_id))
    theirs = await uses_by_plugins(hub, "team", team_id)
    return TeamUse(counts=found.counts, named=(*found.named, *theirs))


async def remove_team(hub: BoundHub, team_id: TeamId, into: TeamId = TeamId(0)) -> None:
    """Remove a team; raises Conflict `in_use` where something hangs on it that nobody takes over.

    What stopped half way goes on when it is called again.
    """
    if theirs := await uses_by_plugins(hub, "team", team_id):
        names = [one.title for one in theirs]
        raise Conflict(
            f"this team is named elsewhere, change that first: {', '.join(names)}",
            what="in_use",
            details={"used_by": names},
        )
    while (await hub.do(RemoveTeam(team_id=team_id, into_id=into)))[0]:
        pass
