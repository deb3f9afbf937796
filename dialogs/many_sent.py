"""Settling what goes to many where all went well: the same few statements for a whole group.

Nearly every letter of a mailing ends so. It has no message to show its state, writes no attempt
and records no fact; its row and the provider's name for it are all that changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from crm_store.rows import among, insert_missing, listed, update_rows
from crm_store.tables.outbox import deliveries, parked_receipts, parts
from crm_store.unit_of_work import UnitOfWork
from dialogs.edits import merge_parked
from dialogs.receipts import apply_parked
from hub.commands import SettleDelivery
from hub.messages import DeliveryStatus as Status


def settle_sent(
    uow: UnitOfWork, commands: Sequence[SettleDelivery], rows: Mapping[int, Row[Any]]
) -> set[int]:
    """Settle those that were sent at the first try; gives their ids."""
    well = {
        one.delivery_id: (one, rows[one.delivery_id])
        for one in commands
        if one.delivery_id in rows and _went_well(one, rows[one.delivery_id])
    }
    if not well:
        return set()
    named = [
        {
            "account_id": row.account_id,
            "external_id": name[:400],
            "delivery_id": row.id,
            "part": n,
        }
        for command, row in well.values()
        for n, name in enumerate(command.external_ids)
    ]
    insert_missing(uow.conn, parts, named)
    update_rows(
        uow.conn,
        deliveries,
        [
            {
                "id": row.id,
                "status": Status.SENT.value,
                "leased_until": 0,
                "reason": "",
                "reason_text": "",
                "sent_at": row.sent_at or uow.now,
                "worker": "",
            }
            for _, row in well.values()
        ],
    )
    _merge_early(uow, named)
    return set(well)


def _went_well(command: SettleDelivery, row: Row[Any]) -> bool:
    return (
        command.status is Status.SENT
        and bool(row.send_id)
        and not row.message_id
        and row.attempts <= 1
        and row.fence == command.fence
        and row.status in (Status.SENDING.value, Status.CLAIMED.value)
    )


def _merge_early(uow: UnitOfWork, named: Sequence[Mapping[str, Any]]) -> None:
    """What the provider told of these before our own commit (R25)."""
    by_account: dict[int, list[str]] = {}
    for one in named:
        by_account.setdefault(one["account_id"], []).append(one["external_id"])
    for account_id, names in by_account.items():
        given = {"b_account": account_id, "b_names": listed(uow.dialect, names)}
        early = uow.conn.execute(_parked(uow.dialect), given).first()
        if early is not None:
            apply_parked(uow, account_id, names)
        merge_parked(uow, account_id, names)


@cache
def _parked(dialect: str) -> Select[Any]:
    return (
        select(parked_receipts.c.id)
        .where(
            parked_receipts.c.account_id == bindparam("b_account"),
            among(dialect, parked_receipts.c.external_id, "b_names"),
        )
        .limit(1)
    )
