"""What becomes of a message that waits in the outbox: taken back, given another time, tried again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from crm_store import lead_answers, request_deadlines
from crm_store.sql import locked
from crm_store.tables.dialogs import attachments, messages
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import lock_message
from dialogs.recount import recount
from hub.commands import CancelSend, RescheduleSend, RetryDelivery
from hub.errors import Conflict
from hub.events import DeliveryChanged, MessageCancelled, MessageChanged
from hub.ids import DeliveryId, DialogId, MessageId
from hub.messages import DeliveryStatus


def cancel_send(uow: UnitOfWork, command: CancelSend) -> str:
    """Take a message back before it was claimed; gives its text, so that it can be edited."""
    message = lock_message(uow, command.message_id)
    _queued_delivery(uow, message)
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.message_id == message.id)
        .values(status=DeliveryStatus.SUPPRESSED.value, reason="other", reason_text="taken back")
    )
    uow.conn.execute(
        update(messages).where(messages.c.id == message.id).values(deleted_at=uow.now, status="")
    )
    # The files go back to the author, so that the message can be written again.
    uow.conn.execute(
        update(attachments)
        .where(attachments.c.message_id == message.id)
        .values(message_id=0, user_id=message.author_id)
    )
    uow.record(
        MessageCancelled(message_id=MessageId(message.id), dialog_id=DialogId(message.dialog_id))
    )
    recount(uow, message.dialog_id)
    request_deadlines.taken_back(uow, message.dialog_id, message.id)
    lead_answers.taken_back(
        uow, message.contact_id, {message.received_at}, dialog_id=message.dialog_id
    )
    return str(message.text)


def _queued_delivery(uow: UnitOfWork, message: Row[Any]) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(deliveries).where(deliveries.c.message_id == message.id))
    ).first()
    if row is None or row.status != DeliveryStatus.QUEUED.value:
        raise Conflict("the message is already on its way", what="already_sent")
    return row


def reschedule_send(uow: UnitOfWork, command: RescheduleSend) -> None:
    """Give a queued message another time to leave."""
    message = lock_message(uow, command.message_id)
    delivery = _queued_delivery(uow, message)
    due_at = command.due_at or uow.now
    uow.conn.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(due_at=due_at))
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == message.id)
        .values(due_at=due_at, at=max(due_at, uow.now))
    )
    uow.record(
        MessageChanged(
            message_id=MessageId(message.id),
            dialog_id=DialogId(message.dialog_id),
            what="due",
        )
    )


def retry_delivery(uow: UnitOfWork, command: RetryDelivery) -> None:
    """Queue a failed (or, when asked, an unknown) message once more."""
    message = lock_message(uow, command.message_id)
    row = uow.conn.execute(select(deliveries).where(deliveries.c.message_id == message.id)).first()
    if row is None:
        raise Conflict("this message was never sent", what="not_failed")
    status = DeliveryStatus(row.status)
    if status is DeliveryStatus.UNKNOWN and not command.even_if_unknown:
        raise Conflict(
            "it may have been delivered: sending again may reach the person twice",
            what="unknown",
        )
    if status not in (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN):
        raise Conflict("this message has not failed", what="not_failed")
    queued = DeliveryStatus.QUEUED.value
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(
            status=queued,
            due_at=uow.now,
            reason="",
            reason_text="",
            held=False,
            leased_until=0,
            # It begins anew, and was tried: what is told of the earlier try still finds it.
            attempts=min(row.attempts, 1),
        )
    )
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == message.id)
        .values(status=queued, reason="", reason_text="")
    )
    uow.record(
        DeliveryChanged(
            message_id=MessageId(message.id),
            dialog_id=DialogId(message.dialog_id),
            account_id=message.account_id,
            delivery_id=DeliveryId(row.id),
            before=status.value,
            after=queued,
        )
    )
    recount(uow, message.dialog_id)
