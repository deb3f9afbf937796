"""The checklist of a request: its points, and who ticked them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from crm_store import object_writes
from crm_store.requests import REQUEST
from crm_store.tables.requests import request_checklist, requests
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import ChangeChecklist
from hub.errors import Invalid, NotFound
from hub.events import RequestChecklistDone
from hub.ids import Micros, RequestId, UserId
from hub.records.requests import ChecklistItem

MOST_POINTS = 200


def checklist(reader: Reader, request_id: int) -> list[ChecklistItem]:
    """Give the points of a request, in the order in which they were written."""
    rows = reader.conn.execute(
        select(request_checklist)
        .where(request_checklist.c.request_id == request_id)
        .order_by(request_checklist.c.id)
    )
    return [
        ChecklistItem(
            id=row.id, text=row.text, done_at=Micros(row.done_at), done_by=UserId(row.done_by)
        )
        for row in rows
    ]


def change_checklist(uow: UnitOfWork, command: ChangeChecklist) -> list[int]:
    """Add, tick, untick and drop points; gives the ids of the new ones."""
    row = object_writes.lock(uow, REQUEST, command.request_id)
    mine = request_checklist.c.request_id == row.id
    texts = [" ".join(one.split())[:400] for one in command.add]
    if any(not one for one in texts):
        raise Invalid("a point needs words", field="add")
    before = _points(uow, row.id)
    if len(before) + len(texts) > MOST_POINTS:
        raise Invalid("a checklist has at most 200 points", field="add")
    made = [uow.new_id() for _ in texts]
    if made:
        uow.conn.execute(
            insert(request_checklist),
            [
                {"id": one, "request_id": row.id, "text": words}
                for one, words in zip(made, texts, strict=True)
            ],
        )
    for ids, values in (
        (command.tick, {"done_at": uow.now, "done_by": uow.viewer.user_id}),
        (command.untick, {"done_at": 0, "done_by": 0}),
    ):
        if ids:
            done = uow.conn.execute(
                update(request_checklist)
                .where(mine, request_checklist.c.id.in_(ids))
                .values(**values)
            )
            if done.rowcount != len(set(ids)):
                raise NotFound("there is no such point")
    if command.drop:
        uow.conn.execute(
            delete(request_checklist).where(mine, request_checklist.c.id.in_(command.drop))
        )
    uow.conn.execute(
        update(requests).where(requests.c.id == row.id).values(version=requests.c.version + 1)
    )
    if command.tick and not all(before) and all(_points(uow, row.id)):
        uow.record(RequestChecklistDone(request_id=RequestId(row.id)))
    return made


def _points(uow: UnitOfWork, request_id: int) -> list[bool]:
    """Say of each point of a request whether it is ticked."""
    statement = select(request_checklist.c.done_at).where(
        request_checklist.c.request_id == request_id
    )
    return [bool(one) for one in uow.conn.execute(statement).scalars()]


def forget_checklists(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Leave no points of requests that are erased."""
    uow.conn.execute(delete(request_checklist).where(request_checklist.c.request_id.in_(ids)))
