"""The outbox: who may carry a delivery now, and what became of the attempt.

`claimed` is a lease and nothing is on the wire: an expired claim goes back to the queue.
`sending` is committed just before the wire is called: only an expired `sending` is unknown.
Every claim writes a fencing number, and a settle counts only with the newest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    select,
    update,
)

from crm_store import delivery_leases
from crm_store.buckets import mail_domain, slow_down
from crm_store.outgoing import UNSURE
from crm_store.reachability import BLOCKED, set_state
from crm_store.rows import among, listed
from crm_store.sending_limits import give_back
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import messages
from crm_store.tables.outbox import deliveries, parts
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.answers_sent import named_outside, note_attempts, note_threads, settle_answers
from dialogs.edits import merge_parked
from dialogs.many_late import first_try, out_of_time, patience, tells_delivery
from dialogs.many_sent import settle_sent
from dialogs.receipts import apply_parked, lock_sent_names, move_delivery
from hub.commands import ExpireLeases, SettleDelivery
from hub.errors import RejectReason, TooFast
from hub.ids import DeliveryId, Micros, bounded_key
from hub.messages import DeliveryStatus as Status

US = 1_000_000
SENDING_GRACE = timedelta(seconds=30)
"""How much longer than a channel's own deadline the lease of a call lasts."""


def settle_many(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> list[None]:
    """Write what became of a group of attempts."""
    lock_sent_names(uow, (name for one in commands for name in one.external_ids))
    well = settle_sent(uow, commands)
    answers = settle_answers(uow, [one for one in commands if one.delivery_id not in well.rows])
    settled = {*answers, *well.rows}
    left = [one for one in commands if one.delivery_id not in settled]
    rows: dict[int, Row[Any]] = {}
    if left:
        ids = listed(uow.dialect, sorted({one.delivery_id for one in left}))
        rows = {row.id: row for row in uow.conn.execute(_settled(uow.dialect), {"ids": ids})}
    for command in left:
        row = rows.get(command.delivery_id)
        if row is not None:
            _settle(uow, command, row)
    patient = {}
    if well.patient:
        patient = {n: row for n, row in well.rows.items() if row.send_id in well.patient}
    _wait_for_proof(uow, commands, {**rows, **patient})
    sent = {rows[one.delivery_id].account_id for one in left
            if one.delivery_id in rows and one.status is Status.SENT}  # fmt: skip
    sent |= well.unnoted | {row.account_id for row in answers.values()}
    if sent:
        uow.conn.execute(
            update(accounts).where(accounts.c.id.in_(sorted(sent))).values(last_out_at=uow.now)
        )
    return [None] * len(commands)


@cache
def _settled(dialect: str) -> Select[Any]:
    found = select(deliveries).where(among(dialect, deliveries.c.id, "ids"))
    return locked(dialect, found.order_by(deliveries.c.id))


def _wait_for_proof(
    uow: UnitOfWork, commands: Sequence[SettleDelivery], rows: Mapping[int, Row[Any]]
) -> None:
    """Say when a row of many that has other ways is to be looked at again."""
    waiting = patience(uow, rows.values())
    until: dict[int, list[int]] = {}
    for command in commands:
        patient = waiting.get(command.delivery_id)
        waits = command.status is Status.SENT or (command.status is Status.QUEUED and command.tried)
        if patient is None or not waits:
            continue
        row = rows[command.delivery_id]
        since: int = uow.now
        if command.status is Status.QUEUED:
            since = first_try(uow, row.id, uow.now)
        elif not tells_delivery(uow, row.account_id):
            continue
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.status == command.status.value)
            .values(leased_until=since + patient)
        )
        until.setdefault(since + patient, []).append(row.id)
    for instant, ids in until.items():
        delivery_leases.wait(uow, ids, instant)


def _settle(uow: UnitOfWork, command: SettleDelivery, row: Row[Any]) -> None:
    # A row of many that went well at once says so by itself.
    quiet = row.send_id and row.attempts <= 1 and command.status is Status.SENT
    if command.tried and not quiet:
        note_attempts(uow, [command])
    if command.external_ids:
        _note_parts(uow, command, row)
    mine = row.fence == command.fence and row.status in (
        Status.SENDING.value,
        Status.CLAIMED.value,
    )
    if not mine:
        # The lease was lost and somebody else decided. A success is still a success (it
        # turns unknown into sent); anything else is only one more line of the attempts.
        if command.status in (Status.SENT, Status.DELIVERED):
            move_delivery(uow, row, command.status, "", "", at=uow.now)
            _merge_early(uow, row, command)
        return
    if command.status is Status.QUEUED:
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(
                status=Status.QUEUED.value,
                due_at=command.retry_at,
                attempts=row.attempts - (0 if command.tried else 1),
                leased_until=0,
                reason=command.reason,
                reason_text=command.text[:400],
            )
        )
        _note_message(uow, row, command)
        if row.send_id and not command.tried:
            give_back(uow, [row.id])
        if command.code == TooFast.__name__:
            _slow_down(uow, row)
        return
    move_delivery(uow, row, command.status, command.reason, command.text, at=uow.now, forced=True)
    if command.external_ids:
        _merge_early(uow, row, command)
    if command.reason == RejectReason.BLOCKED.value and row.address_id:
        # Final for this pair, until the person writes or allows us again.
        set_state(uow, row.address_id, row.account_id, BLOCKED)


def _slow_down(uow: UnitOfWork, row: Row[Any]) -> None:
    """What many get at the mail domain of this address goes to it more slowly for a while."""
    value = uow.conn.execute(
        select(addresses.c.value).where(addresses.c.id == row.address_id)
    ).scalar()
    if domain := mail_domain(value or ""):
        slow_down(uow, row.account_id, domain)


def _merge_early(uow: UnitOfWork, row: Row[Any], command: SettleDelivery) -> None:
    """Receipts, edits and reactions may have come before our own commit (R25)."""
    apply_parked(uow, row.account_id, command.external_ids)
    merge_parked(uow, row.account_id, command.external_ids)


def _note_message(uow: UnitOfWork, row: Row[Any], command: SettleDelivery) -> None:
    """Show at the message why it is still waiting."""
    if row.message_id:
        uow.conn.execute(
            update(messages)
            .where(messages.c.id == row.message_id)
            .values(status=Status.QUEUED.value, reason_text=command.text[:400])
        )


def _note_parts(uow: UnitOfWork, command: SettleDelivery, row: Row[Any]) -> None:
    uow.conn.execute(
        upsert(uow.dialect, parts).on_conflict_do_nothing(),
        [
            {
                "account_id": row.account_id,
                "external_id": bounded_key(one),
                "delivery_id": row.id,
                "part": n,
            }
            for n, one in enumerate(command.external_ids)
        ],
    )
    if not row.message_id:
        return
    given = {"b_message": row.message_id, "b_external": bounded_key(command.external_ids[0])}
    uow.conn.execute(named_outside(), given)
    if command.refused:
        extra = uow.conn.execute(
            select(messages.c.extra).where(messages.c.id == row.message_id)
        ).scalar()
        uow.conn.execute(
            update(messages)
            .where(messages.c.id == row.message_id)
            .values(extra={**(extra or {}), "refused": dict(command.refused)})
        )
    note_threads(uow, [(row, command.external_ids)])


def expire_leases(uow: UnitOfWork, command: ExpireLeases) -> tuple[int, int]:
    """Give expired claims back and call expired sends unknown; gives both counts."""
    found = delivery_leases.over(uow)
    rows = found.rows
    back = [row.id for row in rows if row.status == Status.CLAIMED.value]
    late = [row for row in rows if row.status in (Status.SENT.value, Status.QUEUED.value)]
    if late:
        out_of_time(uow, late)
    unknown = 0
    for row in rows:
        if row.status != Status.SENDING.value:
            continue
        if _repeats_safely(uow, row):
            back.append(row.id)
            continue
        unknown += 1
        move_delivery(
            uow,
            row,
            Status.UNKNOWN,
            "other",
            "the hub was interrupted while sending",
            at=uow.now,
            forced=True,
        )
    if back:
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(back))
            .values(status=Status.QUEUED.value, leased_until=0)
        )
    delivery_leases.look_again(uow, found)
    return len(back), unknown


def _repeats_safely(uow: UnitOfWork, row: Row[Any]) -> bool:
    """Whether an interrupted call may be made again, because the provider knows it by its key.

    The attempt is written down, so that it still counts when the repeat is tried late.
    """
    channel = uow.conn.execute(
        select(accounts.c.channel).where(accounts.c.id == row.account_id)
    ).scalar()
    capabilities = uow.channels.get(channel or "")
    if capabilities is None or not capabilities.idempotent_send:
        return False
    lease_us = int((capabilities.send_timeout + SENDING_GRACE).total_seconds() * US)
    started_at = Micros(max(1, row.leased_until - lease_us))
    remembered = capabilities.idempotent_for
    if remembered is not None and uow.now - started_at >= remembered.total_seconds() * US:
        return False
    note_attempts(
        uow,
        [
            SettleDelivery(
                delivery_id=DeliveryId(row.id),
                fence=row.fence,
                status=Status.QUEUED,
                code=f"{UNSURE}interrupted",
                started_at=started_at,
                took_us=uow.now - started_at,
            )
        ],
    )
    return True
