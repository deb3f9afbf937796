"""Who may be asked to take a dialog: how many each has, and how many more are given to him."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select, update

from crm_store.desks import people_away
from crm_store.sql import locked
from crm_store.tables.desks import desk_statuses, desks
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import account_members, roles, team_members, users
from crm_store.unit_of_work import UnitOfWork
from hub.ids import TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A colleague who may be asked: how many dialogs he has, how many more are given to him."""

    user_id: UserId
    ready: bool
    away: bool
    load: int
    capacity: int
    last_given_at: int

    @property
    def is_free(self) -> bool:
        """Say whether a dialog may be given to him now."""
        return self.ready and not self.away and (not self.capacity or self.load < self.capacity)


class Places:
    """The places of one round of giving out: read once, and kept up to date while it gives.

    Whoever is read has his desk locked, so that no other round counts the same places.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[tuple[int, TeamId], dict[UserId, Place]] = {}

    def of(self, account_id: int, team: TeamId) -> dict[UserId, Place]:
        """Give who may be asked: of a team, or whoever sees the account."""
        key = (account_id, team)
        if key not in self._known:
            self._known[key] = self._read(*key)
        return self._known[key]

    def take(self, user_id: UserId) -> None:
        """Count a dialog at its new desk, in the database and in what is known here."""
        # Later than everybody before him in this very instant, too.
        newest = max(
            (one.last_given_at for known in self._known.values() for one in known.values()),
            default=0,
        )
        at = max(self._uow.now, newest + 1)
        for known in self._known.values():
            place = known.get(user_id)
            if place is not None:
                known[user_id] = replace(place, load=place.load + 1, last_given_at=at)
        self._uow.conn.execute(
            update(desks).where(desks.c.user_id == user_id).values(last_given_at=at)
        )

    def _read(self, account_id: int, team: TeamId) -> dict[UserId, Place]:
        uow = self._uow
        statement = (
            select(users.c.id, roles.c.permissions, roles.c.scope)
            .join(roles, roles.c.name == users.c.role)
            .where(users.c.active)
            .order_by(users.c.id)
        )
        if team:
            mates = select(team_members.c.user_id).where(team_members.c.team_id == team)
            statement = statement.where(users.c.id.in_(mates))
        members = set(
            uow.conn.execute(
                select(account_members.c.user_id).where(account_members.c.account_id == account_id)
            ).scalars()
        )
        ids = [
            row.id
            for row in uow.conn.execute(statement)
            if "dialogs.answer" in row.permissions
            and (row.scope == "all" or not members or row.id in members)
        ]
        sitting = uow.conn.execute(
            locked(
                uow.dialect,
                select(desks).where(desks.c.user_id.in_(ids)).order_by(desks.c.user_id),
            )
        ).all()
        known = {row.id: row for row in uow.conn.execute(select(desk_statuses))}
        away = people_away(uow.conn, uow.now)
        loads = {
            row.assignee_id: row.number
            for row in uow.conn.execute(
                select(dialogs.c.assignee_id, func.count().label("number"))
                .where(
                    dialogs.c.assignee_id.in_(ids), dialogs.c.is_open, dialogs.c.snoozed_until == 0
                )
                .group_by(dialogs.c.assignee_id)
            )
        }
        found = {}
        for row in sitting:
            status = known.get(row.status_id)
            found[UserId(row.user_id)] = Place(
                user_id=UserId(row.user_id),
                ready=status is not None and status.works and status.takes_new,
                away=row.user_id in away,
                load=loads.get(row.user_id, 0),
                capacity=row.capacity,
                last_given_at=row.last_given_at,
            )
        return found


def why_nobody(people: Iterable[Place]) -> str:
    """Say why none of some colleagues can be given one more."""
    ready = [one for one in people if one.ready and not one.away]
    return "full" if ready else "away"
