"""Commands over call lists and the people on them, and who carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import delete, insert, select, update

from hub import Command, Conflict, ContactId, Handler, Invalid, NotFound, UnitOfWork
from plugins.telemarketing.facts import CallListChanged
from plugins.telemarketing.plans import PHONE, CallList, Plan, may_call, read_list, read_plan
from plugins.telemarketing.tables import calls, lists, moves, people

STEPS = {
    "running": ("draft", "paused", "done"),
    "paused": ("running",),
    "done": ("running", "paused"),
    "removed": ("draft", "done", "paused"),
    "draft": ("removed",),
}
"""Out of which states each state is reached by hand."""
WHAT = {"running": "started", "paused": "paused", "done": "ended", "removed": "removed"}
NOBODY = "nobody on this list can be called: choose other people"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCallList(Command):
    """Make a call list or change one; gives its id. Whom it holds is another matter."""

    permission: ClassVar[str] = "mailings.send"

    title: str
    plan: dict[str, Any]
    list_id: int = 0
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerCallList(Command):
    """Start or resume (`running`), pause, end (`done`), put away (`removed`) and back (`draft`)."""

    permission: ClassVar[str] = "mailings.send"

    list_id: int
    state: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A person for a list, with the number to call."""

    contact_id: int
    address_id: int
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToCallList(Command):
    """Put people on a list; who is on it stays as he is. Gives how many are new.

    Left out is who has no telephone that is in use, and of advertising who refused it or does not
    want to be disturbed.
    """

    permission: ClassVar[str] = "mailings.send"

    list_id: int
    people: tuple[Listed, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveListed(Command):
    """Follow a merge of two cards (or, with `back`, its undoing) on the lists."""

    source: ContactId
    target: ContactId
    merge_id: int
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetListed(Command):
    """Take an erased person off every list, with the answers that he gave."""

    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRefuser(Command):
    """Call a person who refused advertising from no list of advertising any more."""

    contact_id: ContactId


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=SaveCallList, handle=save),
        Handler(command=SteerCallList, handle=steer),
        Handler(command=AddToCallList, handle=add),
        Handler(command=MoveListed, handle=move),
        Handler(command=ForgetListed, handle=forget),
        Handler(command=DropRefuser, handle=drop_refuser),
    ]


def list_in(uow: UnitOfWork, list_id: int) -> CallList:
    """Give a list as this transaction sees it; raises NotFound."""
    row = uow.execute(select(lists).where(lists.c.id == list_id)).mappings().first()
    if row is None:
        raise NotFound("there is no such call list")
    return read_list(row)


def set_state(uow: UnitOfWork, list_id: int, what: str, **values: object) -> None:
    """Change a list, and put it on record."""
    changed = update(lists).where(lists.c.id == list_id)
    uow.execute(changed.values(version=lists.c.version + 1, **values))
    uow.record(CallListChanged(list_id=list_id, what=what))


def save(uow: UnitOfWork, command: SaveCallList) -> int:
    """Keep a list; a running one takes other words and callers at once."""
    title = command.title.strip()[:200]
    if not title:
        raise Invalid("give the call list a title", field="title")
    if command.list_id:
        found = list_in(uow, command.list_id)
        if found.state == "removed":
            raise Conflict("this call list was removed: put it back first", what="removed")
        if command.version is not None and found.version != command.version:
            raise Conflict("somebody changed this call list meanwhile", what="version")
        plan = kept(read_plan(command.plan, found.plan))
        set_state(uow, found.id, "changed", title=title, plan=plan)
        return found.id
    list_id = uow.new_id()
    plan = kept(read_plan(command.plan))
    row = {"id": list_id, "title": title, "state": "draft", "plan": plan}
    uow.execute(insert(lists).values(**row, created_at=uow.now, user_id=uow.actor.id))
    uow.record(CallListChanged(list_id=list_id, what="created"))
    return list_id


def has_waiting(uow: UnitOfWork, list_id: int) -> bool:
    """Say whether somebody on a list is to be called."""
    waiting = select(people.c.id).where(people.c.list_id == list_id, people.c.state == "waiting")
    return uow.execute(waiting.limit(1)).first() is not None


def kept(plan: Plan) -> dict[str, Any]:
    """Write a plan as it is kept."""
    return plan.as_json() | {"numbered": plan.numbered}


def steer(uow: UnitOfWork, command: SteerCallList) -> None:
    """Change the state; one that it is in already is no change."""
    found = list_in(uow, command.list_id)
    if found.state == command.state:
        return
    if found.state not in STEPS.get(command.state, ()):
        raise Conflict("a call list in this state cannot do that", what=found.state)
    if command.state == "running" and not has_waiting(uow, found.id):
        raise Invalid("nobody on this list can be called: choose other people", field="segment_id")
    values = {"started_at": uow.now} if not found.started_at and command.state == "running" else {}
    what = "changed" if command.state == "draft" else WHAT[command.state]
    set_state(uow, found.id, what, state=command.state, **values)


def add(uow: UnitOfWork, command: AddToCallList) -> int:
    """Put people on, in the order given."""
    found = list_in(uow, command.list_id)
    if found.state == "removed":
        raise Conflict("this call list was removed: put it back first", what="removed")
    given = {one.contact_id: one for one in command.people}
    # Adding at once from two windows: the list's row lets one after the other.
    uow.execute(update(lists).where(lists.c.id == found.id).values(version=lists.c.version))
    there = uow.execute(
        select(people.c.contact_id).where(
            people.c.list_id == found.id, people.c.contact_id.in_(given)
        )
    ).scalars()
    for known in set(there):
        del given[known]
    asked = {one.contact_id: one.address_id for one in given.values()}
    ways = uow.reachable(asked, kind=PHONE) if asked else {}
    rows = [
        {
            "id": uow.new_id(),
            "list_id": found.id,
            "contact_id": one.contact_id,
            "address_id": way.address_id,
            "time_zone": one.time_zone[:60],
            "state": "waiting",
        }
        for one in given.values()
        if (way := ways.get(ContactId(one.contact_id))) and may_call(found.plan, way)
    ]
    if rows:
        uow.execute(insert(people), rows)
    return len(rows)


def move(uow: UnitOfWork, command: MoveListed) -> None:
    """Give one card's places to the other; on a list that holds both, the survivor's row stays."""
    if command.back:
        move_back(uow, command)
        return
    both = select(people.c.list_id).where(people.c.contact_id == command.target)
    mine = select(people.c.id).where(people.c.contact_id == command.source)
    over = uow.execute(mine.where(people.c.list_id.not_in(both))).scalars().all()
    # Nobody calls one person twice: the merged card's place is over, and waits for its way back.
    waits = mine.where(people.c.list_id.in_(both), people.c.state == "waiting")
    ended = uow.execute(waits).scalars().all()
    uow.execute(update(people).where(people.c.id.in_(ended)).values(state="done", lease_until=0))
    uow.execute(update(people).where(people.c.id.in_(over)).values(contact_id=command.target))
    rows = [
        {"merge_id": command.merge_id, "person_id": one, "ended": int(one in ended)}
        for one in (*over, *ended)
    ]
    # A split that is taken back is no merge, and no way leads back from it.
    if rows and command.merge_id:
        uow.execute(insert(moves), rows)


def move_back(uow: UnitOfWork, command: MoveListed) -> None:
    """Bring back what this merge moved, and that alone: others may have come before and after it."""
    mine = moves.c.merge_id == command.merge_id
    known = select(moves.c.person_id).where(mine)
    there = people.c.id.in_(known.where(moves.c.ended == 0)) & (
        people.c.contact_id == command.source
    )
    uow.execute(update(people).where(there).values(contact_id=command.target))
    ended = people.c.id.in_(known.where(moves.c.ended == 1))
    again = update(people).where(ended, people.c.contact_id == command.target)
    uow.execute(again.values(state="waiting"))
    uow.execute(delete(moves).where(mine))
    # What went over before that was written down: calls, which follow by themselves now, and places.
    for table in (people, calls):
        old = (table.c.merge_id == command.merge_id) & (table.c.contact_id == command.source)
        uow.execute(update(table).where(old).values(contact_id=command.target, merge_id=0))
    reopened = (people.c.merge_id == command.merge_id) & (people.c.contact_id == command.target)
    uow.execute(update(people).where(reopened).values(state="waiting", merge_id=0))


def forget(uow: UnitOfWork, command: ForgetListed) -> None:
    """Leave that a call was made and what came of it; drop the answers and the place."""
    person = command.contact_id
    uow.execute(update(calls).where(calls.c.contact_id == person).values(answers={}, before={}))
    uow.execute(
        update(people)
        .where(people.c.contact_id == person)
        .values(state="done", lease_until=0, address_id=0, time_zone="")
    )


def drop_refuser(uow: UnitOfWork, command: DropRefuser) -> None:
    """End the places of a person who waits; who is being called now has his end by the result."""
    waits = (people.c.contact_id == command.contact_id) & (people.c.state == "waiting")
    for row in uow.execute(select(people.c.id, people.c.list_id).where(waits)).all():
        if list_in(uow, row.list_id).plan.advertising:
            free = (people.c.id == row.id) & (people.c.lease_until <= uow.now)
            uow.execute(update(people).where(free).values(state="done", result="kept_out"))
