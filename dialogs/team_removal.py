"""Removing a team: another one takes over what hangs on it, step by step, and then it is gone.

Each dialog and object goes over as if by hand, with its fact. So a large team takes several steps,
and what stopped half way goes on when it is removed again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm_store import object_writes
from crm_store.accounts import update_account
from crm_store.sql import locked
from crm_store.tables.desks import routes, routing
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import accounts, team_members, teams, views
from crm_store.team_tree import upwards
from crm_store.team_uses import TeamUse, team_columns, team_use
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Viewer
from dialogs.workflow import set_assignee
from hub.commands import RemoveTeam, UpdateAccount
from hub.errors import Conflict, Invalid, NotFound
from hub.events import TeamChanged
from hub.ids import AccountId, TeamId, UserId
from hub.objects import Change

IN_USE = "in_use"
"""What a Conflict is about where something hangs on the team that nobody takes over."""


def remove_team(uow: UnitOfWork, command: RemoveTeam) -> int:
    """Remove a team, or hand over the next part of its work; gives how much is still to go over."""
    rows = uow.conn.execute(locked(uow.dialect, select(teams).order_by(teams.c.id))).all()
    known = {TeamId(one.id): one for one in rows}
    was = known.get(command.team_id)
    if was is None:
        raise NotFound("there is no such team")
    into = command.into_id
    if into == command.team_id or (into and into not in known):
        raise Invalid("there is no such team", field="into_id")
    use = team_use(uow.conn, uow.tx.nouns, command.team_id)
    _need_free(use, into)
    if into:
        whole = replace(uow, viewer=Viewer.system())
        _hand_over_work(whole, command)
        use = team_use(uow.conn, uow.tx.nouns, command.team_id)
        work = {"dialog", *(noun.kind.name for noun, _ in team_columns(uow.tx.nouns))}
        if left := sum(count for name, count in use.counts.items() if name in work):
            return left
        _hand_over_house(
            whole, was, into, {one: TeamId(row.parent_id) for one, row in known.items()}
        )
    mine = (routes.c.kind == "team", routes.c.subject_id == command.team_id)
    uow.conn.execute(delete(routes).where(*mine))
    uow.conn.execute(delete(teams).where(teams.c.id == command.team_id))
    gone = Change(kind="team", id=command.team_id, field="name", before=was.name, after="")
    uow.record(TeamChanged(team_id=command.team_id, changes=(gone,)))
    return 0


def _need_free(use: TeamUse, into: TeamId) -> None:
    if use.named:
        names = [one.title for one in use.named]
        raise Conflict(
            f"this team is named elsewhere, change that first: {', '.join(names)}",
            what=IN_USE,
            details={"used_by": names},
        )
    if not into and not use.is_free:
        raise Conflict(
            "something hangs on this team: choose the team that takes it over",
            what=IN_USE,
            details={"counts": {name: one for name, one in use.counts.items() if one}},
        )


def _hand_over_work(uow: UnitOfWork, command: RemoveTeam) -> None:
    left = command.limit
    mine = select(dialogs).where(dialogs.c.team_id == command.team_id).order_by(dialogs.c.id)
    for dialog in uow.conn.execute(locked(uow.dialect, mine.limit(left))).all():
        set_assignee(uow, dialog, UserId(dialog.assignee_id), command.into_id)
        left -= 1
    for noun, name in team_columns(uow.tx.nouns):
        table = noun.table
        theirs = select(table.c.id).where(table.c[name] == command.team_id).order_by(table.c.id)
        for object_id in uow.conn.execute(theirs.limit(left)).scalars().all():
            row = object_writes.lock(uow, noun, object_id)
            object_writes.change(uow, noun, row, {name: command.into_id})
            left -= 1


def _hand_over_house(
    uow: UnitOfWork, was: Row[Any], into: TeamId, parents: dict[TeamId, TeamId]
) -> None:
    """Give its people, its channels, its views and the teams below it to another team."""
    gone = TeamId(was.id)
    of_it = select(accounts.c.id).where(accounts.c.team_id == gone).order_by(accounts.c.id)
    for account_id in uow.conn.execute(of_it).scalars().all():
        update_account(uow, UpdateAccount(account_id=AccountId(account_id), team_id=into))
    uow.conn.execute(update(views).where(views.c.team_id == gone).values(team_id=into))
    uow.conn.execute(update(routing).where(routing.c.team_id == gone).values(team_id=into))
    changes = []
    for below in sorted(one for one, above in parents.items() if above == gone):
        # What leads down to the team that takes over goes up: no team stands under itself.
        above = TeamId(was.parent_id) if below in upwards(parents, into) else into
        uow.conn.execute(update(teams).where(teams.c.id == below).values(parent_id=above))
        change = Change(kind="team", id=below, field="parent_id", before=gone, after=above)
        uow.record(TeamChanged(team_id=below, changes=(change,)))
    members = team_members.c
    people = {
        team: sorted(
            uow.conn.execute(select(members.user_id).where(members.team_id == team)).scalars()
        )
        for team in (gone, into)
    }
    fresh = sorted(set(people[gone]) - set(people[into]))
    uow.conn.execute(delete(team_members).where(members.team_id == gone))
    if fresh:
        rows = [{"team_id": into, "user_id": one} for one in fresh]
        uow.conn.execute(insert(team_members), rows)
        after = sorted([*people[into], *fresh])
        changes.append(
            Change(kind="team", id=into, field="members", before=people[into], after=after)
        )
        uow.record(TeamChanged(team_id=into, changes=tuple(changes)))
