"""The next person: taken by one caller alone, given back by a result, by leaving, or by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, case, insert, select, update

from hub import (
    Command,
    Conflict,
    ContactId,
    Handler,
    Invalid,
    NotFound,
    UnitOfWork,
    UserId,
    quiet_until,
)
from plugins.telemarketing.commands import has_waiting, list_in, set_state
from plugins.telemarketing.facts import ListCalled
from plugins.telemarketing.plans import LATER, PHONE, CallList, Plan, may_call
from plugins.telemarketing.tables import calls, people

US = 1_000_000
LEASE_US = 30 * 60 * US
"""For so long a person who was taken is his caller's alone."""
UNDO_US = 24 * 3_600 * US
KEPT = ("state", "due_at", "promised", "attempts", "result", "address_id")
"""What of a person's place is kept with a call, and its undoing brings back; the last is what was called."""
FEW, MANY = 20, 2_000
"""So many places are looked at first, and then at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNext(Command):
    """Take the next person of a list; gives the id of his place, 0 where nobody is to be called now.

    Who took somebody and gave no result gets him again. `zone` is the organisation's.
    """

    permission: ClassVar[str] = "contacts.edit"

    list_id: int
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack(Command):
    """Let somebody else call a person that was taken."""

    permission: ClassVar[str] = "contacts.edit"

    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepResult(Command):
    """Keep what came of a call; gives the call's id. `again_at` is what was promised."""

    permission: ClassVar[str] = "contacts.edit"

    person_id: int
    result: str
    answers: dict[str, Any] = field(default_factory=dict, repr=False)
    again_at: int = 0
    meeting_id: int = 0
    made_kind: str = ""
    made_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult(Command):
    """Take one's last result on a list back: the person is as he was, and one's own again."""

    permission: ClassVar[str] = "contacts.edit"

    call_id: int


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=TakeNext, handle=take),
        Handler(command=GiveBack, handle=give_back),
        Handler(command=KeepResult, handle=keep),
        Handler(command=UndoResult, handle=undo),
    ]


def take(uow: UnitOfWork, command: TakeNext) -> int:
    """Lease the first free place that may be called now, passing those that another caller holds.

    The telephone to call is chosen here. Whom who acts may not see is left to others; who is gone,
    lost his telephone or refused advertising since has no place any more.
    """
    found = list_in(uow, command.list_id)
    if found.state != "running":
        return 0
    me = uow.actor.id
    waiting = (people.c.list_id == found.id) & (people.c.state == "waiting")
    mine = waiting & (people.c.user_id == me) & (people.c.lease_until > uow.now)
    free = waiting & (people.c.due_at <= uow.now) & (people.c.lease_until <= uow.now)
    # What was promised for now is kept whatever the hour; nobody else is called in his night.
    awake = _awake(uow, found, command.zone)
    called = free & ((people.c.promised == 1) | people.c.time_zone.in_(awake))
    taken = _first(uow, found.plan, mine, held=True) or _first(uow, found.plan, called)
    if not taken:
        _end_if_over(uow, found.id)
    return taken


def _first(
    uow: UnitOfWork, plan: Plan, condition: ColumnElement[bool], *, held: bool = False
) -> int:
    """Take the first place of a condition that may be called; gives its id, 0 for none.

    Who is `held` may be on the line: his place ends by what comes of the call.
    """
    own = case((people.c.user_id == uow.actor.id, 0), else_=1)
    ordered = (
        select(people.c.id, people.c.contact_id, people.c.address_id)
        .where(condition)
        .order_by(people.c.promised.desc(), own, people.c.due_at, people.c.id)
    )
    passed, limit = 0, FEW
    while rows := uow.execute(ordered.limit(limit).offset(passed)).all():
        ways = uow.reachable({one.contact_id: one.address_id for one in rows}, kind=PHONE)
        over = []
        for one in rows:
            way = ways.get(ContactId(one.contact_id))
            if way is not None and not way.seen:
                continue
            if way is None or not (held or may_call(plan, way)):
                over.append(one.id)
                continue
            phone = one.address_id if held else way.address_id
            if _lease(uow, one.id, condition, phone):
                _keep_out(uow, over, condition)
                return int(one.id)
        passed += len(rows) - _keep_out(uow, over, condition)
        limit = MANY
    return 0


def _lease(
    uow: UnitOfWork, person_id: int, condition: ColumnElement[bool], address_id: int
) -> bool:
    """Lease a place; False where another caller was quicker."""
    free = select(people.c.id).where(people.c.id == person_id, condition)
    if uow.execute(free.with_for_update(skip_locked=True)).first() is None:
        return False
    leased = {"user_id": uow.actor.id, "lease_until": uow.now + LEASE_US, "address_id": address_id}
    uow.execute(update(people).where(people.c.id == person_id).values(**leased))
    return True


def _keep_out(uow: UnitOfWork, ids: Sequence[int], condition: ColumnElement[bool]) -> int:
    """End places without a call; gives how many. Who is being looked at elsewhere waits for that."""
    free = select(people.c.id).where(people.c.id.in_(ids), condition).order_by(people.c.id)
    held = uow.execute(free.with_for_update(skip_locked=True)).scalars().all() if ids else []
    if held:
        ended = {"state": "done", "result": "kept_out", "lease_until": 0}
        uow.execute(update(people).where(people.c.id.in_(held)).values(**ended))
    return len(held)


def _awake(uow: UnitOfWork, found: CallList, house: str) -> list[str]:
    plan = found.plan
    zones = uow.execute(
        select(people.c.time_zone)
        .where(people.c.list_id == found.id, people.c.state == "waiting")
        .distinct()
    ).scalars()
    if plan.call_from == plan.call_until:
        return list(zones)
    night = plan.call_until, plan.call_from
    return [one for one in zones if not quiet_until(uow.now, one or house, *night)]


def _own(uow: UnitOfWork, person_id: int) -> Any:
    row = uow.execute(select(people).where(people.c.id == person_id).with_for_update()).first()
    if row is None:
        raise NotFound("there is nobody at this place of the list")
    if row.state != "waiting" or row.user_id != uow.actor.id or not row.lease_until:
        raise Conflict("a colleague has this person now: take the next one", what="taken")
    return row


def give_back(uow: UnitOfWork, command: GiveBack) -> None:
    """End the lease."""
    row = _own(uow, command.person_id)
    uow.execute(update(people).where(people.c.id == row.id).values(lease_until=0))


def keep(uow: UnitOfWork, command: KeepResult) -> int:
    """Write the call down, and say whether and when the person is called again."""
    row = _own(uow, command.person_id)
    found = list_in(uow, row.list_id)
    plan, result = found.plan, found.plan.result(command.result)
    attempts = row.attempts + 1
    again = result.again and (result.code == LATER or attempts < plan.attempts)
    if again:
        # He may have refused while he was on the line; a number may be found wrong elsewhere.
        ways = uow.reachable({row.contact_id: row.address_id}, kind=PHONE)
        way = ways.get(ContactId(row.contact_id))
        again = may_call(plan, way) or (way is not None and not way.seen)
    if result.code == LATER and command.again_at <= uow.now:
        raise Invalid("say when to call back: tomorrow 15:00, in 2 hours", field="again")
    due_at = command.again_at or uow.now + plan.interval_minutes * 60 * US
    after = {
        "state": "waiting" if again else "done",
        "due_at": due_at if again else 0,
        "promised": int(result.code == LATER),
        "attempts": attempts,
        "result": result.code,
    }
    call_id = uow.new_id()
    uow.execute(
        insert(calls).values(
            id=call_id,
            list_id=row.list_id,
            person_id=row.id,
            contact_id=row.contact_id,
            user_id=uow.actor.id,
            at=uow.now,
            result=result.code,
            answers=command.answers,
            again_at=due_at if again else 0,
            meeting_id=command.meeting_id,
            made_kind=command.made_kind,
            made_id=command.made_id,
            before={name: getattr(row, name) for name in KEPT},
        )
    )
    uow.execute(update(people).where(people.c.id == row.id).values(lease_until=0, **after))
    _tell(uow, row, call_id, result.code, attempts)
    _end_if_over(uow, row.list_id)
    return call_id


def _tell(
    uow: UnitOfWork, row: Any, call_id: int, result: str, attempt: int, *, undone: bool = False
) -> None:
    uow.record(
        ListCalled(
            contact_id=ContactId(row.contact_id),
            list_id=row.list_id,
            call_id=call_id,
            user_id=UserId(uow.actor.id),
            result=result,
            attempt=attempt,
            undone=undone,
        )
    )


def _end_if_over(uow: UnitOfWork, list_id: int) -> None:
    if list_in(uow, list_id).state == "running" and not has_waiting(uow, list_id):
        set_state(uow, list_id, "ended", state="done")


def undo(uow: UnitOfWork, command: UndoResult) -> None:
    """Bring the place back, unless it was called again since."""
    call = uow.execute(select(calls).where(calls.c.id == command.call_id).with_for_update()).first()
    if call is None or call.user_id != uow.actor.id:
        raise NotFound("there is no such call of yours")
    row = uow.execute(select(people).where(people.c.id == call.person_id).with_for_update()).one()
    # It ended by itself where nobody waited any more; else somebody ended it, and it stays so.
    by_itself = not has_waiting(uow, row.list_id)
    later = select(calls.c.id).where(
        calls.c.person_id == row.id, calls.c.id > call.id, calls.c.undone_at == 0
    )
    taken = row.lease_until > uow.now and row.user_id != uow.actor.id
    late = call.undone_at or call.at < uow.now - UNDO_US or not call.before
    if late or taken or uow.execute(later.limit(1)).first() is not None:
        raise Conflict("this result can no longer be taken back", what="late")
    # Whoever he has taken meanwhile waits for somebody again: one has one person at a time.
    held = (people.c.list_id == row.list_id) & (people.c.user_id == uow.actor.id)
    uow.execute(update(people).where(held).values(lease_until=0))
    uow.execute(
        update(people)
        .where(people.c.id == row.id)
        .values(**call.before, user_id=uow.actor.id, lease_until=uow.now + LEASE_US)
    )
    uow.execute(update(calls).where(calls.c.id == call.id).values(undone_at=uow.now))
    _tell(uow, row, call.id, call.result, row.attempts, undone=True)
    if by_itself and list_in(uow, row.list_id).state == "done":
        set_state(uow, row.list_id, "started", state="running")
