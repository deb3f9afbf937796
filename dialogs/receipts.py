"""What providers say later of our messages: a delivery only moves up, in whatever order it is told.

The order below is a ladder over which every receipt takes the maximum, so every permutation
of the same receipts ends in the same state. A proof of arrival outweighs a report of failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Table, Update, bindparam, delete, func, insert, select, update

from crm_store.consents import end_waiting
from crm_store.many_places import as_left
from crm_store.rows import among, listed
from crm_store.sql import lock_names, locked, upsert
from crm_store.suppressions import learn_from_arrival, learn_from_failure, suppress
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.tables.outbox import deliveries, parked_receipts, parts
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog
from dialogs.many_told import tell_earlier
from dialogs.many_ways import after_failure
from hub.commands import RecordReceipt
from hub.errors import RejectReason
from hub.events import DeliveryChanged, MessageChanged
from hub.ids import DeliveryId, DialogId, MessageId, bounded_key
from hub.messages import DeliveryReceipt
from hub.messages import DeliveryStatus as Status

RANK = {
    Status.QUEUED: 0,
    Status.PAUSED: 0,
    Status.CLAIMED: 1,
    Status.SENDING: 2,
    Status.UNKNOWN: 3,
    Status.SENT: 4,
    Status.FAILED: 5,
    Status.SUPPRESSED: 5,
    Status.DELIVERED: 6,
    Status.READ: 7,
}
SENT_NAMES = 0x4855_5253
"""Room of the locks on external ids: a receipt and the settling of its send take turns."""
REACHED = (Status.SENT, Status.DELIVERED, Status.READ)


def record_receipts(uow: UnitOfWork, commands: Sequence[RecordReceipt]) -> list[bool]:
    """Apply a group of receipts; gives for each whether it was new."""
    first: dict[tuple[int, str], int] = {}
    for n, one in enumerate(commands):
        first.setdefault((one.account_id, bounded_key(one.receipt.dedupe_key)), n)
    statement = (
        upsert(uow.dialect, arrivals)
        .on_conflict_do_nothing()
        .returning(arrivals.c.account_id, arrivals.c.dedupe_key)
    )
    rows = uow.conn.execute(
        statement,
        [
            {"account_id": key[0], "dedupe_key": key[1], "message_id": 0, "at": uow.now}
            for key in sorted(first)
        ],
    ).all()
    fresh = sorted(first[row.account_id, row.dedupe_key] for row in rows)
    lock_sent_names(uow, [commands[n].receipt.external_id for n in fresh])
    for n in fresh:
        _apply(uow, commands[n])
    return [n in set(fresh) for n in range(len(commands))]


def record_receipt(uow: UnitOfWork, command: RecordReceipt) -> bool:
    """Apply one receipt."""
    return record_receipts(uow, [command])[0]


def lock_sent_names(uow: UnitOfWork, external_ids: Iterable[str]) -> None:
    """Whoever comes second, the receipt or the send's end, must see what the first one wrote."""
    lock_names(uow.conn, SENT_NAMES, (bounded_key(one) for one in external_ids))


def _apply(uow: UnitOfWork, command: RecordReceipt) -> None:
    receipt = command.receipt
    row = find_delivery(uow, command.account_id, receipt.external_id)
    if receipt.earlier and _apply_to_earlier(uow, command, row):
        return
    reason = receipt.reason.value if receipt.reason else ""
    if row is None and receipt.delivery_key:
        row = _by_key(uow, command.account_id, receipt)
    if row is None:
        # It overtook our own commit, or is about something we never sent: kept, and merged
        # if the send is settled later.
        uow.conn.execute(
            insert(parked_receipts).values(
                id=uow.new_id(),
                account_id=command.account_id,
                external_id=bounded_key(receipt.external_id),
                status=receipt.status.value,
                at=receipt.at,
                reason=reason,
                text=receipt.text[:400],
                parked_at=uow.now,
            )
        )
        return
    if receipt.reason is RejectReason.COMPLAINED:
        _complained(uow, as_left(uow.conn, uow.channels, row, command.account_id))
        reason = ""
    if receipt.reason is RejectReason.DELAYED:
        if row.account_id == command.account_id:
            _delayed(uow, row, receipt.text)
        return
    at = receipt.at or uow.now
    take_in(uow, row, command.account_id, receipt.status, reason, receipt.text, at=at)


def take_in(
    uow: UnitOfWork,
    row: Row[Any],
    account_id: int,
    status: Status,
    reason: str,
    text: str,
    *,
    at: int,
) -> None:
    """Take in what is told of what left over an account.

    Somebody who gets what goes to many may be reached over another account by now: then it is about
    that earlier way, and the one that stands keeps its state.
    """
    if not row.send_id or row.account_id == account_id:
        move_delivery(uow, row, status, reason, text, at=at)
        return
    way = as_left(uow.conn, uow.channels, row, account_id)
    before = tell_earlier(uow, row, account_id, status, reason, text, at=at)
    if before is None:
        return
    _learn(uow, way.address_id, status, reason, text)
    _show(uow, way, before, status, reason, text)


def _complained(uow: UnitOfWork, row: Any) -> None:
    """Who calls a letter spam gets no advertising any more, on any channel: it arrived, and how."""
    if row.address_id > 0:
        suppress(uow, row.address_id, RejectReason.COMPLAINED.value, "feedback report")
    owner = uow.conn.execute(
        select(addresses.c.contact_id).where(addresses.c.id == row.address_id)
    ).scalar()
    if owner:
        end_waiting(uow, int(owner))


def _delayed(uow: UnitOfWork, row: Row[Any], text: str) -> None:
    """A server on the way still tries: the delivery stays what it is, and says so until more is known."""
    if row.status not in (Status.SENT.value, Status.UNKNOWN.value):
        return
    said = {"reason": RejectReason.DELAYED.value, "reason_text": text[:400]}
    uow.conn.execute(update(deliveries).where(deliveries.c.id == row.id).values(**said))
    if not row.message_id:
        return
    uow.conn.execute(update(messages).where(messages.c.id == row.message_id).values(**said))
    change_dialog(uow, row.dialog_id)
    uow.record(
        MessageChanged(
            message_id=MessageId(row.message_id), dialog_id=DialogId(row.dialog_id), what="delayed"
        )
    )


def _by_key(uow: UnitOfWork, account_id: int, receipt: DeliveryReceipt) -> Row[Any] | None:
    """Find the delivery that the provider names by our own key, and learn its external id.

    So a send whose answer was lost is known after all, and one that waits to be repeated is not
    repeated if it arrived. The parts of a split message (`7/0`) prove nothing about the whole.
    """
    key = receipt.delivery_key
    if not key.isdecimal() or len(key) > 19 or not receipt.external_id:
        return None
    open_to = [Status.SENDING.value, Status.UNKNOWN.value]
    if receipt.status in REACHED:
        open_to += [Status.QUEUED.value, Status.CLAIMED.value]
    statement = select(deliveries).where(
        deliveries.c.id == int(key),
        deliveries.c.account_id == account_id,
        deliveries.c.status.in_(open_to),
        deliveries.c.attempts > 0,
    )
    row = uow.conn.execute(locked(uow.dialect, statement)).first()
    if row is None:
        return None
    part = {
        "account_id": account_id,
        "external_id": bounded_key(receipt.external_id),
        "delivery_id": row.id,
        "part": 0,
    }
    uow.conn.execute(upsert(uow.dialect, parts).on_conflict_do_nothing(), [part])
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == row.message_id, messages.c.external_id == "")
        .values(external_id=bounded_key(receipt.external_id))
    )
    return row


def _apply_to_earlier(uow: UnitOfWork, command: RecordReceipt, row: Row[Any] | None) -> bool:
    """Apply a receipt to the message it names and to all of ours before it in the dialog.

    False where nobody knows the message it names yet.
    """
    receipt = command.receipt
    where = messages.c.external_id == bounded_key(receipt.external_id)
    if row is not None:
        where = messages.c.id == row.message_id
    named = uow.conn.execute(
        select(messages.c.id, messages.c.dialog_id).where(
            messages.c.account_id == command.account_id, where
        )
    ).first()
    if named is None:
        return False
    rows = uow.conn.execute(
        locked(
            uow.dialect,
            select(deliveries, messages.c.account_id.label("over"))
            .join(messages, messages.c.id == deliveries.c.message_id)
            .where(
                messages.c.dialog_id == named.dialog_id,
                messages.c.id <= named.id,
                messages.c.direction == "out",
                messages.c.status.in_([Status.SENT.value, Status.DELIVERED.value]),
            )
            .order_by(deliveries.c.id),
        )
    ).all()
    known = {one.id for one in rows}
    told = [(one, one.over) for one in rows]
    if row is not None and row.id not in known:
        told.append((row, command.account_id))
    for one, account_id in told:
        take_in(uow, one, account_id, receipt.status, "", "", at=receipt.at or uow.now)
    return True


def find_delivery(uow: UnitOfWork, account_id: int, external_id: str) -> Row[Any] | None:
    """Find a delivery by an external id of one of its parts, and lock it."""
    statement = (
        select(deliveries)
        .join(parts, parts.c.delivery_id == deliveries.c.id)
        .where(parts.c.account_id == account_id, parts.c.external_id == bounded_key(external_id))
    )
    return uow.conn.execute(locked(uow.dialect, statement)).first()


def apply_parked(uow: UnitOfWork, account_id: int, external_ids: Sequence[str]) -> None:
    """Merge receipts that came before the send was settled."""
    keys = [bounded_key(one) for one in external_ids]
    given = {"b_account": account_id, "b_names": listed(uow.dialect, keys)}
    rows = uow.conn.execute(_parked_for(uow.dialect), given).all()
    if not rows:
        return
    for row in rows:
        delivery = find_delivery(uow, account_id, row.external_id)
        if delivery is not None:
            at = row.at or uow.now
            take_in(uow, delivery, account_id, Status(row.status), row.reason, row.text, at=at)
    uow.conn.execute(
        delete(parked_receipts).where(parked_receipts.c.id.in_([row.id for row in rows]))
    )


@cache
def _parked_for(dialect: str) -> Select[Any]:
    return (
        select(parked_receipts)
        .where(
            parked_receipts.c.account_id == bindparam("b_account"),
            among(dialect, parked_receipts.c.external_id, "b_names"),
        )
        .order_by(parked_receipts.c.id)
    )


def move_delivery(
    uow: UnitOfWork,
    row: Row[Any],
    status: Status,
    reason: str,
    text: str,
    *,
    at: int,
    forced: bool = False,
) -> None:
    """Move a delivery up the ladder or out of it; `forced` is the sender's own word."""
    before = Status(row.status)
    if before is status or (not forced and RANK[status] <= RANK[before]):
        return
    values: dict[str, Any] = {
        "status": status.value,
        "leased_until": 0,
        "reason": reason,
        "reason_text": text[:400],
    }
    if status in REACHED and not row.sent_at:
        values["sent_at"] = at
    if status is Status.DELIVERED or (status is Status.READ and not row.delivered_at):
        values["delivered_at"] = at
    if status is Status.READ:
        values["read_at"] = at
    if row.send_id:
        values["worker"] = ""
    _write(uow, deliveries, row.id, values)
    _learn(uow, row.address_id, status, reason, text)
    if status is Status.FAILED and row.send_id and after_failure(uow, row, reason or "other"):
        return
    _show(uow, row, before, status, reason, text)


def _learn(uow: UnitOfWork, address_id: int, status: Status, reason: str, text: str) -> None:
    if status is Status.FAILED:
        learn_from_failure(uow, address_id, reason, text)
    elif status is Status.DELIVERED and address_id:
        learn_from_arrival(uow, address_id)


def _show(
    uow: UnitOfWork, row: Any, before: Status, status: Status, reason: str, text: str
) -> None:
    """Say at the message what became of it, where it is that of this way."""
    if not row.message_id or (row.send_id and not _is_of(uow, row)):
        return
    said = {"status": status.value, "reason": reason, "reason_text": text[:400]}
    _write(uow, messages, row.message_id, said)
    bad = (Status.FAILED, Status.UNKNOWN)
    if status in bad or before in bad:
        failed = (
            select(func.count())
            .where(
                messages.c.dialog_id == row.dialog_id,
                messages.c.status.in_([one.value for one in bad]),
                messages.c.deleted_at == 0,
            )
            .scalar_subquery()
        )
        uow.conn.execute(
            update(dialogs)
            .where(dialogs.c.id == row.dialog_id)
            .values(failed_count=failed, version=dialogs.c.version + 1)
        )
    uow.record(
        DeliveryChanged(
            message_id=MessageId(row.message_id),
            dialog_id=DialogId(row.dialog_id),
            account_id=row.account_id,
            delivery_id=DeliveryId(row.id),
            before=before.value,
            after=status.value,
            reason=reason,
        )
    )


def _is_of(uow: UnitOfWork, row: Any) -> bool:
    over = select(messages.c.account_id).where(messages.c.id == row.message_id)
    return bool(uow.conn.execute(over).scalar() == row.account_id)


def _write(uow: UnitOfWork, table: Table, key: int, values: Mapping[str, Any]) -> None:
    given = {f"b_{name}": value for name, value in values.items()}
    uow.conn.execute(_writing(table, tuple(values)), {"b_key": key, **given})


@cache
def _writing(table: Table, names: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {name: bindparam(f"b_{name}") for name in names}
    return update(table).where(table.c.id == bindparam("b_key")).values(**new)
