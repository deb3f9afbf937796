"""The last word before the wire: what was claimed is still to be sent, and is marked as being sent.

The mark is committed before a byte leaves, so that a kill leaves unknown only what was on the wire.
Between a claim and this moment consent may be withdrawn, a mailing paused, an account stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Update, bindparam, exists, or_, select, update

from crm_store.rows import among, listed, numbered, numbers
from crm_store.sending_limits import give_back
from crm_store.sql import locked
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import deliveries
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many import PAUSED
from hub.commands import StartDeliveries, StartSending
from hub.errors import Conflict
from hub.ids import DeliveryId
from hub.messages import DeliveryStatus as Status

GIVEN = ("id", "fence", "charged")


def start_sending(uow: UnitOfWork, command: StartSending) -> None:
    """Start one delivery; raises Conflict where it may not go any more."""
    one = (command.delivery_id, command.fence, command.charged)
    if not _start(uow, [one], command.lease_us):
        raise Conflict("the lease of this delivery is lost", what="fence")


def start_deliveries(uow: UnitOfWork, command: StartDeliveries) -> tuple[DeliveryId, ...]:
    """Start those of a group that may still go, and give the others back; gives the started."""
    going = _start(uow, command.deliveries, command.lease_us)
    left = [(number, fence) for number, fence, _ in command.deliveries if number not in going]
    if left or command.returned:
        rows = _claimed(uow, [*left, *command.returned])
        unsent = {number for number, _ in command.returned}
        _give_back(uow, [row.id for row in rows if row.id in unsent], Status.QUEUED.value, "")
        _stop(uow, [row for row in rows if row.id not in unsent])
    return tuple(number for number, _, _ in command.deliveries if number in going)


def _start(
    uow: UnitOfWork, wanted: Sequence[tuple[DeliveryId, int, int]], lease_us: int
) -> set[int]:
    """Mark what is still claimed under its fencing number and may go; gives the ids."""
    if not wanted:
        return set()
    # In the order of their ids: so rows are locked everywhere.
    given = numbered(uow.dialect, GIVEN, sorted(wanted))
    until = {"b_until": uow.now + lease_us}
    return set(uow.conn.execute(_started(uow.dialect), {**given, **until}).scalars())


def _claimed(uow: UnitOfWork, wanted: Sequence[tuple[DeliveryId, int]]) -> list[Row[Any]]:
    """Give the rows that are still claimed under these fencing numbers, locked."""
    fences: Mapping[int, int] = dict(wanted)
    given = {"b_ids": listed(uow.dialect, sorted(fences))}
    rows = uow.conn.execute(_claimed_rows(uow.dialect), given).all()
    return [row for row in rows if row.fence == fences[row.id]]


def _stop(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Take the claims of what may not go any more, each for its reason."""
    stopped = _stopped(uow, rows)
    for status, reason in sorted(set(stopped.values())):
        _give_back(
            uow, [n for n, why in stopped.items() if why == (status, reason)], status, reason
        )


def _stopped(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> dict[int, tuple[str, str]]:
    """Give with state and reason what `_start` found stopped: the send, else the account."""
    if not rows:
        return {}
    states: dict[int, str] = {}
    if sends := {row.send_id for row in rows if row.send_id}:
        named = {"b_ids": listed(uow.dialect, sends)}
        states = dict(uow.conn.execute(_states(uow.dialect), named).all())
    found = {}
    for row in rows:
        state = states.get(row.send_id, "cancelled") if row.send_id else "running"
        if state == "cancelled":
            found[row.id] = (Status.SUPPRESSED.value, "cancelled")
        elif state == "paused":
            found[row.id] = (PAUSED, "")
        else:
            found[row.id] = (Status.QUEUED.value, "")
    return found


def _give_back(uow: UnitOfWork, ids: Sequence[int], status: str, reason: str) -> None:
    """Take the lease of claimed rows away: they wait again, or are over."""
    if ids:
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(ids))
            .values(status=status, reason=reason, leased_until=0)
        )
        give_back(uow, ids)


# -- statements, made once ---------------------------------------------------------------------


@cache
def _claimed_rows(dialect: str) -> Select[Any]:
    columns = (deliveries.c.id, deliveries.c.fence, deliveries.c.send_id)
    mine = among(dialect, deliveries.c.id, "b_ids")
    claimed = deliveries.c.status == Status.CLAIMED.value
    return locked(dialect, select(*columns).where(mine, claimed).order_by(deliveries.c.id))


@cache
def _states(dialect: str) -> Select[Any]:
    mine = among(dialect, many_sends.c.id, "b_ids")
    return select(many_sends.c.id, many_sends.c.state).where(mine)


@cache
def _started(dialect: str) -> Update:
    given = numbers(dialect, GIVEN)
    return (
        update(deliveries)
        .where(
            deliveries.c.id == given.c.id,
            deliveries.c.fence == given.c.fence,
            deliveries.c.status == Status.CLAIMED.value,
            exists().where(
                accounts.c.id == deliveries.c.account_id, ~accounts.c.paused, ~accounts.c.removed
            ),
            or_(
                deliveries.c.send_id == 0,
                exists().where(
                    many_sends.c.id == deliveries.c.send_id,
                    many_sends.c.state.not_in(("paused", "cancelled")),
                ),
            ),
        )
        .values(
            status=Status.SENDING.value,
            attempts=deliveries.c.attempts + 1,
            leased_until=bindparam("b_until"),
            charged=given.c.charged,
        )
        .returning(deliveries.c.id)
    )
