"""Claiming: who carries what is due of an account, in order, each dialog's oldest first.

A claim is a lease and a fencing number; nothing of it is on the wire yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from crm_store import delivery_leases
from crm_store.sql import locked
from crm_store.tables.consents import frequency_limits
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.outbox import WAITING, deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_claim import admit
from dialogs.many_sender import sender_of
from dialogs.many_ways import Due
from dialogs.receipts import move_delivery
from hub.commands import ClaimDeliveries
from hub.errors import RejectReason
from hub.ids import DeliveryId
from hub.messages import DeliveryStatus as Status
from hub.messages import Lane

LOOKS = 25
"""So often a claim looks on behind what may not go."""


def claim_deliveries(uow: UnitOfWork, command: ClaimDeliveries) -> list[tuple[DeliveryId, int]]:
    """Lease due deliveries of one account; gives each with its fencing number."""
    sender = sender_of(uow, command.account_id)
    if sender.paused or sender.removed:
        return []
    capabilities = sender.capabilities
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
    rows: list[Due] = []
    # Whatever may not go leaves the queue or its head, so that the next look finds what is behind.
    for _ in range(LOOKS):
        found = [
            Due._make(row)
            for statement, values in asked
            for row in uow.conn.execute(statement, values)
        ]
        rows = admit(uow, sender, found)
        if rows and capabilities is not None and capabilities.reply_window is not None:
            late = _fail_closed(uow, [row.id for row in rows])
            rows = [row for row in rows if row.id not in late]
        if rows or not found:
            break
    if not rows:
        return []
    until = uow.now + command.lease_us
    delivery_leases.claim(uow, [row.id for row in rows], until, command.worker)
    return [(DeliveryId(row.id), row.fence + 1) for row in rows]


@cache
def _due(dialect: str, ordered: bool, lanes: str) -> Select[Any]:
    """Make the question once: what is due of an account, of all lanes or of some."""
    lane = deliveries.c.lane
    where = [
        deliveries.c.account_id == bindparam("account"),
        WAITING,
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
            # In full: a parameter would not be seen to fit the partial index.
            older.c.dialog_id > literal_column("0"),
            older.c.unfinished,
            ~older.c.held,
            or_(older.c.attempts > 0, older.c.due_at <= bindparam("now")),
        )
        # What has no dialog (what goes to many) waits for nothing: it is not even looked for.
        where.append(or_(deliveries.c.dialog_id == 0, ~waits))
    wish = select(frequency_limits.c.days).where(
        frequency_limits.c.contact_id == deliveries.c.contact_id
    )
    asked = [deliveries.c[name] for name in Due._fields if name in deliveries.c]
    statement = (
        select(*asked, func.coalesce(wish.scalar_subquery(), 0))
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
