"""Teams: made, changed, and put under one another."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from crm_store.sql import locked
from crm_store.tables.users import team_members, teams
from crm_store.team_tree import upwards
from crm_store.unit_of_work import UnitOfWork
from hub.commands import SaveTeam
from hub.errors import Conflict, Invalid, NotFound
from hub.events import TeamChanged
from hub.ids import TeamId, UserId
from hub.objects import Change

CIRCLE = "circle"
"""What a Conflict is about where a team would stand under itself."""


def save_team(uow: UnitOfWork, command: SaveTeam) -> TeamId:
    """Create or change a team."""
    name = command.name.strip()[:400]
    if not name:
        raise Invalid("a name is needed", field="name")
    # All of them, so that two who move teams at once do not make a circle together.
    rows = uow.conn.execute(locked(uow.dialect, select(teams).order_by(teams.c.id))).all()
    known = {TeamId(one.id): one for one in rows}
    was = known.get(command.team_id)
    if command.team_id and was is None:
        raise NotFound("there is no such team")
    team_id = command.team_id or TeamId(uow.new_id())
    parent = command.parent_id
    if parent is None:
        parent = TeamId(was.parent_id if was is not None else 0)
    elif parent and parent not in known:
        raise Invalid("there is no such team", field="parent_id")
    else:
        parents = {one: TeamId(row.parent_id) for one, row in known.items()}
        path = list(upwards(parents, parent))
        if team_id in path:
            names = [known[one].name for one in (team_id, *path[: path.index(team_id) + 1])][::-1]
            text = f"a team cannot stand under itself: {' → '.join(names)}"
            raise Conflict(text, what=CIRCLE, details={"path": names})
    members = sorted(set(command.members))
    before = _members(uow, team_id)
    changes = [
        Change(kind="team", id=team_id, field=field, before=old, after=new)
        for field, old, new in (
            ("name", was.name if was is not None else "", name),
            ("parent_id", was.parent_id if was is not None else 0, parent),
            ("members", before, members),
        )
        if old != new
    ]
    if was is None:
        uow.conn.execute(insert(teams).values(id=team_id, name=name, parent_id=parent))
    else:
        here = update(teams).where(teams.c.id == team_id)
        uow.conn.execute(here.values(name=name, parent_id=parent))
    uow.conn.execute(delete(team_members).where(team_members.c.team_id == team_id))
    if members:
        uow.conn.execute(
            insert(team_members), [{"team_id": team_id, "user_id": one} for one in members]
        )
    uow.record(TeamChanged(team_id=team_id, changes=tuple(changes)))
    return team_id


def _members(uow: UnitOfWork, team_id: TeamId) -> list[UserId]:
    statement = select(team_members.c.user_id).where(team_members.c.team_id == team_id)
    return sorted(uow.conn.execute(statement).scalars())
