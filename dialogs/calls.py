"""Telephone calls: one entry of the dialog per call, which its events fill in, in any order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Row, insert, select, update

from crm_store import lead_answers
from crm_store.lead_answers import was_talked
from crm_store.tables.dialogs import attachments, dialogs, messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog
from dialogs.edits import preview
from dialogs.intake import receive
from dialogs.lookup import find_message
from dialogs.workflow import set_status
from hub.commands import Receive, RecordArrival
from hub.errors import Conflict, Invalid
from hub.events import CallChanged
from hub.ids import DialogId, MessageId, bounded_key
from hub.messages import CallEvent, InboundMessage

RANK = {"ringing": 0, "answered": 1, "ended": 2, "missed": 3}
"""An event never takes a call back. That nobody answered is the last word: exchanges tell that
the line of the caller has ended after it, too."""


def record_call(uow: UnitOfWork, command: RecordArrival, event: CallEvent) -> None:
    """Record one event of a call."""
    if event.state not in RANK:
        raise Invalid(f"a call is {', '.join(RANK)}", field="state")
    key = bounded_key(f"call:{event.external_id}")
    row = find_message(uow, command.account_id, key)
    if row is None:
        given = receive(
            uow,
            Receive(
                actor=command.actor,
                account_id=command.account_id,
                message=InboundMessage(
                    dedupe_key=key,
                    external_id=key,
                    sender=event.caller,
                    sent_at=event.at,
                    # Only a missed call waits for somebody: that is written below.
                    automated=True,
                ),
            ),
        )
        row = find_message(uow, command.account_id, key)
        if row is None or not given.message_id:
            return
    before = str(row.extra.get("call", ""))
    state = event.state if RANK[event.state] >= RANK.get(before, -1) else before
    extra: dict[str, Any] = {
        **row.extra,
        "call": state,
        "direction": event.direction,
        "seconds": max(event.duration_seconds, int(row.extra.get("seconds", 0))),
    }
    if event.recording.startswith(("https://", "http://")):
        extra["recording"] = event.recording[:2000]
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == row.id)
        .values(direction="call", automated=False, extra=extra)
    )
    _keep_recording(uow, row, event)
    change_dialog(uow, row.dialog_id)
    seconds = extra["seconds"]
    preview(uow, row, f"📞 {seconds // 60}:{seconds % 60:02}" if seconds else "📞")
    if state == "missed" and before != "missed" and event.direction == "in":
        _wait(uow, row.dialog_id)
    if was_talked(extra):
        lead_answers.answered(uow, [(row.dialog_id, row.contact_id)])
    uow.record(
        CallChanged(
            message_id=MessageId(row.id),
            dialog_id=DialogId(row.dialog_id),
            account_id=command.account_id,
            state=state,
        )
    )


def _keep_recording(uow: UnitOfWork, row: Row[Any], event: CallEvent) -> None:
    file = event.recording_file
    if file is None:
        return
    known = uow.conn.execute(
        select(attachments.c.id).where(
            attachments.c.message_id == row.id, attachments.c.reference == file.reference
        )
    ).first()
    if known is None:
        uow.conn.execute(
            insert(attachments).values(
                id=uow.new_id(),
                message_id=row.id,
                dialog_id=row.dialog_id,
                account_id=row.account_id,
                name=file.name[:400],
                media_type=file.media_type[:400],
                size=file.size,
                state="pending",
                reference=file.reference,
                created_at=uow.now,
            )
        )


def _wait(uow: UnitOfWork, dialog_id: int) -> None:
    """Somebody called and nobody answered: the dialog waits for us, as after a message."""
    dialog = uow.conn.execute(select(dialogs).where(dialogs.c.id == dialog_id)).one()
    change_dialog(uow, dialog_id, waiting_since=dialog.waiting_since or uow.now)
    if dialog.status in ("waiting", "snoozed", "closed"):
        # A closed one stays closed where a newer dialog with the person is open.
        with suppress(Conflict):
            set_status(uow, dialog, "open")
