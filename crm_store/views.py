"""Saved views: what a list or a board was narrowed to, kept under a name."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from crm_store.tables.users import team_members, views
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, once_a_read
from hub.commands import RemoveView, SaveView
from hub.errors import Invalid, NotFound
from hub.events import ViewChanged
from hub.ids import TeamId, UserId
from hub.records.system import View

_SAVED = (
    select(views)
    .where(
        views.c.kind == bindparam("kind"),
        (views.c.owner_id == bindparam("own"))
        | views.c.shared
        | views.c.team_id.in_(
            select(team_members.c.team_id).where(team_members.c.user_id == bindparam("me"))
        ),
    )
    .order_by(views.c.name)
)


@once_a_read
def saved_views(reader: Reader, kind: str = "") -> tuple[View, ...]:
    """Give the viewer's own views of a kind's list (of the inbox), his teams' and the shared ones."""
    viewer = reader.viewer
    asked = {"kind": kind, "own": viewer.private_id, "me": viewer.user_id}
    rows = reader.conn.execute(_SAVED, asked)
    return tuple(
        View(
            id=row.id,
            owner_id=UserId(row.owner_id),
            name=row.name,
            filter=row.filter,
            sort=row.sort,
            shared=row.shared,
            kind=row.kind,
            columns=tuple(row.columns),
            team_id=TeamId(row.team_id),
        )
        for row in rows
    )


def save_view(uow: UnitOfWork, command: SaveView) -> int:
    """Create or change a saved view of one's own."""
    name = command.name.strip()[:400]
    if not name:
        raise Invalid("a name is needed", field="name")
    values = {
        "name": name,
        "filter": dict(command.filter),
        "sort": command.sort,
        "shared": command.shared,
        "kind": command.kind,
        "columns": list(command.columns),
        "team_id": command.team_id,
    }
    view_id = command.view_id or uow.new_id()
    if command.view_id:
        done = uow.conn.execute(
            update(views)
            .where(views.c.id == view_id, views.c.owner_id == uow.viewer.user_id)
            .values(**values)
        )
        if not done.rowcount:
            raise NotFound("there is no such view of yours")
    else:
        uow.conn.execute(insert(views).values(id=view_id, owner_id=uow.viewer.user_id, **values))
    uow.record(ViewChanged(view_id=view_id))
    return view_id


def remove_view(uow: UnitOfWork, command: RemoveView) -> None:
    """Delete a saved view of one's own."""
    done = uow.conn.execute(
        delete(views).where(views.c.id == command.view_id, views.c.owner_id == uow.viewer.user_id)
    )
    if not done.rowcount:
        raise NotFound("there is no such view of yours")
    uow.record(ViewChanged(view_id=command.view_id))
