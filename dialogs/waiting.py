"""The queue of dialogs that should be given out: rows, so that nothing waits in memory only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from crm_store.desks import people_to_replace, route_of
from crm_store.sql import upsert
from crm_store.tables.desks import routing
from crm_store.tables.dialogs import dialogs
from crm_store.unit_of_work import UnitOfWork


def ask_for_routing(uow: UnitOfWork, dialog_ids: Iterable[int]) -> None:
    """Queue dialogs that began or came back, where anybody is looked for at all."""
    ids = list(dialog_ids)
    if not ids:
        return
    away = people_to_replace(uow.conn, uow.now)
    if away is None:
        return
    rows = uow.conn.execute(select(dialogs).where(dialogs.c.id.in_(ids))).all()
    for row in rows:
        gone = row.assignee_id in away
        if gone or route_of(uow.conn, row.account_id, row.team_id).is_on:
            fresh = {"state": "waiting", "since": uow.now, "forward_at": 0, "reason": ""}
            queue(uow, row.id, mode="", team_id=0, last_days=0, passed=[], **fresh)


def queue(uow: UnitOfWork, dialog_id: int, **values: Any) -> None:
    """Write what the queue says of one dialog."""
    statement = upsert(uow.dialect, routing).values(dialog_id=dialog_id, **values)
    uow.conn.execute(statement.on_conflict_do_update(index_elements=["dialog_id"], set_=values))
