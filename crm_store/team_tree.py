"""The tree of teams: whoever reaches the work of a team reaches that of those below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import CTE, Connection, select

from crm_store.tables.users import team_members, teams
from hub.ids import TeamId, UserId
from hub.records.system import Team


def reached(people: Iterable[UserId]) -> CTE:
    """Give, as a table of `team_id`, the teams that some people are in and all below those."""
    own = select(team_members.c.team_id).where(team_members.c.user_id.in_(sorted(people)))
    found = own.cte("reached", recursive=True)
    below = select(teams.c.id).join(found, teams.c.parent_id == found.c.team_id)
    # Each team once: even a circle, which nobody can make, would end.
    return found.union(below)


def parents_of(conn: Connection) -> dict[TeamId, TeamId]:
    """Give the team above each team that has one."""
    rows = conn.execute(select(teams.c.id, teams.c.parent_id).where(teams.c.parent_id > 0))
    return {TeamId(row.id): TeamId(row.parent_id) for row in rows}


def upwards(parents: Mapping[TeamId, TeamId], team_id: TeamId) -> Iterator[TeamId]:
    """Give a team and those above it, the nearest first; `parents` say which is above each."""
    passed: set[TeamId] = set()
    while team_id and team_id not in passed:
        yield team_id
        passed.add(team_id)
        team_id = parents.get(team_id, TeamId(0))


def as_tree(known: Sequence[Team]) -> list[tuple[Team, tuple[Team, ...]]]:
    """Give each team under the one above it, beside those above it, the topmost first.

    Teams of one height keep their order.
    """
    by_id = {one.id: one for one in known}
    below: dict[TeamId, list[Team]] = {}
    for one in known:
        parent = one.parent_id if one.parent_id in by_id else TeamId(0)
        below.setdefault(parent, []).append(one)
    found: list[tuple[Team, tuple[Team, ...]]] = []
    waiting: list[tuple[Team, tuple[Team, ...]]]
    waiting = [(one, ()) for one in reversed(below.get(TeamId(0), []))]
    while waiting:
        team, above = waiting.pop()
        found.append((team, above))
        waiting += [(one, (*above, team)) for one in reversed(below.get(team.id, []))]
    return found
