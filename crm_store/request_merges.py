"""Requests that are put into one another, and taken apart again."""

from __future__ import annotations

from sqlalchemy import select, update

from crm_store import object_writes, request_times
from crm_store.request_clocks import OVER, Clocks, status_values
from crm_store.requests import REQUEST
from crm_store.sql import locked
from crm_store.tables.objects import dialog_links
from crm_store.tables.requests import requests
from crm_store.unit_of_work import UnitOfWork
from hub.commands import MergeRequests, UndoMergeRequests
from hub.errors import Conflict, Invalid
from hub.events import RequestsMerged
from hub.ids import DialogId, RequestId
from hub.objects import Ref


def merge(uow: UnitOfWork, command: MergeRequests) -> None:
    """Put a request into another."""
    if command.request_id == command.into_id:
        raise Invalid("a request is not merged into itself", field="into_id")
    # Locked in the order of their ids, so that two merges never wait for each other.
    rows = {
        one: object_writes.lock(uow, REQUEST, one)
        for one in sorted((command.request_id, command.into_id))
    }
    row, into = rows[command.request_id], rows[command.into_id]
    if row.merged_into or into.merged_into or into.deleted_at:
        raise Conflict("one of them was merged already", what="merged")
    here = _dialogs_of(uow, row.id)
    there = set(_dialogs_of(uow, into.id))
    added = [one for one in here if one not in there]
    for dialog_id in added:
        object_writes.link(uow, DialogId(dialog_id), Ref(kind="request", id=into.id))
    for dialog_id in here:
        object_writes.unlink(uow, DialogId(dialog_id), Ref(kind="request", id=row.id))
    kept = {
        "status": row.status,
        "dialogs": [str(one) for one in here],
        "added": [str(one) for one in added],
        "times": [str(one) for one in request_times.hand_over(uow, row, into)],
    }
    uow.conn.execute(update(requests).where(requests.c.id == row.id).values(merge=kept))
    clocks = Clocks.of(uow, row)
    clocks.pass_time()
    clocks.move(row.status, "closed")
    clocks.save(
        **status_values(uow, row, "closed"), merged_into=RequestId(into.id), spent_minutes=0
    )
    uow.record(RequestsMerged(request_id=RequestId(row.id), into_id=RequestId(into.id)))


def undo_merge(uow: UnitOfWork, command: UndoMergeRequests) -> None:
    """Take a merge back."""
    # Locked in the order of their ids; whom the time went to may be out of this person's sight.
    holder_id = _living(uow, command.request_id)
    both = select(requests).where(requests.c.id.in_((command.request_id, holder_id)))
    rows = {
        one.id: one for one in uow.conn.execute(locked(uow.dialect, both.order_by(requests.c.id)))
    }
    row, holder = object_writes.lock(uow, REQUEST, command.request_id), rows.get(holder_id)
    if not row.merged_into:
        raise Conflict("this request was not merged", what="not_merged")
    into_id = RequestId(row.merged_into)
    for one in row.merge.get("added", ()):
        object_writes.unlink(uow, DialogId(int(one)), Ref(kind="request", id=into_id))
    for one in row.merge.get("dialogs", ()):
        object_writes.link(uow, DialogId(int(one)), Ref(kind="request", id=row.id))
    uow.conn.execute(update(requests).where(requests.c.id == row.id).values(merge={}))
    status = row.merge.get("status", "in_work")
    clocks = Clocks.of(uow, row)
    clocks.move("closed", status)
    if status not in OVER:
        clocks.unmeet_answers()
    entries = [int(one) for one in row.merge.get("times", ())]
    spent = request_times.take_back(uow, row, holder, entries)
    clocks.save(**status_values(uow, row, status), merged_into=RequestId(0), spent_minutes=spent)
    uow.record(RequestsMerged(request_id=RequestId(row.id), into_id=into_id, undone=True))


def _living(uow: UnitOfWork, request_id: int) -> int:
    """Give the request that a merged one ended in, over however many merges."""
    while into := uow.conn.execute(
        select(requests.c.merged_into).where(requests.c.id == request_id)
    ).scalar():
        request_id = int(into)
    return request_id


def _dialogs_of(uow: UnitOfWork, request_id: int) -> list[int]:
    return list(
        uow.conn.execute(
            select(dialog_links.c.dialog_id).where(
                dialog_links.c.kind == "request", dialog_links.c.object_id == request_id
            )
        ).scalars()
    )
