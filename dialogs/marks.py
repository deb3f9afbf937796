"""How far each colleague has read, when messages go over to another dialog.

Unread is a subtraction: what came in, less what was seen of it. So whoever takes messages away must
take from the marks too, or the next words of the customer would count as read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from crm_store.sql import upsert
from crm_store.tables.dialogs import dialogs, messages, read_marks
from crm_store.unit_of_work import UnitOfWork

COUNTED = ("in", "call")
"""Directions of messages that `inbound_count` counts."""


def marks_of(uow: UnitOfWork, dialog_id: int) -> Sequence[Row[Any]]:
    """Give who has read a dialog, and how far."""
    return uow.conn.execute(select(read_marks).where(read_marks.c.dialog_id == dialog_id)).all()


def cap_marks(uow: UnitOfWork, dialog_id: int) -> None:
    """Let nobody have seen more of a dialog than there is, after something was taken away."""
    count = select(dialogs.c.inbound_count).where(dialogs.c.id == dialog_id).scalar_subquery()
    uow.conn.execute(
        update(read_marks)
        .where(read_marks.c.dialog_id == dialog_id, read_marks.c.inbound_seen > count)
        .values(inbound_seen=count)
    )


def join_marks(uow: UnitOfWork, survivor: Row[Any], merged: Row[Any]) -> None:
    """Count what was read in a dialog that is merged as read in the survivor."""
    own = {one.user_id: one for one in marks_of(uow, survivor.id)}
    for one in marks_of(uow, merged.id):
        before = own.get(one.user_id)
        seen = min(one.inbound_seen, merged.inbound_count)
        if before is not None:
            seen += min(before.inbound_seen, survivor.inbound_count)
        _set(uow, survivor.id, one.user_id, inbound_seen=seen, at=before.at if before else 0)


def part_marks(
    uow: UnitOfWork,
    marks: Sequence[Row[Any]],
    ids: tuple[int, int],
    counts: tuple[int, int],
    merged_at: int,
    inbound_then: int,
) -> None:
    """Say what each has read of the survivor and of the dialog that comes back.

    `marks` are those of the survivor while both were one, `ids` and `counts` the dialogs and how much
    came into each now (survivor, restored), `inbound_then` how much was in the latter at its merge.
    Who has read nothing since the merge has read what he had read before; for others it is the newest
    that is unread, in whichever of the two it is.
    """
    survivor, restored = ids
    together = sum(counts)
    touched = [one for one in marks if one.at > merged_at]
    own = {one.user_id: one for one in marks_of(uow, restored)}
    for one in marks:
        if one.at <= merged_at:
            theirs = own.get(one.user_id)
            seen = one.inbound_seen - min(theirs.inbound_seen if theirs else 0, inbound_then)
            _set(uow, survivor, one.user_id, inbound_seen=max(0, min(seen, counts[0])))
    most = max((together - one.inbound_seen for one in touched), default=0)
    newest = _newest(uow, ids, most)
    for one in touched:
        unread = newest[: max(0, together - one.inbound_seen)]
        back = sum(dialog_id == restored for dialog_id in unread)
        _set(uow, survivor, one.user_id, inbound_seen=counts[0] - (len(unread) - back))
        _set(uow, restored, one.user_id, inbound_seen=counts[1] - back, at=one.at)


def _newest(uow: UnitOfWork, ids: tuple[int, int], most: int) -> Sequence[int]:
    """Give the dialogs of what came in last, the newest first."""
    if most <= 0:
        return ()
    return (
        uow.conn.execute(
            select(messages.c.dialog_id)
            .where(
                messages.c.dialog_id.in_(ids),
                messages.c.deleted_at == 0,
                messages.c.direction.in_(COUNTED),
            )
            .order_by(messages.c.at.desc(), messages.c.id.desc())
            .limit(most)
        )
        .scalars()
        .all()
    )


def _set(uow: UnitOfWork, dialog_id: int, user_id: int, **values: int) -> None:
    statement = upsert(uow.dialect, read_marks).values(
        user_id=user_id, dialog_id=dialog_id, **values
    )
    uow.conn.execute(
        statement.on_conflict_do_update(index_elements=["user_id", "dialog_id"], set_=values)
    )
