"""The tree of teams: whoever reaches the work of a team reaches that of those below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from crm_store.tables.users import team_members, teams
from hub.ids import TeamId, UserId
from hub.records.system import Team


def _near() -> Select[Any]:
    own = select(team_members.c.team_id).where(
        team_members.c.user_id.in_(bindparam("people", expanding=True))
    )
    found = own.cte("near", recursive=True)
    below = select(teams.c.id).join(found, teams.c.parent_id == found.c.team_id)
    # Each team once: even a circle, which nobody can make, would end.
    near = found.union(below)
    in_them = near.outerjoin(team_members, team_members.c.team_id == near.c.team_id)
    return select(near.c.team_id, team_members.c.user_id).select_from(in_them)


# Made once: it is asked whenever somebody's rights are read.
_NEAR = _near()


def near(conn: Connection, people: Iterable[UserId]) -> tuple[frozenset[TeamId], frozenset[UserId]]:
    """Give the teams that some people are in with all below those, and the people of all these."""
    rows = conn.execute(_NEAR, {"people": sorted(people)}).all()
    found = frozenset(TeamId(row.team_id) for row in rows)
    return found, frozenset(UserId(row.user_id) for row in rows if row.user_id is not None)


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
