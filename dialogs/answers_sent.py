"""Settling answers where all went well: the same few statements for a whole group.

Nearly every answer ends so, at the first try and taken by everybody. What ended otherwise is settled
one by one (dialogs/outbox.py), and so is what goes to many (dialogs/many_sent.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Insert,
    Row,
    Select,
    Update,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from crm_store.rows import among, insert_missing, listed, numbered, numbers, update_rows
from crm_store.tables.dialogs import dialogs, messages, thread_references
from crm_store.tables.outbox import attempts, deliveries, parts
from crm_store.unit_of_work import UnitOfWork
from dialogs.edits import merge_parked
from dialogs.receipts import apply_parked
from hub.commands import SettleDelivery
from hub.events import DeliveryChanged
from hub.ids import DeliveryId, DialogId, MessageId, bounded_key
from hub.messages import DeliveryStatus as Status

GIVEN = ("id", "fence")


def settle_answers(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> dict[int, Row[Any]]:
    """Settle the messages of dialogs that were sent; gives their rows by the deliveries' ids."""
    ended = {
        one.delivery_id: one for one in commands if one.status is Status.SENT and not one.refused
    }
    if not ended:
        return {}
    # In the order of their ids: so rows are locked everywhere.
    pairs = sorted((number, one.fence) for number, one in ended.items())
    given = {**numbered(uow.dialect, GIVEN, pairs), "b_now": uow.now}
    rows = {row.id: row for row in uow.conn.execute(_sent(uow.dialect), given)}
    if not rows:
        return {}
    mine = [one for one in ended.values() if one.delivery_id in rows]
    note_attempts(uow, mine)
    _note_names(uow, mine, rows)
    sent = {"status": Status.SENT.value, "reason": "", "reason_text": ""}
    update_rows(uow.conn, messages, [{"id": row.message_id, **sent} for row in rows.values()])
    for one in mine:
        row = rows[one.delivery_id]
        uow.record(
            DeliveryChanged(
                message_id=MessageId(row.message_id),
                dialog_id=DialogId(row.dialog_id),
                account_id=row.account_id,
                delivery_id=DeliveryId(row.id),
                before=Status.SENDING.value,
                after=Status.SENT.value,
                reason="",
            )
        )
    _merge_early(uow, mine, rows)
    return rows


def note_attempts(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> None:
    """Write a line for each of these attempts, behind the others of its delivery."""
    given = [
        {
            "b_delivery": one.delivery_id,
            "b_started": one.started_at,
            "b_took": one.took_us,
            "b_outcome": one.status.value,
            "b_code": one.code[:400],
            "b_text": one.text[:2000],
        }
        for one in commands
    ]
    uow.conn.execute(_next_attempt(), given)


def _note_names(
    uow: UnitOfWork, commands: Sequence[SettleDelivery], rows: Mapping[int, Row[Any]]
) -> None:
    """Write down how the provider calls what was sent: by that receipts and answers find it."""
    named = [one for one in commands if one.external_ids]
    if not named:
        return
    insert_missing(
        uow.conn,
        parts,
        [
            {
                "account_id": rows[one.delivery_id].account_id,
                "external_id": bounded_key(name),
                "delivery_id": one.delivery_id,
                "part": n,
            }
            for one in named
            for n, name in enumerate(one.external_ids)
        ],
    )
    uow.conn.execute(
        named_outside(),
        [
            {
                "b_message": rows[one.delivery_id].message_id,
                "b_external": bounded_key(one.external_ids[0]),
            }
            for one in named
        ],
    )
    note_threads(uow, [(rows[one.delivery_id], one.external_ids) for one in named])


def note_threads(uow: UnitOfWork, sent: Sequence[tuple[Row[Any], Sequence[str]]]) -> None:
    """Note which dialog an answer to what was sent belongs to, where the channel has threads."""
    ids = listed(uow.dialect, {row.dialog_id for row, _ in sent})
    channels: dict[int, str] = dict(
        uow.conn.execute(_channels_of(uow.dialect), {"b_ids": ids}).all()
    )
    found = []
    for row, names in sent:
        capabilities = uow.channels.get(channels.get(row.dialog_id, ""))
        if capabilities is not None and capabilities.threads:
            found += [
                {
                    "account_id": row.account_id,
                    "reference": bounded_key(one),
                    "dialog_id": row.dialog_id,
                    "at": uow.now,
                }
                for one in names
            ]
    insert_missing(uow.conn, thread_references, found)


def _merge_early(
    uow: UnitOfWork, commands: Sequence[SettleDelivery], rows: Mapping[int, Row[Any]]
) -> None:
    """What the provider told of these before our own commit (R25)."""
    by_account: dict[int, list[str]] = {}
    for one in commands:
        by_account.setdefault(rows[one.delivery_id].account_id, []).extend(one.external_ids)
    for account_id, names in by_account.items():
        apply_parked(uow, account_id, names)
        merge_parked(uow, account_id, names)


# -- statements, made once ---------------------------------------------------------------------


@cache
def _sent(dialect: str) -> Update:
    """Write the end of messages that are being sent, where nobody else decided."""
    given = numbers(dialect, GIVEN)
    return (
        update(deliveries)
        .where(
            deliveries.c.id == given.c.id,
            deliveries.c.fence == given.c.fence,
            deliveries.c.status == Status.SENDING.value,
            deliveries.c.message_id > 0,
            deliveries.c.send_id == 0,
        )
        .values(
            status=Status.SENT.value,
            leased_until=0,
            reason="",
            reason_text="",
            sent_at=case(
                (deliveries.c.sent_at > 0, deliveries.c.sent_at), else_=bindparam("b_now")
            ),
        )
        .returning(
            deliveries.c.id,
            deliveries.c.account_id,
            deliveries.c.message_id,
            deliveries.c.dialog_id,
            deliveries.c.send_id,
        )
    )


@cache
def _next_attempt() -> Insert:
    delivery: BindParameter[int] = bindparam("b_delivery", type_=BigInteger)
    before = select(func.coalesce(func.max(attempts.c.n), 0)).where(
        attempts.c.delivery_id == delivery
    )
    return insert(attempts).values(
        delivery_id=delivery,
        n=before.scalar_subquery() + 1,
        started_at=bindparam("b_started"),
        took_us=bindparam("b_took"),
        outcome=bindparam("b_outcome"),
        code=bindparam("b_code"),
        text=bindparam("b_text"),
    )


@cache
def named_outside() -> Update:
    """Name a message as the provider does, unless it has a name already."""
    return (
        update(messages)
        .where(messages.c.id == bindparam("b_message"), messages.c.external_id == "")
        .values(external_id=bindparam("b_external"))
    )


@cache
def _channels_of(dialect: str) -> Select[Any]:
    return select(dialogs.c.id, dialogs.c.channel).where(among(dialect, dialogs.c.id, "b_ids"))
