"""Work that changes hands, for a while or for good: planned in one statement, moved in steps.

What was put where stands in rows. So it goes on after a crash, can be watched, and can be put
back: exactly what is still where it was put, for whoever took something over meanwhile keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update

from crm_store import object_writes
from crm_store.absences import DIALOGS, INTAKE, KINDS, Filters, movable, work_of
from crm_store.sql import locked
from crm_store.tables.absences import absences, handovers, work_moves
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from dialogs.workflow import set_assignee
from hub.commands import (
    CarryMoves,
    EndAbsence,
    HandOver,
    RegisterAbsence,
    TurnAbsences,
    UndoHandover,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import AbsenceChanged, WorkHandedOver
from hub.ids import UserId
from hub.objects import Cause

LONGEST_US = 3 * 366 * 86_400_000_000


# -- absences ------------------------------------------------------------------------------


def register_absence(uow: UnitOfWork, command: RegisterAbsence) -> int:
    """Plan an absence; one that has begun already begins at once."""
    user_id = command.user_id or uow.viewer.user_id
    _need_about(uow, user_id)
    if command.kind not in KINDS:
        raise Invalid(f"one of {', '.join(KINDS)}", field="kind")
    if not command.from_at < command.to_at <= command.from_at + LONGEST_US:
        raise Invalid("an absence ends after it begins", field="to_at")
    if command.to_at <= uow.now:
        raise Invalid("this is over already", field="to_at")
    unknown = [one for one in command.what if one not in (DIALOGS, INTAKE, *movable(uow.tx.nouns))]
    if unknown:
        raise Invalid(f"there is nothing called {unknown[0]!r} to hand over", field="what")
    if (command.what or command.access) and not command.substitute_id:
        raise Invalid("say who stands in", field="substitute_id")
    if command.substitute_id == user_id:
        raise Invalid("nobody stands in for himself", field="substitute_id")
    for one in filter(None, (user_id, command.substitute_id)):
        _need_colleague(uow, one)
    other = uow.conn.execute(
        select(absences.c.id).where(
            absences.c.user_id == user_id,
            absences.c.state.in_(("planned", "active")),
            absences.c.from_at < command.to_at,
            absences.c.to_at > command.from_at,
        )
    ).first()
    if other is not None:
        raise Conflict("there is an absence at that time already", what="overlaps")
    absence_id = uow.new_id()
    uow.conn.execute(
        insert(absences).values(
            id=absence_id,
            user_id=user_id,
            kind=command.kind,
            from_at=command.from_at,
            to_at=command.to_at,
            substitute_id=command.substitute_id,
            what=list(dict.fromkeys(command.what)),
            access=command.access,
            made_by=uow.actor.id,
            created_at=uow.now,
        )
    )
    row = _lock_absence(uow, absence_id)
    _say(uow, row, "planned")
    if row.from_at <= uow.now:
        _begin(uow, row)
    return absence_id


def _need_about(uow: UnitOfWork, user_id: UserId) -> None:
    if user_id != uow.viewer.user_id:
        uow.viewer.need("absences.manage")


def _need_colleague(uow: UnitOfWork, user_id: UserId) -> None:
    # Locked, so that two absences of one time are not both planned.
    found = uow.conn.execute(
        locked(uow.dialect, select(users.c.id).where(users.c.id == user_id, users.c.active))
    ).first()
    if found is None:
        raise Invalid("there is no such colleague", field="user_id")


def _lock_absence(uow: UnitOfWork, absence_id: int) -> Any:
    row = uow.conn.execute(
        locked(uow.dialect, select(absences).where(absences.c.id == absence_id))
    ).first()
    if row is None:
        raise NotFound("there is no such absence")
    return row


def _say(uow: UnitOfWork, row: Any, state: str) -> None:
    uow.record(
        AbsenceChanged(
            absence_id=row.id,
            user_id=UserId(row.user_id),
            substitute_id=UserId(row.substitute_id),
            state=state,
        )
    )


def _begin(uow: UnitOfWork, row: Any) -> None:
    uow.conn.execute(update(absences).where(absences.c.id == row.id).values(state="active"))
    if row.substitute_id:
        what = [one for one in row.what if one != INTAKE]
        # All of it, whoever wrote the absence down: the substitute is to answer for everything.
        whole = replace(uow, viewer=Viewer.system())
        _plan(whole, row.id, UserId(row.user_id), UserId(row.substitute_id), what, {})
    _say(uow, row, "active")


def _finish(uow: UnitOfWork, row: Any, state: str) -> None:
    uow.conn.execute(
        update(absences).where(absences.c.id == row.id).values(state=state, ended_at=uow.now)
    )
    _take_back(uow, row.id)
    _say(uow, row, state)


def end_absence(uow: UnitOfWork, command: EndAbsence) -> None:
    """End an absence now, or call it off."""
    row = _lock_absence(uow, command.absence_id)
    _need_about(uow, UserId(row.user_id))
    if row.state not in ("planned", "active"):
        raise Conflict("this absence is over", what="over")
    _finish(uow, row, "cancelled" if row.state == "planned" else "ended")


def turn_absences(uow: UnitOfWork, command: TurnAbsences) -> int:
    """Begin and end what is due."""
    due = select(absences).where(absences.c.state == "planned", absences.c.from_at <= uow.now)
    over = select(absences).where(absences.c.state == "active", absences.c.to_at <= uow.now)
    beginning = uow.conn.execute(locked(uow.dialect, due, skip=True)).all()
    for row in beginning:
        _begin(uow, row)
    ending = uow.conn.execute(locked(uow.dialect, over, skip=True)).all()
    for row in ending:
        _finish(uow, row, "ended")
    return len(beginning) + len(ending)


# -- handovers -----------------------------------------------------------------------------


def hand_over(uow: UnitOfWork, command: HandOver) -> int:
    """Plan a handover of everything that the actor can see; gives its id."""
    if command.from_id == command.to_id:
        raise Invalid("this is the same colleague", field="to_id")
    if not command.what:
        raise Invalid("say what is handed over", field="what")
    _need_colleague(uow, command.to_id)
    if uow.conn.execute(select(users.c.id).where(users.c.id == command.from_id)).first() is None:
        raise Invalid("there is no such colleague", field="from_id")
    handover_id = uow.new_id()
    total = _plan(uow, handover_id, command.from_id, command.to_id, command.what, command.filters)
    if not total:
        raise Conflict("there is nothing to hand over", what="nothing")
    uow.conn.execute(
        insert(handovers).values(
            id=handover_id,
            from_id=command.from_id,
            to_id=command.to_id,
            what=list(command.what),
            filters={name: dict(one) for name, one in command.filters.items()},
            total=total,
            made_by=uow.actor.id,
            created_at=uow.now,
        )
    )
    uow.record(
        WorkHandedOver(
            handover_id=handover_id, from_id=command.from_id, to_id=command.to_id, total=total
        )
    )
    return handover_id


def undo_handover(uow: UnitOfWork, command: UndoHandover) -> None:
    """Give back what is still with the receiver."""
    row = uow.conn.execute(
        locked(uow.dialect, select(handovers).where(handovers.c.id == command.handover_id))
    ).first()
    if row is None:
        raise NotFound("there is no such handover")
    if row.undone_at:
        raise Conflict("this handover is undone already", what="undone")
    uow.conn.execute(
        update(handovers).where(handovers.c.id == row.id).values(state="undone", undone_at=uow.now)
    )
    _take_back(uow, row.id)
    uow.record(
        WorkHandedOver(
            handover_id=row.id,
            from_id=UserId(row.from_id),
            to_id=UserId(row.to_id),
            total=row.total,
            undone=True,
        )
    )


# -- moves ---------------------------------------------------------------------------------


def _plan(
    uow: UnitOfWork,
    batch_id: int,
    from_id: UserId,
    to_id: UserId,
    what: Sequence[str],
    filters: Filters,
) -> int:
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    for one in dict.fromkeys(what):
        ids = work_of(reader, from_id, one, filters).subquery()
        rows = select(
            literal(batch_id), literal(one), ids.c.id, literal(int(from_id)), literal(int(to_id))
        )
        columns = ["batch_id", "kind", "object_id", "before_id", "after_id"]
        uow.conn.execute(insert(work_moves).from_select(columns, rows))
    # Counted, for a driver need not tell how many rows such an INSERT wrote.
    return int(
        uow.conn.execute(
            select(func.count()).select_from(work_moves).where(work_moves.c.batch_id == batch_id)
        ).scalar_one()
    )


def _take_back(uow: UnitOfWork, batch_id: int) -> None:
    mine = work_moves.c.batch_id == batch_id
    # What has not moved yet stays where it is; nobody else has it.
    uow.conn.execute(delete(work_moves).where(mine, work_moves.c.state == "planned"))
    moved = update(work_moves).where(mine, work_moves.c.state == "moved")
    uow.conn.execute(moved.values(state="returning"))


def carry_moves(uow: UnitOfWork, command: CarryMoves) -> int:
    """Carry out the next moves; each is one change with its fact, as if done by hand."""
    statement = (
        select(work_moves)
        .where(work_moves.c.state.in_(("planned", "returning")))
        .order_by(work_moves.c.batch_id, work_moves.c.kind, work_moves.c.object_id)
        .limit(command.limit)
    )
    rows = uow.conn.execute(locked(uow.dialect, statement, skip=True)).all()
    for row in rows:
        there = row.state == "planned"
        from_id, to_id = (row.before_id, row.after_id) if there else (row.after_id, row.before_id)
        moved = _move(uow, row, UserId(from_id), UserId(to_id))
        if not (moved or there):
            moved = _from_the_next(uow, row)
        state = ("moved" if there else "returned") if moved else "skipped"
        uow.conn.execute(
            update(work_moves)
            .where(
                work_moves.c.batch_id == row.batch_id,
                work_moves.c.kind == row.kind,
                work_moves.c.object_id == row.object_id,
            )
            .values(state=state)
        )
    for batch_id in {row.batch_id for row in rows}:
        _settle(uow, batch_id)
    return len(rows)


def _move(uow: UnitOfWork, row: Any, from_id: UserId, to_id: UserId) -> bool:
    """Give one thing to another; False where somebody else has it, or it is gone."""
    active = uow.conn.execute(select(users.c.id).where(users.c.id == to_id, users.c.active)).first()
    if active is None:
        return False
    why = replace(uow, viewer=Viewer.system(), cause=Cause(kind="handover", id=row.batch_id))
    if row.kind == DIALOGS:
        dialog = uow.conn.execute(
            locked(uow.dialect, select(dialogs).where(dialogs.c.id == row.object_id))
        ).first()
        if dialog is None or dialog.assignee_id != from_id or dialog.merged_into:
            return False
        set_assignee(why, dialog, to_id, None)
        return True
    noun = movable(uow.tx.nouns).get(row.kind)
    if noun is None:
        return False
    try:
        found = object_writes.lock(why, noun, row.object_id)
    except NotFound:
        return False
    if found.deleted_at or getattr(found, noun.kind.owner) != from_id:
        return False
    object_writes.change(why, noun, found, {noun.kind.owner: to_id})
    return True


def _from_the_next(uow: UnitOfWork, row: Any) -> bool:
    """Give a thing back from whoever stands in for the substitute, who is away himself by now."""
    nexts = uow.conn.execute(
        select(work_moves)
        .join(absences, absences.c.id == work_moves.c.batch_id)
        .where(
            absences.c.state == "active",
            work_moves.c.kind == row.kind,
            work_moves.c.object_id == row.object_id,
            work_moves.c.before_id == row.after_id,
            work_moves.c.state == "moved",
        )
    ).all()
    for one in nexts:
        if _move(uow, row, UserId(one.after_id), UserId(row.before_id)):
            uow.conn.execute(
                update(work_moves)
                .where(
                    work_moves.c.batch_id == one.batch_id,
                    work_moves.c.kind == one.kind,
                    work_moves.c.object_id == one.object_id,
                )
                .values(state="returned")
            )
            return True
    return False


def _settle(uow: UnitOfWork, batch_id: int) -> None:
    left = uow.conn.execute(
        select(func.count())
        .select_from(work_moves)
        .where(work_moves.c.batch_id == batch_id, work_moves.c.state == "planned")
    ).scalar_one()
    if not left:
        uow.conn.execute(
            update(handovers)
            .where(handovers.c.id == batch_id, handovers.c.state == "running")
            .values(state="done")
        )


def anything_to_turn(conn: Any, now: int) -> bool:
    """Say whether an absence is due, or something waits to be moved."""
    due = select(absences.c.id).where(absences.c.state == "planned", absences.c.from_at <= now)
    over = select(absences.c.id).where(absences.c.state == "active", absences.c.to_at <= now)
    moves = select(work_moves.c.batch_id).where(work_moves.c.state.in_(("planned", "returning")))
    return any(conn.execute(one.limit(1)).first() is not None for one in (due, over, moves))
