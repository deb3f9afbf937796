"""Carrying out: the runs of an event, their commands, timers and the engine's place, together.

Nothing decided is decided again: the place moves from where it was decided, or nothing happens;
and a run's key (rule, cause, step, occurrence) is written once. What a plan has many of is written
many at once (triggers/running.py, triggers/waits.py, triggers/counting.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update

from crm_store.held import holding
from crm_store.sql import locked, upsert
from crm_store.tables.journal import cursors, journal
from crm_store.tables.people import contacts
from crm_store.unit_of_work import UnitOfWork
from hub.commands import CarryOut
from hub.errors import Conflict
from hub.ids import RunId
from triggers.counting import Counts
from triggers.doing import NeedsCare
from triggers.plans import Arm, Cancel, Misses, PlannedRun, Settle
from triggers.running import Runs
from triggers.waits import Waits

CURSOR = "rules"

__all__ = ["CURSOR", "NeedsCare", "begin", "carry_out"]


def carry_out(uow: UnitOfWork, command: CarryOut) -> list[RunId]:
    """Carry a plan out; gives the runs that were made."""
    _move(uow, command)
    planned = [one for one in command.plan if isinstance(one, PlannedRun)]
    _lock_people(uow, (one.contact_id for one in planned))
    late = _overtaken(uow, command, planned)
    planned = [one for one in planned if not (one.timer_id and one.dialog_id in late)]
    counts, waits = Counts(uow), Waits(uow)
    waits.settle([one.timer_id for one in command.plan if isinstance(one, Settle)])
    runs = Runs(uow, counts, waits, careful=command.careful)
    allowed = {id(one) for one in runs.allowed(planned)}
    with holding(uow, (one.dialog_id for one in planned if id(one) in allowed)):
        for item in command.plan:
            match item:
                case PlannedRun() if id(item) in allowed:
                    runs.run(item)
                case Arm(timer=timer):
                    waits.arm(timer)
                case Cancel():
                    waits.cancel(item)
                case Misses(counts=missed, held=held):
                    for rule_id, number in missed.items():
                        counts.add(rule_id, misses=number)
                    for rule_id, number in held.items():
                        counts.add(rule_id, held=number)
    runs.write()
    waits.write()
    counts.write()
    return runs.made


def _move(uow: UnitOfWork, command: CarryOut) -> None:
    """Move the engine's place from where the plan was decided, or refuse."""
    if command.seen == command.read_to:
        here = uow.conn.execute(
            locked(uow.dialect, select(cursors.c.event_id).where(cursors.c.name == CURSOR))
        ).scalar()
        moved = here == command.seen
    else:
        moved = bool(
            uow.conn.execute(
                update(cursors)
                .where(cursors.c.name == CURSOR, cursors.c.event_id == command.seen)
                .values(event_id=command.read_to, updated_at=uow.now)
            ).rowcount
        )
    if not moved:
        raise Conflict("another engine was here", what="place")


def _lock_people(uow: UnitOfWork, ids: Iterable[int]) -> None:
    """The person's row is the lock under which preconditions hold; in one order for all."""
    wanted = sorted({one for one in ids if one})
    if wanted and uow.dialect == "postgresql":
        statement = select(contacts.c.id).where(contacts.c.id.in_(wanted)).order_by(contacts.c.id)
        uow.conn.execute(locked(uow.dialect, statement)).all()


def _overtaken(uow: UnitOfWork, command: CarryOut, runs: list[PlannedRun]) -> set[int]:
    """Give dialogs of due timers in which something happened that the engine has not read yet."""
    ids = sorted({one.dialog_id for one in runs if one.timer_id and one.dialog_id})
    if not ids:
        return set()
    found = uow.conn.execute(
        select(journal.c.dialog_id).where(
            journal.c.id > command.read_to, journal.c.dialog_id.in_(ids)
        )
    )
    return set(found.scalars())


def begin(uow: UnitOfWork, at: int) -> None:
    """Write the engine's first place, where it never was."""
    uow.conn.execute(
        upsert(uow.dialect, cursors)
        .values(name=CURSOR, event_id=at, updated_at=uow.now)
        .on_conflict_do_nothing()
    )
