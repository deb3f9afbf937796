"""Favourites: the replies that a colleague wants to find first, each for himself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, insert, select

from hub import ActorKind, Command, Hub, Invalid, NotFound, UnitOfWork, User
from plugins.quick_replies.facts import QuickReplyChanged
from plugins.quick_replies.tables import favourites, replies

FAVOURS = "profile.edit"
"""The right to have favourites: they change nothing for anybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FavourReply(Command):
    """Make a reply a favourite of one's own, or none any more; a repeat changes nothing."""

    permission: ClassVar[str] = FAVOURS

    reply_id: int
    favourite: bool = True


def favour(uow: UnitOfWork, command: FavourReply) -> None:
    """Write it down; raises NotFound where there is no such reply for him."""
    if uow.actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        raise Invalid("only a colleague has favourites", field="reply_id")
    reply = uow.execute(
        select(replies.c.scope, replies.c.owner_id, replies.c.version).where(
            replies.c.id == command.reply_id, ~replies.c.removed
        )
    ).first()
    if reply is None or (reply.scope == "mine" and reply.owner_id != uow.actor.id):
        raise NotFound("there is no such reply")
    this = favourites.c.user_id == uow.actor.id, favourites.c.reply_id == command.reply_id
    there = uow.execute(select(favourites.c.reply_id).where(*this)).first() is not None
    if there is command.favourite:
        return
    if command.favourite:
        uow.execute(insert(favourites).values(user_id=uow.actor.id, reply_id=command.reply_id))
    else:
        uow.execute(delete(favourites).where(*this))
    what = "favoured" if command.favourite else "unfavoured"
    uow.record(QuickReplyChanged(reply_id=command.reply_id, what=what, version=reply.version))


async def favourites_of(hub: Hub, user: User | None) -> set[int]:
    """The ids of a colleague's favourites."""
    if user is None:
        return set()
    mine = select(favourites.c.reply_id).where(favourites.c.user_id == user.id)
    return {row["reply_id"] for row in await hub.store.all(mine)}
