"""Commands over mailings, and who carries them out.

`FillMailing` is the step of a batch: what goes into the outbox and the cursor are one transaction,
so that a mailing goes on exactly where it stood, whenever it was killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sqlalchemy import insert, select, update

from hub import (
    AccountId,
    Command,
    Conflict,
    Handler,
    Invalid,
    ManyContent,
    ManyQueued,
    ManyRecipient,
    NotFound,
    PlanMany,
    SendMany,
    SteerMany,
    UnitOfWork,
)
from plugins.mailings import files, pictures, starters, versions
from plugins.mailings.facts import MailingChanged
from plugins.mailings.finishing import was_told
from plugins.mailings.holdouts import keep_out
from plugins.mailings.judging import NOTHING, Judged, keep
from plugins.mailings.plans import Mailing, minute_of, read_mailing, read_plan
from plugins.mailings.tables import mailings, runs, with_run

PUT_AWAY = {"removed": "draft", "draft": "removed"}
"""Out of which state each of these leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveMailing(Command):
    """Make a mailing or change one that has not begun; gives its id."""

    permission: ClassVar[str] = "mailings.send"

    title: str
    plan: dict[str, Any]
    mailing_id: int = 0
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartMailing(Command):
    """Let a draft go, at its time: its words are kept as they are now."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    due_at: int
    contents: tuple[ManyContent, ...] = ()
    steps: tuple[tuple[ManyContent, ...], ...] = ()
    version: int | None = None
    sight: str = ""
    """What `Hub.sight` says of who lets it go: it goes to whom he sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatMailing(Command):
    """Plan the next occurrence of a mailing that repeats, with its own sends."""

    mailing_id: int
    unless_past: int
    occurrence: int
    due_at: int
    contents: tuple[ManyContent, ...] = ()
    steps: tuple[tuple[ManyContent, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerMailing(Command):
    """Pause, resume (`running`) or cancel; put a draft away (`removed`) and back (`draft`)."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    state: str
    reason: str = ""
    seen: Judged = NOTHING
    """What had become of it when it was let go on: it is judged from there."""
    sight: str | None = None
    """With it, it is to whom the actor sees that it goes from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMailing(Command):
    """Put one batch into the outbox and step the cursor, unless the mailing moved on meanwhile.

    `version` is the mailing's as the batch was made of it: the cursor alone is 0 again when the
    next pass or occurrence begins, and would let a second process count people twice.
    """

    mailing_id: int
    version: int
    cursor: int
    phase: int
    recipients: tuple[ManyRecipient, ...] = field(default=(), repr=False)
    done: bool = False
    again_at: int = 0
    winner: int = 0


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=SaveMailing, handle=save),
        Handler(command=StartMailing, handle=start),
        Handler(command=RepeatMailing, handle=repeat),
        Handler(command=SteerMailing, handle=steer),
        Handler(command=FillMailing, handle=fill),
        pictures.handler(),
        files.handler(),
    ]


def mailing_in(uow: UnitOfWork, mailing_id: int) -> Mailing:
    """Give a mailing as this transaction sees it; raises NotFound."""
    row = uow.execute(
        with_run().where(mailings.c.id == mailing_id).with_for_update(of=mailings)
    ).first()
    if row is None:
        raise NotFound("there is no such mailing")
    return read_mailing(row._mapping)


def _draft(uow: UnitOfWork, mailing_id: int, version: int | None, begun: str) -> Mailing:
    # That it has begun is said first: its sending changes the version as well.
    found = mailing_in(uow, mailing_id)
    if found.state == "removed":
        raise Conflict("this draft was removed: put it back first", what="removed")
    if found.state != "draft":
        raise Conflict(begun, what="begun")
    if version is not None and found.version != version:
        raise Conflict("somebody changed this mailing meanwhile", what="version")
    return found


def write(uow: UnitOfWork, mailing_id: int, what: str, **values: object) -> None:
    """Change a mailing, and put on record what happened to it ("" for nothing worth a fact)."""
    uow.execute(
        update(mailings)
        .where(mailings.c.id == mailing_id)
        .values(version=mailings.c.version + 1, **values)
    )
    if what:
        uow.record(MailingChanged(mailing_id=mailing_id, what=what))


def save(uow: UnitOfWork, command: SaveMailing) -> int:
    """Keep the plan."""
    title = command.title.strip()[:200]
    if not title:
        raise Invalid("give the mailing a title", field="title")
    plan = read_plan(command.plan).as_json()
    if command.mailing_id:
        begun = "this mailing has begun: what is being sent stays as it is"
        before = _draft(uow, command.mailing_id, command.version, begun)
        was = before.plan.as_json()
        if (before.title, was) != (title, plan):
            versions.keep(uow, versions.MAILING, before.id, before.version, before.title, was)
        write(uow, before.id, "changed", title=title, plan=plan)
        return before.id
    mailing_id = uow.new_id()
    uow.execute(
        insert(mailings).values(
            id=mailing_id,
            title=title,
            state="draft",
            plan=plan,
            contents=[],
            created_at=uow.now,
            user_id=uow.actor.id,
        )
    )
    uow.record(MailingChanged(mailing_id=mailing_id, what="created"))
    return mailing_id


def start(uow: UnitOfWork, command: StartMailing) -> int:
    """Keep the words, and wait for the time."""
    begun = "this mailing has begun already"
    mailing = _draft(uow, command.mailing_id, command.version, begun)
    plan = mailing.plan
    if not plan.segment_id or not plan.accounts:
        raise Invalid("choose a segment and a channel first", field="segment_id")
    versions.keep(
        uow, versions.SENT, mailing.id, mailing.version, mailing.title, mailing.plan.as_json()
    )
    starters.keep(uow, mailing.id, command.sight)
    send_id, contents = _plan_sends(uow, mailing, 0, command.contents, command.steps)
    write(
        uow,
        mailing.id,
        "started",
        state="scheduled",
        due_at=command.due_at,
        send_id=send_id,
        contents=[str(one) for one in contents],
        phase=1 if plan.tests else 0,
    )
    return send_id


def repeat(uow: UnitOfWork, command: RepeatMailing) -> int:
    """Begin the next occurrence, unless somebody did it, paused it or ended it meanwhile."""
    mailing = mailing_in(uow, command.mailing_id)
    if mailing.state != "sending" or mailing.occurrence != command.unless_past:
        return 0
    send_id, contents = _plan_sends(
        uow, mailing, command.occurrence, command.contents, command.steps
    )
    write(
        uow,
        mailing.id,
        "repeated",
        state="scheduled",
        due_at=command.due_at,
        send_id=send_id,
        contents=[str(one) for one in contents],
        cursor=0,
        winner=0,
        phase=1 if mailing.plan.tests else 0,
    )
    return send_id


def _plan_sends(
    uow: UnitOfWork,
    mailing: Mailing,
    occurrence: int,
    contents: tuple[ManyContent, ...],
    steps: tuple[tuple[ManyContent, ...], ...],
) -> tuple[int, tuple[int, ...]]:
    """Make the sends of an occurrence, one per step of its chain; gives the first one's."""
    plan = mailing.plan
    made = []
    for number, words in enumerate((contents, *steps)):
        planned = PlanMany(
            mailing_id=mailing.id,
            occurrence=occurrence,
            step=number,
            days=plan.steps[number - 1].days if number else 0,
            title=mailing.title,
            topic=plan.topic,
            advertising=plan.advertising,
            contents=words,
            quiet_from=minute_of(plan.quiet_from),
            quiet_until=minute_of(plan.quiet_until),
            cap_count=plan.cap_count,
            cap_days=plan.cap_days,
            per_minute=plan.per_minute,
            minutes=plan.minutes,
            domain_per_minute=plan.domain_per_minute,
            domain_minutes=plan.domain_minutes,
            routes=tuple(AccountId(one) for one in plan.accounts) if len(plan.accounts) > 1 else (),
            fall_back_after=plan.fall_back_minutes,
            stops_when_answered=plan.stop_answered and number > 0,
        )
        given: Any = uow.give(planned)
        send_id, ids = int(given[0]), tuple(int(one) for one in given[1])
        made.append((send_id, ids))
        known = uow.execute(select(runs.c.send_id).where(runs.c.send_id == send_id)).first()
        if known is None:
            uow.execute(
                insert(runs).values(
                    send_id=send_id,
                    mailing_id=mailing.id,
                    occurrence=occurrence,
                    step=number,
                    days=plan.steps[number - 1].days if number else 0,
                    contents=[str(one) for one in ids],
                )
            )
    return made[0]


def steer(uow: UnitOfWork, command: SteerMailing) -> None:
    """Pause, resume or cancel, here and in the outbox, at once."""
    mailing = mailing_in(uow, command.mailing_id)
    if command.state in PUT_AWAY:
        if mailing.state != PUT_AWAY[command.state]:
            raise Conflict("only a draft is removed, and put back", what="state")
        write(uow, mailing.id, command.state, state=command.state)
        return
    wanted = {"paused": "paused", "running": "filling", "cancelled": "cancelled"}.get(command.state)
    if wanted is None:
        raise Invalid("a mailing is paused, running or cancelled", field="state")
    if mailing.state == "draft":
        raise Conflict("this mailing has not begun: send it first", what="state")
    if mailing.state == "removed":
        raise Conflict("this draft was removed: put it back first", what="removed")
    if mailing.state == "cancelled":
        raise Conflict("this mailing was cancelled: make one like it", what="state")
    if mailing.state == "sending" and was_told(uow, mailing.id, mailing.occurrence):
        raise Conflict("this mailing is finished: make one like it", what="state")
    known = uow.execute(select(runs.c.send_id).where(runs.c.mailing_id == mailing.id)).scalars()
    for send_id in sorted({*known, mailing.send_id} - {0}):
        uow.give(SteerMany(send_id=send_id, state=command.state, reason=command.reason))
    # What was filled already finds everybody known: going on from "filling" is always right.
    if command.state == "running":
        keep(uow, mailing.id, command.seen)
        if command.sight is not None:
            starters.keep(uow, mailing.id, command.sight)
        if mailing.due_at > uow.now:
            wanted = "scheduled"
    write(uow, mailing.id, command.state, state=wanted, reason=command.reason[:400])


def fill(uow: UnitOfWork, command: FillMailing) -> int:
    """Carry one batch; gives how many were queued."""
    mailing = mailing_in(uow, command.mailing_id)
    moved_on = mailing.version != command.version
    if moved_on or mailing.state not in ("scheduled", "filling"):
        return 0
    made = ManyQueued()
    if command.recipients:
        made = put_in(uow, mailing, command.recipients)
    write(
        uow,
        mailing.id,
        "filled" if command.done else "",
        state="sending" if command.done else "scheduled" if command.again_at else "filling",
        due_at=command.again_at or mailing.due_at,
        cursor=0 if command.done or command.phase != mailing.phase else command.cursor,
        phase=command.phase,
        planned=mailings.c.planned + made.queued + sum(n for _, n in made.kept_back),
        held_out=mailings.c.held_out + keep_out(uow, mailing, when_aside(made, command.recipients)),
        started_at=mailing.started_at or uow.now,
        winner=command.winner or mailing.winner,
    )
    return made.queued


def put_in(uow: UnitOfWork, mailing: Mailing, recipients: Sequence[ManyRecipient]) -> ManyQueued:
    """Put people into the outbox, with the later letters of a chain; gives what became of them."""
    made = uow.give(SendMany(send_id=mailing.send_id, recipients=tuple(recipients)))
    assert isinstance(made, ManyQueued)
    fill_steps(uow, mailing, recipients)
    return made


def when_aside(made: ManyQueued, recipients: Sequence[ManyRecipient]) -> dict[int, int]:
    """Give who was kept out to compare, each with the moment of the letter he does not get."""
    due = {one.contact_id: one.due_at for one in recipients}
    return {one: due[one] for one in made.aside}


def fill_steps(uow: UnitOfWork, mailing: Mailing, recipients: Sequence[ManyRecipient]) -> None:
    """The later letters of a chain wait in the outbox from the first one on, each for its day."""
    rows = uow.execute(
        select(runs).where(
            runs.c.mailing_id == mailing.id,
            runs.c.occurrence == mailing.occurrence,
            runs.c.step > 0,
        )
    ).all()
    for run in rows:
        later = tuple(replace(one, content_id=int(run.contents[0])) for one in recipients)
        uow.give(SendMany(send_id=run.send_id, recipients=later))
