"""Settling what goes to many where all went well: the same few statements for a whole group.

Nearly every letter of a mailing ends so. It has no message to show its state, writes no attempt
and records no fact; its row and the provider's name for it are all that changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    String,
    Table,
    Update,
    bindparam,
    case,
    literal_column,
    select,
    union_all,
    update,
)

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
EARLY, PATIENT, UNNOTED = "early", "patient", "unnoted"
LAST_OUT_US = 1_000_000
"""An account under a mailing notes no more often than this when something left it last."""


class Went(NamedTuple):
    """The rows that went well, by their ids, and what is known around them."""

    rows: Mapping[int, Row[tuple[int, int, int]]]
    patient: frozenset[int]
    """Sends that wait for a proof of delivery."""
    unnoted: frozenset[int]
    """Accounts whose last use was noted too long ago."""


NOTHING = Went({}, frozenset(), frozenset())


def settle_sent(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> Went:
    """Settle those that were sent at the first try."""
    ended = {one.delivery_id: one for one in commands if one.status is Status.SENT}
    if not ended:
        return NOTHING
    pairs = sorted((number, one.fence) for number, one in ended.items())
    # In the order of their ids: so rows are locked everywhere.
    given = {**numbered(uow.dialect, GIVEN, pairs), "b_now": uow.now}
    rows = {row[0]: row for row in uow.conn.execute(_went_well(uow.dialect), given)}
    if not rows:
        return NOTHING
    named = [
        {
            "account_id": account_id,
            "external_id": bounded_key(name),
            "delivery_id": number,
            "part": n,
        }
        for number, account_id, _ in rows.values()
        for n, name in enumerate(ended[number].external_ids)
    ]
    insert_missing(uow.conn, parts, named)
    asked = {
        "b_names": listed(uow.dialect, [one["external_id"] for one in named]),
        "b_accounts": listed(uow.dialect, {row[1] for row in rows.values()}),
        "b_sends": listed(uow.dialect, {row[2] for row in rows.values()}),
        "b_noted_by": uow.now - LAST_OUT_US,
    }
    around: dict[str, set[int]] = {EARLY: set(), PATIENT: set(), UNNOTED: set()}
    for what, number in uow.conn.execute(_around(uow.dialect), asked):
        around[what].add(number)
    if around[EARLY]:
        _merge_early(uow, named)
    return Went(rows, frozenset(around[PATIENT]), frozenset(around[UNNOTED]))


@cache
def _went_well(dialect: str) -> Update:
    """Write the end of what goes to many where this is its first try and nobody else decided."""
    given = numbers(dialect, GIVEN)
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
        )
    )


def _merge_early(uow: UnitOfWork, named: Sequence[Mapping[str, Any]]) -> None:
    """What the provider told of these before our own commit (R25)."""
    by_account: dict[int, list[str]] = {}
    for one in named:
        by_account.setdefault(one["account_id"], []).append(one["external_id"])
    for account_id, names in by_account.items():
        apply_parked(uow, account_id, names)
        merge_parked(uow, account_id, names)


@cache
def _around(dialect: str) -> CompoundSelect[Any]:
    """Ask at once what is known around a group that went well; gives what, and whose."""

    def said(what: str, table: Table, *where: ColumnElement[bool]) -> Select[Any]:
        name: ColumnElement[str] = literal_column(f"'{what}'", String)
        return select(name, table.c.id).where(*where)

    early = [
        said(
            EARLY,
            table,
            among(dialect, table.c.account_id, "b_accounts"),
            among(dialect, table.c.external_id, "b_names"),
        )
        for table in (parked_receipts, parked_arrivals)
    ]
    waits = many_sends.c.fall_back_after > 0
    patient = said(PATIENT, many_sends, among(dialect, many_sends.c.id, "b_sends"), waits)
    long_ago = accounts.c.last_out_at <= bindparam("b_noted_by")
    unnoted = said(UNNOTED, accounts, among(dialect, accounts.c.id, "b_accounts"), long_ago)
    return union_all(patient, unnoted, *early)
