"""Colleagues and teams: everybody may see them, administrators change them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import users as reads
from hub import commands as c
from hub import team_removal as removal
from hub.errors import Invalid, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import house as s
from hub.ids import TeamId, UserId
from hub.shapes import GivenId
from hub.web.login import hash_password, weak

router = rights.router("Users")

UserKey = Annotated[GivenId, Path(alias="user_id", description="The colleague.")]
TeamKey = Annotated[GivenId, Path(alias="team_id", description="The team.")]


@router.get("/users", summary="List colleagues")
async def page(
    caller: rights.MayViewUsers,
    inactive: Annotated[bool, Query(description="Those who left, too.")] = True,
) -> list[s.User]:
    """Give every colleague by name."""
    found = await caller.hub.read(lambda reader: reads.all_users(reader, inactive=inactive))
    return [s.User.model_validate(one) for one in found]


@router.post("/users", status_code=201, summary="Add a colleague", responses=failures(409))
async def create(caller: rights.MayManageUsers, body: s.CreateUser) -> s.User:
    """Add a colleague, with a password or without one."""
    hashed = ""
    if body.password:
        reason = weak(body.password, body.name, body.email.partition("@")[0])
        if reason:
            raise Invalid(reason, field="password")
        hashed = await hash_password(body.password)
    made = await caller.hub.do(
        c.CreateUser(
            email=body.email,
            name=body.name,
            role=body.role,
            language=body.language,
            password_hash=hashed,
        )
    )
    return s.User.model_validate(await caller.hub.user(made[0]))


@router.get("/users/{user_id}", summary="One colleague")
async def one(caller: rights.MayViewUsers, user_id: UserKey) -> s.User:
    """Give one colleague."""
    return s.User.model_validate(await caller.hub.user(UserId(user_id)))


@router.patch("/users/{user_id}", summary="Change a colleague", responses=failures(409))
async def change(caller: rights.MayManageUsers, user_id: UserKey, body: s.UpdateUser) -> s.User:
    """Change a colleague; the last administrator stays one (409 `last_administrator`)."""
    await caller.hub.do(
        c.UpdateUser(
            user_id=UserId(user_id),
            name=body.name,
            email=body.email,
            role=body.role,
            active=body.active,
            teams=tuple(TeamId(each) for each in body.teams) if body.teams is not None else None,
        )
    )
    return s.User.model_validate(await caller.hub.user(UserId(user_id)))


@router.delete("/users/{user_id}/sessions", status_code=204, summary="Log a colleague out")
async def end_sessions(caller: rights.MayManageUsers, user_id: UserKey) -> Response:
    """End every session of a colleague at once; tokens stay."""
    await caller.hub.user(UserId(user_id))
    await caller.hub.do(c.RevokeSessions(user_id=UserId(user_id)))
    return Response(status_code=204)


@router.get("/teams", summary="List teams")
async def teams(caller: rights.MayViewUsers) -> list[s.Team]:
    """Give every team with its members."""
    return [s.Team.model_validate(each) for each in await caller.hub.read(reads.all_teams)]


async def _team(caller: Caller, team_id: int) -> s.Team:
    for each in await caller.hub.read(reads.all_teams):
        if each.id == team_id:
            return s.Team.model_validate(each)
    raise NotFound("there is no such team")


def _saving(team_id: TeamId, body: s.SaveTeam) -> c.SaveTeam:
    is_moved = "parent_id" in body.model_fields_set
    return c.SaveTeam(
        team_id=team_id,
        name=body.name,
        members=tuple(UserId(each) for each in body.members),
        parent_id=TeamId(body.parent_id or 0) if is_moved else None,
    )


@router.post("/teams", status_code=201, summary="Add a team")
async def create_team(caller: rights.MayManageUsers, body: s.SaveTeam) -> s.Team:
    """Add a team."""
    made = await caller.hub.do(_saving(TeamId(0), body))
    return await _team(caller, made[0])


@router.put("/teams/{team_id}", summary="Change a team", responses=failures(409))
async def change_team(caller: rights.MayManageUsers, team_id: TeamKey, body: s.SaveTeam) -> s.Team:
    """Set a team's name, all its members, and the team above it.

    A team under itself or under one below it is refused (`circle`), with the way round in
    `details.path`. Whom it moves sees the other work at once.
    """
    await caller.hub.do(_saving(TeamId(team_id), body))
    return await _team(caller, team_id)


@router.delete(
    "/teams/{team_id}", status_code=204, summary="Remove a team", responses=failures(409)
)
async def remove_team(
    caller: rights.MayManageUsers,
    team_id: TeamKey,
    move_to: Annotated[
        GivenId | None, Query(description="The team that takes over what hangs on it.")
    ] = None,
) -> Response:
    """Remove a team on which nothing hangs, or whose people, work and channels go to another.

    Without `move_to` a team on which something hangs is refused (`in_use`), with how much in
    `details.counts`; so is one that a rule, a segment, a deadline, a reply of its own or a call
    list names, with their titles in `details.used_by`. What stopped half way goes on when it is
    called again.
    """
    await removal.remove_team(caller.hub, TeamId(team_id), TeamId(move_to or 0))
    return Response(status_code=204)
