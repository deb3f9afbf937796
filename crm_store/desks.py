"""Who works now: statuses, desks with their load, and how new dialogs are given out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    union_all,
    update,
)

from crm_store.sql import locked, upsert
from crm_store.tables.absences import absences
from crm_store.tables.desks import desk_statuses, desks, routes, routing
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import accounts, roles, team_members, teams, users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import RemoveDeskStatus, SaveDeskStatus, SaveRoute, SetDesk
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.events import DeskChanged, DeskStatusesChanged, RouteChanged
from hub.ids import DialogId, Micros, TeamId, UserId
from hub.records.desks import Desk, DeskStatus, RoutingRule, WaitingDialog

MODES = ("evenly", "in_order", "least_busy")
WAYS = (*MODES, "owner", "last")
LONGEST_IDLE = 720
MOST_DAYS = 366
MOST_PLACES = 1000


# Made once: every group of messages asks these.
_AWAY = select(absences.c.user_id).where(
    absences.c.state.in_(("planned", "active")),
    absences.c.from_at <= bindparam("now"),
    absences.c.to_at > bindparam("now"),
)
_NOBODY = 0
_LOOKED_FOR = union_all(_AWAY, select(literal(_NOBODY)).where(exists(select(routes.c.kind))))
_WAITING = select(routing.c.dialog_id).where(routing.c.state == "waiting").limit(1)
_LATE = (
    select(routing.c.dialog_id)
    .where(routing.c.forward_at > 0, routing.c.forward_at <= bindparam("now"))
    .limit(1)
)


def people_away(conn: Connection, now: int) -> set[int]:
    """Give those who are absent at this instant, whether or not anybody stands in."""
    return set(conn.execute(_AWAY, {"now": now}).scalars())


def people_to_replace(conn: Connection, now: int) -> set[int] | None:
    """Give those who are absent; None where nobody is, and no dialog is ever given out."""
    found = set(conn.execute(_LOOKED_FOR, {"now": now}).scalars())
    return found - {_NOBODY} if found else None


# -- routes --------------------------------------------------------------------------------


def route_of(conn: Connection, account_id: int, team_id: int) -> RoutingRule:
    """Give the rule that counts for a dialog: its account's own, else its team's."""
    found = {
        row.kind: row
        for row in conn.execute(
            select(routes).where(
                tuple_(routes.c.kind, routes.c.subject_id).in_(
                    [("account", account_id), ("team", team_id)]
                )
            )
        )
    }
    row = found.get("account") or found.get("team")
    return _route(row) if row is not None else RoutingRule(kind="team", subject_id=team_id)


def route(reader: Reader, kind: str, subject_id: int) -> RoutingRule:
    """Give the rule of one account or team, the empty one where it has none."""
    row = reader.conn.execute(
        select(routes).where(routes.c.kind == kind, routes.c.subject_id == subject_id)
    ).first()
    return _route(row) if row is not None else RoutingRule(kind=kind, subject_id=subject_id)


def _route(row: Any) -> RoutingRule:
    return RoutingRule(
        kind=row.kind,
        subject_id=row.subject_id,
        mode=row.mode,
        owner_first=row.owner_first,
        last_days=row.last_days,
        idle_minutes=row.idle_minutes,
        calendar_id=row.calendar_id,
    )


def save_route(uow: UnitOfWork, command: SaveRoute) -> None:
    """Set how new dialogs of an account or a team are given out."""
    tables = {"account": accounts, "team": teams}
    if command.kind not in tables:
        raise Invalid("one of account, team", field="kind")
    if command.mode not in ("nobody", *MODES):
        raise Invalid(f"one of nobody, {', '.join(MODES)}", field="mode")
    if not 0 <= command.idle_minutes <= LONGEST_IDLE:
        raise Invalid("1 minute to 12 hours (720), or 0 for never", field="idle_minutes")
    if not 0 <= command.last_days <= MOST_DAYS:
        raise Invalid(f"0 to {MOST_DAYS} days", field="last_days")
    table = tables[command.kind]
    found = uow.conn.execute(select(table.c.id).where(table.c.id == command.subject_id)).first()
    if found is None or (
        command.kind == "account" and not uow.viewer.sees_account(command.subject_id)
    ):
        raise NotFound(f"there is no such {command.kind}")
    values = {
        "mode": command.mode,
        "owner_first": command.owner_first,
        "last_days": command.last_days,
        "idle_minutes": command.idle_minutes,
        "calendar_id": command.calendar_id,
    }
    statement = upsert(uow.dialect, routes).values(
        kind=command.kind, subject_id=command.subject_id, **values
    )
    uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={**values, "version": routes.c.version + 1},
        )
    )
    uow.record(RouteChanged(kind=command.kind, subject_id=command.subject_id))


def anything_to_route(conn: Connection, now: int) -> bool:
    """Say whether anything waits to be given out, or to be passed on."""
    return any(conn.execute(one, {"now": now}).first() is not None for one in (_WAITING, _LATE))


def waiting_dialogs(reader: Reader, limit: int = 200) -> list[WaitingDialog]:
    """Give what waits to be given out, the oldest first, as far as it can be seen."""
    rows = reader.conn.execute(
        select(routing.c.dialog_id, routing.c.since, routing.c.reason, dialogs.c.team_id)
        .join(dialogs, dialogs.c.id == routing.c.dialog_id)
        .where(routing.c.state == "waiting", reader.viewer.dialogs_clause())
        .order_by(routing.c.since, routing.c.dialog_id)
        .limit(limit)
    )
    return [
        WaitingDialog(
            dialog_id=DialogId(row.dialog_id),
            team_id=TeamId(row.team_id),
            since=Micros(row.since),
            reason=row.reason,
        )
        for row in rows
    ]


# -- desks ---------------------------------------------------------------------------------


def statuses(reader: Reader) -> list[DeskStatus]:
    """Give the statuses to choose from, in their order."""
    return [_status(row) for row in reader.conn.execute(_STATUSES)]


def _status(row: Any) -> DeskStatus:
    return DeskStatus(
        id=row.id,
        name=row.name,
        works=row.works,
        takes_new=row.takes_new,
        position=row.position,
    )


_STATUSES = select(desk_statuses).order_by(desk_statuses.c.position, desk_statuses.c.id)
_OWN = select(desks.c.status_id).where(desks.c.user_id == bindparam("user")).scalar_subquery()
# Asked before every page.
_CHOSEN = _STATUSES.add_columns(func.coalesce(_OWN, 0).label("chosen"))


def all_desks(reader: Reader, user_ids: Iterable[UserId] = ()) -> list[Desk]:
    """Give everybody who may answer dialogs, by name, with his load; or some of them."""
    asked = list(user_ids)
    statement = (
        select(users.c.id, users.c.name, roles.c.permissions, desks, desk_statuses)
        .join(roles, roles.c.name == users.c.role)
        .outerjoin(desks, desks.c.user_id == users.c.id)
        .outerjoin(desk_statuses, desk_statuses.c.id == desks.c.status_id)
        .with_only_columns(
            users.c.id,
            users.c.name,
            roles.c.permissions,
            desks.c.comment,
            desks.c.since,
            desks.c.capacity,
            desks.c.last_given_at,
            desk_statuses.c.id.label("status_id"),
            desk_statuses.c.name.label("status"),
            desk_statuses.c.works,
            desk_statuses.c.takes_new,
        )
        .where(users.c.active)
        .order_by(users.c.name, users.c.id)
    )
    if asked:
        statement = statement.where(users.c.id.in_(asked))
    rows = [
        row
        for row in reader.conn.execute(statement)
        if asked or "dialogs.answer" in row.permissions
    ]
    ids = [row.id for row in rows]
    loads = {
        row.assignee_id: row
        for row in reader.conn.execute(
            select(
                dialogs.c.assignee_id,
                func.count().label("load"),
                func.count(func.nullif(dialogs.c.waiting_since, 0)).label("waiting"),
            )
            .where(dialogs.c.assignee_id.in_(ids), dialogs.c.is_open, dialogs.c.snoozed_until == 0)
            .group_by(dialogs.c.assignee_id)
        )
    }
    owned: dict[int, list[TeamId]] = {}
    for row in reader.conn.execute(select(team_members).where(team_members.c.user_id.in_(ids))):
        owned.setdefault(row.user_id, []).append(TeamId(row.team_id))
    return [
        Desk(
            user_id=UserId(row.id),
            name=row.name,
            teams=tuple(owned.get(row.id, ())),
            status_id=row.status_id or 0,
            status=row.status or "",
            works=bool(row.works),
            takes_new=bool(row.takes_new),
            comment=row.comment or "",
            since=Micros(row.since or 0),
            load=loads[row.id].load if row.id in loads else 0,
            waiting=loads[row.id].waiting if row.id in loads else 0,
            capacity=row.capacity or 0,
            last_given_at=Micros(row.last_given_at or 0),
        )
        for row in rows
    ]


def chosen(reader: Reader, user_id: UserId) -> tuple[list[DeskStatus], int]:
    """Give the statuses to choose from, and the one that a colleague has: the frame of a page."""
    rows = reader.conn.execute(_CHOSEN, {"user": user_id}).all()
    return [_status(row) for row in rows], rows[0].chosen if rows else 0


def desk(reader: Reader, user_id: UserId) -> Desk:
    """Give the desk of one colleague."""
    found = all_desks(reader, [user_id])
    if not found:
        raise NotFound("there is no such colleague")
    return found[0]


def set_desk(uow: UnitOfWork, command: SetDesk) -> None:
    """Choose a status; others' only with the right to register absences."""
    user_id = command.user_id or uow.viewer.user_id
    if user_id != uow.viewer.user_id and command.status_id is not None:
        uow.viewer.need("absences.manage")
    if command.capacity is not None:
        uow.viewer.need("users.manage")
        if not 0 <= command.capacity <= MOST_PLACES:
            raise Invalid(f"0 to {MOST_PLACES}", field="capacity")
    if uow.conn.execute(select(users.c.id).where(users.c.id == user_id)).first() is None:
        raise NotFound("there is no such colleague")
    uow.conn.execute(upsert(uow.dialect, desks).values(user_id=user_id).on_conflict_do_nothing())
    row = uow.conn.execute(
        locked(uow.dialect, select(desks).where(desks.c.user_id == user_id))
    ).one()
    status_id = row.status_id if command.status_id is None else command.status_id
    status = uow.conn.execute(select(desk_statuses).where(desk_statuses.c.id == status_id)).first()
    if status is None and status_id:
        raise Invalid("there is no such status", field="status_id")
    values: dict[str, Any] = {}
    if status_id != row.status_id:
        values |= {"status_id": status_id, "since": uow.now}
    if command.comment is not None:
        if user_id != uow.viewer.user_id and not uow.viewer.may("absences.manage"):
            raise NotAllowed("this is another colleague's")
        values["comment"] = " ".join(command.comment.split())[:200]
    if command.capacity is not None:
        values["capacity"] = command.capacity
    values = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not values:
        return
    uow.conn.execute(update(desks).where(desks.c.user_id == user_id).values(**values))
    uow.record(
        DeskChanged(
            user_id=user_id,
            status_id=status_id,
            works=status is not None and status.works,
            takes_new=status is not None and status.takes_new,
        )
    )


def save_status(uow: UnitOfWork, command: SaveDeskStatus) -> int:
    """Make or change a status."""
    name = " ".join(command.name.split())[:60]
    if not name:
        raise Invalid("a name is needed", field="name")
    if command.takes_new and not command.works:
        raise Invalid("whoever takes new dialogs is at work", field="takes_new")
    values = {
        "name": name,
        "works": command.works,
        "takes_new": command.takes_new,
        "position": command.position,
    }
    status_id = command.status_id or uow.new_id()
    if command.status_id:
        done = uow.conn.execute(
            update(desk_statuses).where(desk_statuses.c.id == status_id).values(**values)
        )
        if not done.rowcount:
            raise NotFound("there is no such status")
    else:
        uow.conn.execute(insert(desk_statuses).values(id=status_id, **values))
    uow.record(DeskStatusesChanged(status_id=status_id))
    return status_id


def remove_status(uow: UnitOfWork, command: RemoveDeskStatus) -> None:
    """Delete a status that nobody has."""
    used = uow.conn.execute(
        select(func.count()).select_from(desks).where(desks.c.status_id == command.status_id)
    ).scalar_one()
    if used:
        raise Conflict(
            "colleagues have this status now", what="status_in_use", details={"users": used}
        )
    done = uow.conn.execute(delete(desk_statuses).where(desk_statuses.c.id == command.status_id))
    if not done.rowcount:
        raise NotFound("there is no such status")
    uow.record(DeskStatusesChanged(status_id=command.status_id))
