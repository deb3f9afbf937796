"""Filling a list with who is in its segment: batch by batch, behind the back of whoever asked.

The first batch is put in at once, so that a short list is there when its page is; a job takes the
rest, goes on where it stood after a kill, and ends at a press. It finds the people whom the colleague
sees who asked for it, and a list that waits for it starts when everybody is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import Column, MetaData, String, Table, delete, insert, select, text, update

from hub import (
    ActorKind,
    Command,
    Conflict,
    ContactId,
    Handler,
    Hub,
    HubError,
    Invalid,
    Job,
    Segment,
    UnitOfWork,
    UserId,
)
from plugins.telemarketing.commands import (
    NOBODY,
    AddToCallList,
    Listed,
    add,
    has_waiting,
    list_in,
    set_state,
)
from plugins.telemarketing.plans import PHONE, CallList, read_list
from plugins.telemarketing.tables import ID, lists
from plugins.telemarketing.tables import number as whole

MANAGE = "mailings.send"
BATCH, BATCHES_A_RUN = 500, 40


def _(text: str) -> str:
    return text


GONE = _("who asked for these people may not any more: fill the list again")
OTHERS = _("who asked for these people sees others by now: fill the list again")
NO_SEGMENT = _("choose whom to call")

fills = Table(
    "telemarketing_fills",
    MetaData(),
    Column("list_id", ID, primary_key=True, autoincrement=False),
    # running, done, cancelled or failed, then with the reason.
    Column("state", String(20), nullable=False),
    Column("reason", String(200), nullable=False, server_default=text("''")),
    # The last person who was looked at, and how many were looked at and are new on the list.
    whole("after"),
    whole("looked"),
    whole("added"),
    # 1 where the list starts when everybody is there.
    whole("starts"),
    whole("user_id"),
    Column("sight", String(64), nullable=False, server_default=text("''")),
    whole("began_at"),
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    fills.to_metadata(metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How far the filling of a list has come."""

    state: str = ""
    reason: str = ""
    after: int = 0
    looked: int = 0
    added: int = 0
    starts: bool = False
    user_id: int = 0
    sight: str = ""
    began_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginFill(Command):
    """Begin to fill a list from its segment, and start it then where it `starts`."""

    permission: ClassVar[str] = MANAGE

    list_id: int
    starts: bool = False
    sight: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillOn(Command):
    """Put the next batch in, unless somebody else did; `over` is the last one."""

    permission: ClassVar[str] = MANAGE

    list_id: int
    began_at: int
    before: int
    after: int
    looked: int
    people: tuple[Listed, ...] = ()
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFill(Command):
    """Cancel the filling of a list, or say with a reason why it cannot go on; who is on it stays."""

    permission: ClassVar[str] = MANAGE

    list_id: int
    reason: str = ""


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=BeginFill, handle=begin),
        Handler(command=FillOn, handle=fill_on),
        Handler(command=EndFill, handle=end),
    ]


def job() -> Job:
    """What puts in the later batches; one run at a time over all processes."""
    return Job(name="telemarketing.fill", run=work, every=timedelta(seconds=5))


def begin(uow: UnitOfWork, command: BeginFill) -> int:
    """Note who asked; gives when, by which this filling is known."""
    found = list_in(uow, command.list_id)
    if found.state == "removed":
        raise Conflict("this call list was removed: put it back first", what="removed")
    known = _row(uow, found.id)
    if known is not None and known.state == "running":
        raise Conflict("this call list is being filled", what="filling")
    uow.execute(delete(fills).where(fills.c.list_id == found.id))
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    # Never the instant of one before, or a batch of that one would be taken for one of this.
    began_at = max(uow.now, (known.began_at if known is not None else 0) + 1)
    uow.execute(
        insert(fills).values(
            list_id=found.id,
            state="running",
            starts=int(command.starts),
            user_id=uow.actor.id if by_person else 0,
            sight=command.sight,
            began_at=began_at,
        )
    )
    return began_at


def _row(uow: UnitOfWork, list_id: int) -> Any:
    return uow.execute(select(fills).where(fills.c.list_id == list_id)).first()


def fill_on(uow: UnitOfWork, command: FillOn) -> int:
    """Put the batch on the list and the mark forward, together; gives how many are new."""
    # The mark is moved first: of two who come with the same batch the second one finds it moved.
    moved = update(fills).where(
        fills.c.list_id == command.list_id,
        fills.c.state == "running",
        fills.c.began_at == command.began_at,
        fills.c.after == command.before,
    )
    values: dict[str, Any] = {
        "after": command.after,
        "looked": fills.c.looked + command.looked,
        "state": "done" if command.over else "running",
    }
    if not uow.execute(moved.values(**values)).rowcount:
        raise Conflict("this batch was put in already, or the filling has ended", what="moved")
    new = 0
    if command.people:
        new = add(uow, AddToCallList(list_id=command.list_id, people=command.people))
        added = {"added": fills.c.added + new}
        uow.execute(update(fills).where(fills.c.list_id == command.list_id).values(**added))
    if not command.over:
        return new
    found, row = list_in(uow, command.list_id), _row(uow, command.list_id)
    if row.starts and found.state == "draft":
        if has_waiting(uow, found.id):
            set_state(uow, found.id, "started", state="running", started_at=uow.now)
        else:
            nobody = {"state": "failed", "reason": NOBODY}
            uow.execute(update(fills).where(fills.c.list_id == found.id).values(**nobody))
    return new


def end(uow: UnitOfWork, command: EndFill) -> None:
    """End it where it still runs."""
    running = (fills.c.list_id == command.list_id) & (fills.c.state == "running")
    values = {"state": "failed" if command.reason else "cancelled", "reason": command.reason[:200]}
    uow.execute(update(fills).where(running).values(**values))


async def fill_of(hub: Hub, list_id: int) -> Fill:
    """Say how far the filling of a list has come."""
    row = await hub.store.first(select(fills).where(fills.c.list_id == list_id))
    if row is None:
        return Fill()
    values = {name: row[name] for name in row if name not in ("list_id", "starts")}
    return Fill(**values, starts=bool(row["starts"]))


async def fill(hub: Hub, one: CallList, *, starts: bool = False) -> Fill:
    """Begin to put on a list who is in its segment now, its first batch at once; says how far it is.

    Who is left out `AddToCallList` says.
    """
    await _segment(hub, one)
    await hub.do(BeginFill(list_id=one.id, starts=starts, sight=await hub.sight()))
    try:
        await turn(hub, hub, one, batches=1)
    except Conflict as error:
        if not _moved(error):
            raise
    return await fill_of(hub, one.id)


async def work(hub: Hub, payload: Mapping[str, Any]) -> None:
    """Go on with every list until everybody is there, or its turn is over."""
    going = select(lists).join(fills, fills.c.list_id == lists.c.id)
    for row in await hub.store.all(going.where(fills.c.state == "running").order_by(lists.c.id)):
        one = read_list(row)
        known = await fill_of(hub, one.id)
        try:
            await turn(hub, await _eyes(hub, known), one, batches=BATCHES_A_RUN)
        except HubError as error:
            if not _moved(error):
                await hub.do(EndFill(list_id=one.id, reason=str(error)[:200]))


def _moved(error: HubError) -> bool:
    return isinstance(error, Conflict) and error.what == "moved"


async def _eyes(hub: Hub, known: Fill) -> Hub:
    """Give the handle that sees whom the one who asked sees; raises Conflict where nobody's counts."""
    if not known.user_id:
        return hub
    eyes = hub.as_user(UserId(known.user_id))
    if not await eyes.may(MANAGE) or not await eyes.may("contacts.view"):
        raise Conflict(GONE, what="starter")
    if await eyes.sight() != known.sight:
        raise Conflict(OTHERS, what="starter")
    return eyes


async def _segment(hub: Hub, one: CallList) -> Segment:
    if one.plan.segment_id not in {known.id for known in await hub.segments()}:
        raise Invalid(NO_SEGMENT, field="segment_id")
    return Segment(id=0, name=one.title, static=False, any_of=(one.plan.segment_id,))


async def turn(hub: Hub, eyes: Hub, one: CallList, *, batches: int) -> None:
    segment = await _segment(eyes, one)
    for _batch in range(batches):
        known = await fill_of(hub, one.id)
        if known.state != "running":
            return
        members = await eyes.audience(
            segment, channel=PHONE, after=ContactId(known.after), limit=BATCH
        )
        over = len(members) < BATCH
        step = FillOn(
            list_id=one.id,
            began_at=known.began_at,
            before=known.after,
            after=members[-1].contact_id if members else known.after,
            looked=len(members),
            people=tuple(
                Listed(each.contact_id, each.address_id, each.time_zone)
                for each in members
                if each.address_id
            ),
            over=over,
        )
        await hub.do(step)
        if over:
            return
