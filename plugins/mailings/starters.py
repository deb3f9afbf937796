"""With whose sight a mailing finds its people: his who let it go, as he was told how many there are.

The hub sees everybody, and a marketer perhaps only his own clients: what he was shown, what it costs
and what he confirmed is about those. Where he may not send any more, or sees others by now, nobody
guesses whom he meant: the mailing waits for somebody who looks and lets it go on.
"""

from __future__ import annotations

from sqlalchemy import Column, MetaData, String, Table, delete, insert, select

from hub import ActorKind, Conflict, Hub, UnitOfWork, UserId
from plugins.mailings.plans import Mailing
from plugins.mailings.tables import ID, number

LENGTH = 64


def _(text: str) -> str:
    return text


GONE = _(
    "who let it go may not send any more: whoever presses Go on sends it to the people whom he sees"
)
OTHERS = _(
    "who let it go sees others by now: whoever presses Go on sends it to the people whom he sees"
)

starters = Table(
    "mailings_starters",
    MetaData(),
    Column("mailing_id", ID, primary_key=True, autoincrement=False),
    number("user_id"),
    # What `Hub.sight` said then.
    Column("sight", String(LENGTH), nullable=False, server_default=""),
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    starters.to_metadata(metadata)


def keep(uow: UnitOfWork, mailing_id: int, sight: str) -> None:
    """Write down who lets a mailing go; what the hub itself lets go is for everybody."""
    uow.execute(delete(starters).where(starters.c.mailing_id == mailing_id))
    if uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
        uow.execute(
            insert(starters).values(mailing_id=mailing_id, user_id=uow.actor.id, sight=sight)
        )


async def eyes_of(hub: Hub, mailing: Mailing) -> Hub:
    """Give the handle with which a mailing finds its people; raises Conflict where nobody's counts.

    Who is in a frozen audience was written down with the right eyes already.
    """
    if mailing.plan.audience == "frozen":
        return hub
    row = await hub.store.first(select(starters).where(starters.c.mailing_id == mailing.id))
    if row is None:
        return hub
    eyes = hub.as_user(UserId(row["user_id"]))
    if not await eyes.may("mailings.send") or not await eyes.may("contacts.view"):
        raise Conflict(GONE, what="starter")
    if await eyes.sight() != row["sight"]:
        raise Conflict(OTHERS, what="starter")
    return eyes


async def is_lost(hub: Hub, mailing: Mailing) -> bool:
    """Say whether nobody's sight counts any more, so that whoever lets it go on lends his own."""
    try:
        await eyes_of(hub, mailing)
    except Conflict:
        return True
    return False
