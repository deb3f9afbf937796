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
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from crm_store.outgoing import UNSURE
from crm_store.reachability import BLOCKED, set_state
from crm_store.rows import among, listed
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import dialogs, messages, thread_references
from crm_store.tables.outbox import attempts, deliveries, jobs, parts, webhook_deliveries
from crm_store.tables.rules import rule_timers
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.edits import merge_parked
from dialogs.many_claim import admit
from dialogs.many_sent import settle_sent
from dialogs.many_ways import first_try, out_of_time, patience, tells_delivery
from dialogs.receipts import apply_parked, lock_sent_names, move_delivery
from dialogs.recount import recount
from hub.commands import ClaimDeliveries, ExpireLeases, ReleaseHeld, SettleDelivery
from hub.errors import Invalid, RejectReason
from hub.events import HeldReleased
from hub.ids import DeliveryId, Micros
from hub.messages import DeliveryStatus as Status
from hub.messages import Lane

US = 1_000_000
SENDING_GRACE = timedelta(seconds=30)
"""How much longer than a channel's own deadline the lease of a call lasts."""
LAST_OUT_US = US
"""An account under a mailing notes no more often than this when something left it last."""
LOOKS = 25
"""So often a claim looks on behind what may not go."""
UNFINISHED = (Status.QUEUED.value, Status.CLAIMED.value, Status.SENDING.value)


def claim_deliveries(uow: UnitOfWork, command: ClaimDeliveries) -> list[tuple[DeliveryId, int]]:
    """Lease due deliveries of one account; gives each with its fencing number."""
    account = uow.conn.execute(
        select(accounts.c.channel, accounts.c.paused, accounts.c.removed).where(
            accounts.c.id == command.account_id
        )
    ).first()
    if account is None or account.paused or account.removed:
        return []
    capabilities = uow.channels.get(account.channel)
    ordered = capabilities is None or capabilities.ordered
    given = {"account": command.account_id, "now": uow.now}
    turns = [("agent" if command.agent_only else "", command.limit)]
    if command.ahead is not None:
        turns = [(turns[0][0] or "first", command.limit), ("many", command.ahead)]
    asked = [
        (_due(uow.dialect, ordered, lanes), {**given, "limit": limit})
        for lanes, limit in turns
        if limit > 0
    ]
    rows: list[Row[Any]] = []
    # Whatever may not go leaves the queue or its head, so that the next look finds what is behind.
    for _ in range(LOOKS):
        found = [row for statement, values in asked for row in uow.conn.execute(statement, values)]
        rows = admit(uow, command.account_id, found)
        if rows and capabilities is not None and capabilities.reply_window is not None:
            late = _fail_closed(uow, [row.id for row in rows])
            rows = [row for row in rows if row.id not in late]
        if rows or not found:
            break
    if not rows:
        return []
    leased: dict[str, Any] = {
        "b_ids": listed(uow.dialect, [row.id for row in rows]),
        "b_until": uow.now + command.lease_us,
        "b_worker": command.worker,
    }
    uow.conn.execute(_leased(uow.dialect), leased)
    return [(DeliveryId(row.id), row.fence + 1) for row in rows]


@cache
def _leased(dialect: str) -> Update:
    return (
        update(deliveries)
        .where(among(dialect, deliveries.c.id, "b_ids"))
        .values(
            status=Status.CLAIMED.value,
            fence=deliveries.c.fence + 1,
            leased_until=bindparam("b_until"),
            worker=bindparam("b_worker"),
        )
    )


@cache
def _due(dialect: str, ordered: bool, lanes: str) -> Select[Any]:
    """Make the question once: what is due of an account, of all lanes or of some."""
    lane = deliveries.c.lane
    where = [
        deliveries.c.account_id == bindparam("account"),
        deliveries.c.status == Status.QUEUED.value,
        ~deliveries.c.held,
        deliveries.c.due_at <= bindparam("now"),
        *{
            "": [],
            "agent": [lane == 0],
            "first": [lane < Lane.MAILING.order],
            "many": [lane == Lane.MAILING.order],
        }[lanes],
    ]
    if ordered:
        older = deliveries.alias("older")
        # Only the oldest unfinished delivery of a dialog may go, also while it waits for a
        # retry; one that was planned for later and never tried, or is held, keeps nobody
        # waiting.
        waits = exists().where(
            older.c.dialog_id == deliveries.c.dialog_id,
            older.c.id < deliveries.c.id,
            # In full: neither a parameter nor a list of them would be seen to fit the partial index.
            older.c.dialog_id > literal_column("0"),
            older.c.status.in_(
                bindparam("unfinished", UNFINISHED, expanding=True, literal_execute=True)
            ),
            ~older.c.held,
            or_(older.c.attempts > 0, older.c.due_at <= bindparam("now")),
        )
        # What has no dialog (what goes to many) waits for nothing: it is not even looked for.
        where.append(or_(deliveries.c.dialog_id == 0, ~waits))
    statement = (
        select(
            deliveries.c.id,
            deliveries.c.fence,
            deliveries.c.send_id,
            deliveries.c.contact_id,
            deliveries.c.address_id,
            deliveries.c.content_id,
        )
        .where(and_(*where))
        .order_by(lane, deliveries.c.due_at, deliveries.c.id)
        .limit(bindparam("limit"))
    )
    return locked(dialect, statement, skip=True)


def _fail_closed(uow: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """Fail what waited until its reply window closed: the provider would refuse it anyway."""
    rows = uow.conn.execute(
        select(deliveries, messages.c.extra)
        .join(dialogs, dialogs.c.id == deliveries.c.dialog_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.id.in_(ids), dialogs.c.window_until <= uow.now)
    ).all()
    late = [row for row in rows if not row.extra.get("template")]
    for row in late:
        move_delivery(
            uow,
            row,
            Status.FAILED,
            RejectReason.WINDOW_CLOSED.value,
            "the reply window closed before it could leave: send a template",
            at=uow.now,
            forced=True,
        )
    return {row.id for row in late}


def settle_many(uow: UnitOfWork, commands: Sequence[SettleDelivery]) -> list[None]:
    """Write what became of a group of attempts."""
    lock_sent_names(uow, (name for one in commands for name in one.external_ids))
    well = settle_sent(uow, commands)
    left = [one for one in commands if one.delivery_id not in well]
    rows: dict[int, Row[Any]] = {}
    if left:
        ids = listed(uow.dialect, sorted({one.delivery_id for one in left}))
        rows = {row.id: row for row in uow.conn.execute(_settled(uow.dialect), {"ids": ids})}
    for command in left:
        row = rows.get(command.delivery_id)
        if row is not None:
            _settle(uow, command, row)
    patient = {number: row for number, row in well.items() if row.fall_back_after}
    _wait_for_proof(uow, commands, {**rows, **patient})
    sent = {rows[one.delivery_id].account_id for one in left
            if one.delivery_id in rows and one.status is Status.SENT}  # fmt: skip
    sent |= {row.account_id for row in well.values() if uow.now - row.last_out_at >= LAST_OUT_US}
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
    for command in commands:
        patient = waiting.get(command.delivery_id)
        if patient is None or command.status not in (Status.SENT, Status.QUEUED):
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


def _settle(uow: UnitOfWork, command: SettleDelivery, row: Row[Any]) -> None:
    # A row of many that went well at once says so by itself.
    if not row.send_id or row.attempts > 1 or command.status is not Status.SENT:
        _note_attempt(uow, command)
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
                leased_until=0,
                reason=command.reason,
                reason_text=command.text[:400],
            )
        )
        _note_message(uow, row, command)
        return
    move_delivery(uow, row, command.status, command.reason, command.text, at=uow.now, forced=True)
    if command.external_ids:
        _merge_early(uow, row, command)
    if command.reason == RejectReason.BLOCKED.value and row.address_id:
        # Final for this pair, until the person writes or allows us again.
        set_state(uow, row.address_id, row.account_id, BLOCKED)


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


def _note_attempt(uow: UnitOfWork, command: SettleDelivery) -> None:
    number = uow.conn.execute(
        select(func.coalesce(func.max(attempts.c.n), 0)).where(
            attempts.c.delivery_id == command.delivery_id
        )
    ).scalar_one()
    uow.conn.execute(
        insert(attempts).values(
            delivery_id=command.delivery_id,
            n=number + 1,
            started_at=command.started_at,
            took_us=command.took_us,
            outcome=command.status.value,
            code=command.code[:400],
            text=command.text[:2000],
        )
    )


def _note_parts(uow: UnitOfWork, command: SettleDelivery, row: Row[Any]) -> None:
    uow.conn.execute(
        upsert(uow.dialect, parts).on_conflict_do_nothing(),
        [
            {
                "account_id": row.account_id,
                "external_id": one[:400],
                "delivery_id": row.id,
                "part": n,
            }
            for n, one in enumerate(command.external_ids)
        ],
    )
    if not row.message_id:
        return
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == row.message_id, messages.c.external_id == "")
        .values(external_id=command.external_ids[0][:400])
    )
    if command.refused:
        extra = uow.conn.execute(
            select(messages.c.extra).where(messages.c.id == row.message_id)
        ).scalar()
        uow.conn.execute(
            update(messages)
            .where(messages.c.id == row.message_id)
            .values(extra={**(extra or {}), "refused": dict(command.refused)})
        )
    channel = uow.conn.execute(
        select(dialogs.c.channel).where(dialogs.c.id == row.dialog_id)
    ).scalar()
    capabilities = uow.channels.get(channel or "")
    if capabilities is not None and capabilities.threads:
        uow.conn.execute(
            upsert(uow.dialect, thread_references).on_conflict_do_nothing(),
            [
                {
                    "account_id": row.account_id,
                    "reference": one[:400],
                    "dialog_id": row.dialog_id,
                    "at": uow.now,
                }
                for one in command.external_ids
            ],
        )


def expire_leases(uow: UnitOfWork, command: ExpireLeases) -> tuple[int, int]:
    """Give expired claims back and call expired sends unknown; gives both counts."""
    statement = (
        select(deliveries)
        .where(deliveries.c.leased_until > 0, deliveries.c.leased_until < uow.now)
        .order_by(deliveries.c.id)
        .limit(500)
    )
    rows = uow.conn.execute(locked(uow.dialect, statement, skip=True)).all()
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
    _note_attempt(
        uow,
        SettleDelivery(
            delivery_id=DeliveryId(row.id),
            fence=row.fence,
            status=Status.QUEUED,
            code=f"{UNSURE}interrupted",
            started_at=started_at,
            took_us=uow.now - started_at,
        ),
    )
    return True


def release_held(uow: UnitOfWork, command: ReleaseHeld) -> int:
    """Let held outgoing things go, or drop them; gives how many."""
    table: Any
    if command.kind == "deliveries":
        rows = uow.conn.execute(select(deliveries).where(deliveries.c.held)).all()
        uow.conn.execute(update(deliveries).where(deliveries.c.held).values(held=False))
        if not command.release:
            for row in rows:
                move_delivery(
                    uow,
                    row,
                    Status.SUPPRESSED,
                    "expired",
                    "dropped after a pause",
                    at=uow.now,
                    forced=True,
                )
        for dialog_id in {row.dialog_id for row in rows if row.dialog_id}:
            recount(uow, dialog_id)
        count = len(rows)
    elif command.kind in ("jobs", "webhooks"):
        table = jobs if command.kind == "jobs" else webhook_deliveries
        values: dict[str, Any] = {"held": False}
        if not command.release:
            values["state"] = "dropped"
        count = uow.conn.execute(update(table).where(table.c.held).values(**values)).rowcount
    elif command.kind == "timers":
        if command.release:
            freed = update(rule_timers).where(rule_timers.c.held).values(held=False)
            count = uow.conn.execute(freed).rowcount
        else:
            count = uow.conn.execute(delete(rule_timers).where(rule_timers.c.held)).rowcount
    else:
        raise Invalid("held things are deliveries, jobs, webhooks or timers", field="kind")
    uow.record(HeldReleased(kind=command.kind, count=count, released=command.release))
    return int(count)
