"""When to look at which deliveries again: one row for all that a claim took, not one for each.

How long a delivery is leased stands in the delivery (`leased_until`), and in no index, so that a
claim, a start and an end write nothing but the delivery itself. A row here names at least all that
is leased until its instant. What has ended by then is forgotten, what was leased on is looked at
when that lease ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Insert,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from crm_store.rows import among, listed
from crm_store.sql import locked
from crm_store.tables.outbox import deliveries, delivery_leases
from crm_store.unit_of_work import UnitOfWork

CARRIED = ("claimed", "sending")
AGAIN_US = 1_000_000
"""What is over and could not be taken in hand now is looked at again after so long."""
LOOKS, AT_ONCE = 300, 500
"""So many rows are looked at in one transaction, and so many deliveries taken in hand at most."""


class Over(NamedTuple):
    """What was looked at, and the deliveries whose lease is over."""

    looks: Sequence[Row[Any]]
    rows: Sequence[Row[Any]]

    @property
    def ids(self) -> list[int]:
        """Every delivery that is named, whatever became of it."""
        return sorted({number for look in self.looks for number in look.deliveries})


def claim(uow: UnitOfWork, ids: Sequence[int], until: int, worker: str) -> None:
    """Lease locked deliveries to a worker, each under its next fencing number."""
    leased = {"b_ids": listed(uow.dialect, ids), "b_until": until, "b_worker": worker}
    noted = _row(uow, ids, until, worker)
    if uow.dialect == "postgresql":
        # In one: a statement more is a journey to the server and back.
        uow.conn.execute(_both(uow.dialect), {**leased, **noted})
    else:
        uow.conn.execute(_leased(uow.dialect), leased)
        uow.conn.execute(_noted(), noted)


def wait(uow: UnitOfWork, ids: Sequence[int], until: int) -> None:
    """Note until when deliveries wait for a proof of delivery."""
    uow.conn.execute(_noted(), _row(uow, ids, until, ""))


def _row(uow: UnitOfWork, ids: Sequence[int], until: int, worker: str) -> dict[str, Any]:
    return {"b_id": uow.new_id(), "b_due": until, "b_carrier": worker, "b_deliveries": ids}


def over(uow: UnitOfWork) -> Over:
    """Give the deliveries whose lease is over, locked; what somebody writes just now is left out."""
    looks = uow.conn.execute(_looks(uow.dialect), {"now": uow.now}).all()
    found = Over(looks, ())
    if looks:
        given = {"ids": listed(uow.dialect, found.ids), "now": uow.now}
        found = found._replace(rows=uow.conn.execute(_over(uow.dialect), given).all())
    return found


def look_again(uow: UnitOfWork, found: Over) -> None:
    """Forget what has ended of what was looked at, and note when the rest is to be looked at."""
    if not found.looks:
        return
    given = {"ids": listed(uow.dialect, found.ids)}
    leased = uow.conn.execute(_left(uow.dialect), given).all()
    under_way = {row.id: row.leased_until for row in leased if row.status in CARRIED}
    waiting = {row.id: row.leased_until for row in leased if row.status not in CARRIED}
    done = []
    for look in found.looks:
        known: Mapping[int, int] = under_way if look.worker else waiting
        left = {number: known[number] for number in look.deliveries if number in known}
        if not left:
            done.append(look.id)
            continue
        until = max(min(left.values()), uow.now + AGAIN_US)
        uow.conn.execute(
            update(delivery_leases)
            .where(delivery_leases.c.id == look.id)
            .values(until=until, deliveries=list(left))
        )
    if done:
        uow.conn.execute(delete(delivery_leases).where(delivery_leases.c.id.in_(done)))


def end_all(conn: Connection, now: int) -> None:
    """End the lease of all that is under way: whoever carried it is known to be dead."""
    mine = delivery_leases.c.worker != ""
    dialect = conn.dialect.name
    for ids in conn.execute(select(delivery_leases.c.deliveries).where(mine)).scalars().all():
        conn.execute(
            update(deliveries)
            .where(
                among(dialect, deliveries.c.id, "b_ids"),
                deliveries.c.status.in_(CARRIED),
                deliveries.c.leased_until > now,
            )
            .values(leased_until=now),
            {"b_ids": listed(dialect, ids)},
        )
    conn.execute(update(delivery_leases).where(mine).values(until=now))


# -- statements, made once ---------------------------------------------------------------------


@cache
def _leased(dialect: str) -> Update:
    return (
        update(deliveries)
        .where(among(dialect, deliveries.c.id, "b_ids"))
        .values(
            status="claimed",
            fence=deliveries.c.fence + 1,
            leased_until=bindparam("b_until"),
            worker=bindparam("b_worker"),
        )
    )


@cache
def _noted() -> Insert:
    return insert(delivery_leases).values(
        id=bindparam("b_id"),
        until=bindparam("b_due"),
        worker=bindparam("b_carrier"),
        deliveries=bindparam("b_deliveries"),
    )


@cache
def _both(dialect: str) -> Insert:
    return _noted().add_cte(_leased(dialect).cte("leased"))


@cache
def _looks(dialect: str) -> Select[Any]:
    asked = (
        select(delivery_leases)
        .where(delivery_leases.c.until < bindparam("now"))
        .order_by(delivery_leases.c.until, delivery_leases.c.id)
        .limit(LOOKS)
    )
    return locked(dialect, asked, skip=True)


@cache
def _over(dialect: str) -> Select[Any]:
    asked = (
        select(deliveries)
        .where(
            among(dialect, deliveries.c.id, "ids"),
            deliveries.c.leased_until > 0,
            deliveries.c.leased_until < bindparam("now"),
        )
        .order_by(deliveries.c.id)
        .limit(AT_ONCE)
    )
    return locked(dialect, asked, skip=True)


@cache
def _left(dialect: str) -> Select[Any]:
    return select(deliveries.c.id, deliveries.c.status, deliveries.c.leased_until).where(
        among(dialect, deliveries.c.id, "ids"), deliveries.c.leased_until > 0
    )
