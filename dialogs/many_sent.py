"""Settling what goes to many where all went well: the same few statements for a whole group.

Nearly every letter of a mailing ends so. It has no message to show its state, writes no attempt
and records no fact; its row and the provider's name for it are all that changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Update, bindparam, case, select, union_all, update

from crm_store.rows import among, insert_missing, listed, numbered, numbers
from crm_store.tables.dialogs import parked_arrivals
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries, parked_receipts, parts
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.edits import merge_parked
from dialogs.receipts import apply_parked
from hub.commands import SettleDelivery
from hub.ids import bounded_key
from hub.messages import DeliveryStatus as Status

GIVEN = ("id", "fence")


def settle_sent(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> Mapping[int, Row[Any]]:
    """Settle those that were sent at the first try; gives their rows by their ids."""
    ended = {one.delivery_id: one for one in commands if one.status is Status.SENT}
    if not ended:
        return {}
    pairs = sorted((number, one.fence) for number, one in ended.items())
    # In the order of their ids: so rows are locked everywhere.
    given = {**numbered(uow.dialect, GIVEN, pairs), "b_now": uow.now}
    rows = uow.conn.execute(_went_well(uow.dialect), given).all()
    named = [
        {
            "account_id": row.account_id,
            "external_id": bounded_key(name),
            "delivery_id": row.id,
            "part": n,
        }
        for row in rows
        for n, name in enumerate(ended[row.id].external_ids)
    ]
    insert_missing(uow.conn, parts, named)
    _merge_early(uow, named)
    return {row.id: row for row in rows}


@cache
def _went_well(dialect: str) -> Update:
    """Write the end of what goes to many where this is its first try and nobody else decided."""
    given = numbers(dialect, GIVEN)
    patience = select(many_sends.c.fall_back_after).where(many_sends.c.id == deliveries.c.send_id)
    last_out = select(accounts.c.last_out_at).where(accounts.c.id == deliveries.c.account_id)
    return (
        update(deliveries)
        .where(
            deliveries.c.id == given.c.id,
            deliveries.c.fence == given.c.fence,
            deliveries.c.status.in_((Status.SENDING.value, Status.CLAIMED.value)),
            TO_MANY,
            deliveries.c.message_id == 0,
            deliveries.c.attempts <= 1,
        )
        .values(
            status=Status.SENT.value,
            leased_until=0,
            reason="",
            reason_text="",
            sent_at=case(
                (deliveries.c.sent_at > 0, deliveries.c.sent_at), else_=bindparam("b_now")
            ),
            worker="",
        )
        .returning(
            deliveries.c.id,
            deliveries.c.account_id,
            deliveries.c.send_id,
            patience.scalar_subquery().label("fall_back_after"),
            last_out.scalar_subquery().label("last_out_at"),
        )
    )


def _merge_early(uow: UnitOfWork, named: Sequence[Mapping[str, Any]]) -> None:
    """What the provider told of these before our own commit (R25)."""
    by_account: dict[int, list[str]] = {}
    for one in named:
        by_account.setdefault(one["account_id"], []).append(one["external_id"])
    for account_id, names in by_account.items():
        given = {"b_account": account_id, "b_names": listed(uow.dialect, names)}
        if uow.conn.execute(_parked(uow.dialect), given).first() is not None:
            apply_parked(uow, account_id, names)
            merge_parked(uow, account_id, names)


@cache
def _parked(dialect: str) -> Select[Any]:
    early = (
        select(table.c.id).where(
            table.c.account_id == bindparam("b_account"),
            among(dialect, table.c.external_id, "b_names"),
        )
        for table in (parked_receipts, parked_arrivals)
    )
    return select(union_all(*early).subquery()).limit(1)
