"""That a mailing is finished, told once for each of its occurrences: rules and programs hear of it.

Whether it is so is read from the rows of the outbox, as the page reads it: nobody waits any more,
the later letters of a chain included. The row here is written with the fact, so that neither a
kill nor a second process tells it twice; what it told of is not looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import (
    ColumnElement,
    MetaData,
    and_,
    exists,
    insert,
    or_,
    select,
)

from hub import Command, Event, Facts, Field, FieldType, Handler, Hub, UnitOfWork, Where
from plugins.mailings.counting import COUNTS, Numbers
from plugins.mailings.facts import MailingFinished
from plugins.mailings.judging import NOTHING, keep
from plugins.mailings.plans import read_plan
from plugins.mailings.results import GONE, OPEN
from plugins.mailings.tables import finished, mailings, runs

MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TellFinished(Command):
    """Tell that an occurrence of a mailing is finished, with its numbers; gives whether that is new."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    occurrence: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    kept_back: int = 0


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    finished.to_metadata(metadata)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=TellFinished, handle=tell)


def tell(uow: UnitOfWork, command: TellFinished) -> bool:
    """Write the fact, unless it was told or the mailing was cancelled meanwhile."""
    # Locked, so that whoever saw the same rows waits, and then finds it told.
    state = uow.execute(
        select(mailings.c.state).where(mailings.c.id == command.mailing_id).with_for_update()
    ).scalar()
    if state not in ("scheduled", "filling", "sending"):
        return False
    if was_told(uow, command.mailing_id, command.occurrence):
        return False
    uow.execute(
        insert(finished).values(
            mailing_id=command.mailing_id, occurrence=command.occurrence, at=uow.now
        )
    )
    # What is judged from there on is another occurrence.
    keep(uow, command.mailing_id, NOTHING)
    uow.record(
        MailingFinished(
            mailing_id=command.mailing_id,
            occurrence=command.occurrence,
            sent=command.sent,
            failed=command.failed,
            unknown=command.unknown,
            kept_back=command.kept_back,
        )
    )
    return True


def was_told(uow: UnitOfWork, mailing_id: int, occurrence: int) -> bool:
    """Whether an occurrence was told as finished."""
    which = and_(finished.c.mailing_id == mailing_id, finished.c.occurrence == occurrence)
    return uow.execute(select(finished.c.at).where(which)).first() is not None


def told() -> ColumnElement[bool]:
    """Whether the occurrence at which a mailing stands was told as finished, in a select of both."""
    return exists().where(
        finished.c.mailing_id == mailings.c.id, finished.c.occurrence == runs.c.occurrence
    )


async def finish(hub: Hub) -> None:
    """Tell of every occurrence for which nobody waits any more."""
    now = runs.alias("now")
    rows = await hub.store.all(
        select(runs.c.mailing_id, runs.c.occurrence, runs.c.send_id, mailings.c.plan)
        .join(mailings, mailings.c.id == runs.c.mailing_id)
        .join(now, now.c.send_id == mailings.c.send_id)
        .where(
            mailings.c.state.in_(("scheduled", "filling", "sending")),
            # The one that is being filled is not over, however few wait.
            or_(mailings.c.state == "sending", runs.c.occurrence < now.c.occurrence),
            ~exists().where(
                finished.c.mailing_id == runs.c.mailing_id,
                finished.c.occurrence == runs.c.occurrence,
            ),
        )
        .order_by(runs.c.mailing_id, runs.c.occurrence)
    )
    sends: dict[tuple[int, int], list[int]] = {}
    patience = {row["mailing_id"]: read_plan(row["plan"]).fall_back_minutes for row in rows}
    for row in rows:
        sends.setdefault((row["mailing_id"], row["occurrence"]), []).append(row["send_id"])
    for (mailing_id, occurrence), ids in sends.items():
        if _count(await COUNTS.lately(hub, ids), OPEN):
            continue
        # What is told is as it is now.
        numbers = await COUNTS.exactly(hub, ids)
        if _count(numbers, OPEN):
            continue
        # What left and is not proved may go on by the next account: it is no end yet.
        if (minutes := patience[mailing_id]) and _count(numbers, ("sent",)):
            _, last = await hub.send_span(ids)
            if hub.now() < last + (minutes + 1) * MINUTE_US:
                continue
        await hub.do(
            TellFinished(
                mailing_id=mailing_id,
                occurrence=occurrence,
                sent=_count(numbers, GONE),
                failed=_count(numbers, ("failed",)),
                unknown=_count(numbers, ("unknown",)),
                kept_back=_count(numbers, ("suppressed",)),
            )
        )


def _count(numbers: Numbers, states: Sequence[str]) -> int:
    return sum(n for (status, _), n in numbers.items() if status in states)


# -- for rules -------------------------------------------------------------------------------------


def _number(name: str, label: str, russian: str) -> Field:
    def value(facts: Facts) -> object:
        event: Event = facts.event
        return getattr(event, name) if isinstance(event, MailingFinished) else None

    return Field(
        name=f"mailings.{name}",
        label=label,
        type=FieldType.NUMBER,
        value=value,
        where=Where.FACT,
        translations={"ru": russian},
    )


FIELDS = [
    _number("sent", "Mailing: sent", "Рассылка: отправлено"),
    _number("failed", "Mailing: failed", "Рассылка: не доставлено"),
    _number("unknown", "Mailing: not known", "Рассылка: неизвестно"),
    _number("kept_back", "Mailing: kept back", "Рассылка: не отправлено по правилам"),
]
