"""Commands over marks, and who carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, insert, or_, select, update

from hub import Command, Conflict, ContactId, DialogId, Handler, Invalid, NotFound, UnitOfWork
from plugins.csat.facts import CsatAsked, CsatRated
from plugins.csat.tables import asks

DAY_US = 86_400_000_000
MAX_COMMENT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAsk(Command):
    """Note that a mark is asked for; raises Conflict where the person was asked within `days`."""

    ask_id: int
    dialog_id: DialogId
    contact_id: ContactId
    user_id: int
    channel: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Command):
    """Keep a mark; it may be changed for a day. `dialog_id`, where given, must be the ask's."""

    ask_id: int
    mark: int
    dialog_id: DialogId = DialogId(0)
    comment: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetWords(Command):
    """Remove what an erased person wrote."""

    contact_id: ContactId


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=KeepAsk, handle=keep),
        Handler(command=Rate, handle=rate),
        Handler(command=ForgetWords, handle=forget),
    ]


def keep(uow: UnitOfWork, command: KeepAsk) -> int:
    """Write the ask, unless the person was asked lately, in whatever dialog; gives its id."""
    lately = uow.execute(
        select(asks.c.id)
        .where(
            or_(
                asks.c.dialog_id == command.dialog_id,
                asks.c.contact_id == command.contact_id,
            ),
            asks.c.asked_at > uow.now - command.days * DAY_US,
        )
        .limit(1)
    ).first()
    if lately is not None:
        raise Conflict("this person was asked for a mark already")
    before = uow.execute(
        select(func.count()).where(asks.c.dialog_id == command.dialog_id)
    ).scalar_one()
    uow.execute(
        insert(asks).values(
            id=command.ask_id,
            dialog_id=command.dialog_id,
            number=before + 1,
            contact_id=command.contact_id,
            user_id=command.user_id,
            channel=command.channel,
            asked_at=uow.now,
        )
    )
    uow.record(
        CsatAsked(dialog_id=command.dialog_id, contact_id=command.contact_id, ask_id=command.ask_id)
    )
    return command.ask_id


def rate(uow: UnitOfWork, command: Rate) -> int:
    """Write a mark; the same mark again changes nothing. Gives what holds now."""
    if not 1 <= command.mark <= 5:
        raise Invalid("a mark is a number from 1 to 5", field="mark")
    row = uow.execute(select(asks).where(asks.c.id == command.ask_id).with_for_update()).first()
    if row is None or command.dialog_id not in (0, row.dialog_id):
        raise NotFound("nobody asked for this mark")
    if row.rated_at and uow.now > row.rated_at + DAY_US:
        raise Conflict("a mark can be changed for a day only")
    # PostgreSQL keeps no zero byte, and anybody with a link can send one.
    comment = command.comment.replace("\x00", "").strip()[:MAX_COMMENT] or row.comment
    if (command.mark, comment) == (row.mark, row.comment):
        return command.mark
    uow.execute(
        update(asks)
        .where(asks.c.id == command.ask_id)
        .values(mark=command.mark, rated_at=row.rated_at or uow.now, comment=comment)
    )
    if command.mark != row.mark:
        uow.record(
            CsatRated(
                dialog_id=DialogId(row.dialog_id),
                contact_id=ContactId(row.contact_id),
                ask_id=command.ask_id,
                mark=command.mark,
            )
        )
    return command.mark


def forget(uow: UnitOfWork, command: ForgetWords) -> None:
    """Leave the mark, drop the words."""
    uow.execute(update(asks).where(asks.c.contact_id == command.contact_id).values(comment=""))
