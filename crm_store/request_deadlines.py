"""Deadlines of requests: answers and questions in their dialogs move them, time passes, pages ask.

Whoever moves the clocks of a request locks its row first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal_column, select

from crm_store.request_clocks import Clocks, status_values
from crm_store.rows import among, listed
from crm_store.sql import locked
from crm_store.tables.objects import dialog_links
from crm_store.tables.requests import request_clocks, requests
from crm_store.unit_of_work import UnitOfWork
from hub.commands import WatchDeadlines
from hub.deadlines import FIRST, GOALS, NEXT
from hub.ids import Micros
from hub.records.requests import Deadline


def answered(uow: UnitOfWork, dialog_id: int, message_id: int) -> None:
    """A person of ours has answered in a dialog; automatic messages never come here."""
    for clocks in _running(uow, [dialog_id]):
        more: dict[str, object] = {}
        first = clocks.meet(FIRST, message_id)
        clocks.meet(NEXT, message_id)
        if first or not clocks.row.first_responded_at:
            more["first_responded_at"] = uow.now
        clocks.save(**more)


def taken_back(uow: UnitOfWork, dialog_id: int, message_id: int) -> None:
    """An answer was taken back before it left."""
    for row in _locked(uow, _linked(uow, [dialog_id])):
        clocks = Clocks.of(uow, row)
        if clocks.take_back(message_id):
            first = clocks.is_open(FIRST)
            clocks.pass_time()
            clocks.save(**({"first_responded_at": Micros(0)} if first else {}))


def asked(uow: UnitOfWork, dialog_ids: Iterable[int]) -> None:
    """Clients wrote in dialogs: their requests are in work again, and an answer is owed."""
    for clocks in _running(uow, dialog_ids):
        row = clocks.row
        more: dict[str, object] = {}
        if row.status in ("waiting", "solved"):
            clocks.move(row.status, "in_work")
            more = status_values(uow, row, "in_work")
        owed = not (clocks.is_open(FIRST) or clocks.is_open(NEXT))
        if owed and (row.first_responded_at or FIRST in clocks.clocks):
            clocks.start(NEXT, uow.now)
        clocks.save(**more)


def watch_deadlines(uow: UnitOfWork, command: WatchDeadlines) -> int:
    """Put on record what is near or missed; gives how many requests were looked at."""
    due = (
        select(request_clocks.c.request_id)
        .where(request_clocks.c.watch_at > 0, request_clocks.c.watch_at <= uow.now)
        .order_by(request_clocks.c.watch_at)
        .limit(command.limit)
    )
    found = _locked(uow, set(uow.conn.execute(due).scalars()), skip=True)
    for row in found:
        clocks = Clocks.of(uow, row)
        clocks.pass_time()
        clocks.save()
    return len(found)


def _running(uow: UnitOfWork, dialog_ids: Iterable[int]) -> Iterator[Clocks]:
    """Give the clocks of the requests of dialogs that are not over, as they stand now."""
    for row in _locked(uow, _linked(uow, dialog_ids)):
        if row.status != "closed" and not row.deleted_at:
            clocks = Clocks.of(uow, row)
            clocks.pass_time()
            yield clocks


def _locked(uow: UnitOfWork, ids: Set[int], *, skip: bool = False) -> list[Row[Any]]:
    if not ids:
        return []
    statement = select(requests).where(requests.c.id.in_(sorted(ids))).order_by(requests.c.id)
    return list(uow.conn.execute(locked(uow.dialect, statement, skip=skip)))


@cache
def _requests_of(dialect: str) -> Select[Any]:
    return select(dialog_links.c.object_id).where(
        among(dialect, dialog_links.c.dialog_id, "dialogs"),
        dialog_links.c.kind == literal_column("'request'"),
    )


def _linked(uow: UnitOfWork, dialog_ids: Iterable[int]) -> set[int]:
    """Give the requests that dialogs are about."""
    given = {"dialogs": listed(uow.dialect, sorted(set(dialog_ids)))}
    return set(uow.conn.execute(_requests_of(uow.dialect), given).scalars())


def deadlines_of(conn: Connection, request_id: int) -> list[Deadline]:
    """Give the promises of a request as they stand."""
    rows = conn.execute(
        select(request_clocks).where(request_clocks.c.request_id == request_id)
    ).all()
    found = {row.goal: row for row in rows}
    return [
        Deadline(goal=goal, due_at=Micros(found[goal].due_at), state=found[goal].state)
        for goal in GOALS
        if goal in found
    ]


@cache
def _dues(dialect: str) -> Select[Any]:
    """Make the question once: every page of the list asks it."""
    return (
        select(dialog_links.c.dialog_id, func.min(requests.c.due_at))
        .join(requests, requests.c.id == dialog_links.c.object_id)
        .where(
            among(dialect, dialog_links.c.dialog_id, "dialogs"),
            dialog_links.c.kind == "request",
            requests.c.due_at > 0,
            requests.c.deleted_at == 0,
        )
        .group_by(dialog_links.c.dialog_id)
    )


def dues_of(conn: Connection, dialog_ids: Iterable[int]) -> dict[int, int]:
    """Give the nearest deadline of each of some dialogs, where a request of theirs has one."""
    ids = sorted(set(dialog_ids))
    if not ids:
        return {}
    dialect = conn.dialect.name
    found = conn.execute(_dues(dialect), {"dialogs": listed(dialect, ids)})
    return {int(row[0]): int(row[1]) for row in found}
