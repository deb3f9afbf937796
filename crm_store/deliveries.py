"""The delivery of a message of ours: how far it came, and every attempt."""

from __future__ import annotations

from sqlalchemy import select

from crm_store import messages as message_reads
from crm_store.tables.outbox import attempts, deliveries
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.ids import AccountId, DeliveryId, DialogId, MessageId, Micros
from hub.records.dialogs import Attempt, Delivery


def delivery(reader: Reader, message_id: MessageId) -> Delivery:
    """Give the delivery of a message of ours with every attempt."""
    message_reads.one(reader, message_id, whole=False)
    row = reader.conn.execute(
        select(deliveries).where(deliveries.c.message_id == message_id)
    ).first()
    if row is None:
        raise NotFound("this message has no delivery")
    tries = reader.conn.execute(
        select(attempts).where(attempts.c.delivery_id == row.id).order_by(attempts.c.n)
    )
    return Delivery(
        id=DeliveryId(row.id),
        message_id=MessageId(row.message_id),
        dialog_id=DialogId(row.dialog_id),
        account_id=AccountId(row.account_id),
        lane=("agent", "trigger", "mailing")[row.lane],
        status=row.status,
        due_at=Micros(row.due_at),
        fence=row.fence,
        attempts=tuple(
            Attempt(
                started_at=Micros(one_try.started_at),
                took_us=one_try.took_us,
                outcome=one_try.outcome,
                code=one_try.code,
                text=one_try.text,
            )
            for one_try in tries
        ),
        attempt_count=row.attempts,
        reason=row.reason,
        reason_text=row.reason_text,
        idempotency_key=row.idempotency_key,
        held=row.held,
        created_at=Micros(row.created_at),
        sent_at=Micros(row.sent_at),
        delivered_at=Micros(row.delivered_at),
        read_at=Micros(row.read_at),
    )
