"""Who was kept out of a mailing to compare: written down when the others were put into the outbox.

Only who could have got it is compared: whom consent, address or channel forbids is told so as
everybody else is, for he would make those who were kept out look poorer than they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    insert,
    select,
)

from hub import ContactId, Earned, Hub, Micros, UnitOfWork
from plugins.mailings.plans import Mailing

ID = BigInteger().with_variant(Integer(), "sqlite")
AT_ONCE = 5_000

kept_out = Table(
    "mailings_kept_out",
    MetaData(),
    Column("mailing_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    PrimaryKeyConstraint("mailing_id", "contact_id"),
    sqlite_with_rowid=False,
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    kept_out.to_metadata(metadata)


def keep_out(uow: UnitOfWork, mailing_id: int, people: Sequence[int]) -> int:
    """Write them down, each once; gives how many are new."""
    if not people:
        return 0
    known = set(
        uow.execute(
            select(kept_out.c.contact_id).where(
                kept_out.c.mailing_id == mailing_id, kept_out.c.contact_id.in_(people)
            )
        ).scalars()
    )
    fresh = [{"mailing_id": mailing_id, "contact_id": one} for one in people if one not in known]
    if fresh:
        uow.execute(insert(kept_out), fresh)
    return len(fresh)


async def batch_of(hub: Hub, mailing_id: int, after: int = 0) -> list[ContactId]:
    """Give those who were kept out, continued by their id."""
    rows = await hub.store.all(
        select(kept_out.c.contact_id)
        .where(kept_out.c.mailing_id == mailing_id, kept_out.c.contact_id > after)
        .order_by(kept_out.c.contact_id)
        .limit(AT_ONCE)
    )
    return [ContactId(row["contact_id"]) for row in rows]


async def won_without(hub: Hub, mailing: Mailing, days: int) -> tuple[int, Earned]:
    """Give how many were kept out, and what they won in the same time without the mailing."""
    people = leads = interests = won = winners = after = 0
    sums: dict[str, int] = {}
    since = mailing.started_at or mailing.due_at
    while batch := await batch_of(hub, mailing.id, after):
        found = await hub.won_by(batch, since=Micros(since), days=days)
        people, after = people + len(batch), batch[-1]
        leads, interests = leads + found.leads, interests + found.interests
        won, winners = won + found.won, winners + found.people
        for currency, amount in found.sums:
            sums[currency] = sums.get(currency, 0) + amount
    made = Earned(
        leads=leads, interests=interests, won=won, people=winners, sums=tuple(sorted(sums.items()))
    )
    return people, made
