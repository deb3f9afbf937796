"""Who was kept out of a mailing to compare: written down when the others were put into the outbox.

Only who could have got it is compared: whom consent, address or channel forbids is told so as
everybody else is, for he would make those who were kept out look poorer than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    insert,
    select,
)

from hub import ContactId, Earned, Hub, Micros, UnitOfWork
from plugins.mailings.plans import Mailing
from plugins.mailings.tables import ID, number, runs

AT_ONCE = 5_000
DAY_US = 86_400_000_000

kept_out = Table(
    "mailings_kept_out",
    MetaData(),
    Column("mailing_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    PrimaryKeyConstraint("mailing_id", "contact_id"),
    sqlite_with_rowid=False,
)

# When its first letter would have been his, in each occurrence of what repeats.
kept_times = Table(
    "mailings_kept_times",
    MetaData(),
    Column("mailing_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    number("occurrence"),
    number("at"),
    PrimaryKeyConstraint("mailing_id", "contact_id", "occurrence"),
    sqlite_with_rowid=False,
)


def declare(metadata: object) -> None:
    """Put the tables on the hub's list."""
    assert isinstance(metadata, MetaData)
    kept_out.to_metadata(metadata)
    kept_times.to_metadata(metadata)


def keep_out(uow: UnitOfWork, mailing: Mailing, aside: Mapping[int, int]) -> int:
    """Write down who is kept out, and from when; gives how many never were before.

    `aside` has the moment of each person's letter, 0 where it would have gone at once.
    """
    if not aside:
        return 0
    fresh = _missing(uow, kept_out, aside, kept_out.c.mailing_id == mailing.id)
    if fresh:
        rows = [{"mailing_id": mailing.id, "contact_id": one} for one in fresh]
        uow.execute(insert(kept_out), rows)
    this = (kept_times.c.mailing_id == mailing.id, kept_times.c.occurrence == mailing.occurrence)
    if timed := _missing(uow, kept_times, aside, *this):
        times = [
            {
                "mailing_id": mailing.id,
                "contact_id": one,
                "occurrence": mailing.occurrence,
                "at": max(aside[one], mailing.due_at, uow.now),
            }
            for one in timed
        ]
        uow.execute(insert(kept_times), times)
    return len(fresh)


def _missing(
    uow: UnitOfWork, table: Table, people: Iterable[int], *where: ColumnElement[bool]
) -> list[int]:
    known = select(table.c.contact_id).where(*where, table.c.contact_id.in_(list(people)))
    return sorted(set(people) - set(uow.execute(known).scalars()))


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
    """Give how many were kept out, and what they won in the same time without the mailing.

    The same time is so many days after each letter that they would have got.
    """
    people = leads = interests = won = winners = after = 0
    sums: dict[str, int] = {}
    later = await _days_of_steps(hub, mailing.id)
    while batch := await batch_of(hub, mailing.id, after):
        moments = await _moments(hub, mailing, batch, later)
        found = await hub.won_since(moments, days=days)
        people, after = people + len(batch), batch[-1]
        leads, interests = leads + found.leads, interests + found.interests
        won, winners = won + found.won, winners + found.people
        for currency, amount in found.sums:
            sums[currency] = sums.get(currency, 0) + amount
    made = Earned(
        leads=leads, interests=interests, won=won, people=winners, sums=tuple(sorted(sums.items()))
    )
    return people, made


async def _days_of_steps(hub: Hub, mailing_id: int) -> dict[int, list[int]]:
    """Give the days of each occurrence's letters after the first one."""
    found: dict[int, list[int]] = {}
    for row in await hub.store.all(
        select(runs.c.occurrence, runs.c.days).where(runs.c.mailing_id == mailing_id)
    ):
        found.setdefault(row["occurrence"], []).append(row["days"])
    return found


async def _moments(
    hub: Hub, mailing: Mailing, people: Sequence[ContactId], later: Mapping[int, Sequence[int]]
) -> list[tuple[ContactId, Micros]]:
    """Give when each of them would have got each letter."""
    rows = await hub.store.all(
        select(kept_times.c.contact_id, kept_times.c.occurrence, kept_times.c.at).where(
            kept_times.c.mailing_id == mailing.id,
            # A batch is all of those between its ends.
            kept_times.c.contact_id.between(people[0], people[-1]),
        )
    )
    found = [
        (ContactId(row["contact_id"]), Micros(row["at"] + days * DAY_US))
        for row in rows
        for days in {0, *later.get(row["occurrence"], ())}
    ]
    # Of whom was kept out before times were written down, the beginning of the mailing is known.
    timed = {one for one, _ in found}
    begun = Micros(mailing.started_at or mailing.due_at)
    return found + [(one, begun) for one in people if one not in timed]
