"""Arrivals that are no messages: edits, reactions, pressed buttons, calls, who blocked us."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from crm_store.reachability import ALLOWED, BLOCKED, set_state
from crm_store.sql import upsert
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.calls import record_call
from dialogs.edits import record_edit
from dialogs.identity import identify
from dialogs.intake import receive
from dialogs.lookup import find_message
from dialogs.moves import move_address
from dialogs.outside import record_outside
from hub.commands import Receive, RecordArrival
from hub.events import ButtonWasPressed
from hub.ids import DialogId, MessageId, bounded_key
from hub.messages import (
    ButtonPressed,
    CallEvent,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    OutsideEvent,
    PeerChange,
    PeerEvent,
    Reaction,
)


def record_arrival(uow: UnitOfWork, command: RecordArrival) -> bool:
    """Record one arrival that is not a message; False where it was known already."""
    arrival = command.arrival
    key = getattr(arrival, "dedupe_key", "")
    if key:
        fresh = uow.conn.execute(
            upsert(uow.dialect, arrivals)
            .values(account_id=command.account_id, dedupe_key=bounded_key(key), at=uow.now)
            .on_conflict_do_nothing()
            .returning(arrivals.c.dedupe_key)
        ).first()
        if fresh is None:
            return False
    if isinstance(arrival, MessageEdited | MessageDeleted | Reaction):
        record_edit(uow, command.account_id, arrival)
    elif isinstance(arrival, ButtonPressed):
        _pressed(uow, command, arrival)
    elif isinstance(arrival, CallEvent):
        record_call(uow, command, arrival)
    elif isinstance(arrival, PeerEvent):
        _peer(uow, command, arrival)
    elif isinstance(arrival, OutsideEvent):
        record_outside(uow, command, arrival)
    return True


def _pressed(uow: UnitOfWork, command: RecordArrival, arrival: ButtonPressed) -> None:
    """A pressed button is the person's word: it stands in the dialog like a message."""
    message = find_message(uow, command.account_id, arrival.external_id, lock=False)
    thread_key, group = arrival.thread_key, arrival.group
    if message is not None:
        place = uow.conn.execute(
            select(dialogs.c.thread_key, dialogs.c.is_group).where(
                dialogs.c.id == message.dialog_id
            )
        ).first()
        if place is not None:
            thread_key, group = thread_key or place.thread_key, group or place.is_group
    given = receive(
        uow,
        Receive(
            actor=command.actor,
            account_id=command.account_id,
            message=InboundMessage(
                dedupe_key=f"button:{arrival.dedupe_key}",
                external_id=arrival.press_id,
                sender=arrival.sender,
                text=arrival.label or _label(message, arrival.payload) or arrival.payload,
                sent_at=arrival.at,
                in_reply_to=arrival.external_id,
                thread_key=thread_key,
                group=group,
            ),
            hint=DialogId(message.dialog_id) if message is not None else DialogId(0),
        ),
    )
    _mark(uow, given.message_id, "in", {"button": arrival.payload[:400]})
    uow.record(
        ButtonWasPressed(
            message_id=MessageId(message.id if message is not None else given.message_id),
            dialog_id=given.dialog_id,
            contact_id=given.contact_id,
            payload=arrival.payload[:400],
        )
    )


def _label(message: Row[Any] | None, payload: str) -> str:
    """Give what stood on the button, where the provider tells its payload only."""
    for one in message.extra.get("buttons", ()) if message is not None else ():
        if one[1] == payload:
            return str(one[0])
    return ""


def _mark(uow: UnitOfWork, message_id: int, direction: str, extra: dict[str, Any]) -> None:
    uow.conn.execute(
        update(messages).where(messages.c.id == message_id).values(direction=direction, extra=extra)
    )


def _peer(uow: UnitOfWork, command: RecordArrival, arrival: PeerEvent) -> None:
    """Who blocks us cannot be written to; who comes or goes in a group is an entry there."""
    if arrival.thread_key and arrival.change in (PeerChange.JOINED, PeerChange.LEFT):
        given = receive(
            uow,
            Receive(
                actor=command.actor,
                account_id=command.account_id,
                message=InboundMessage(
                    dedupe_key=f"peer:{arrival.dedupe_key}",
                    external_id="",
                    sender=arrival.sender,
                    sent_at=arrival.at,
                    thread_key=arrival.thread_key,
                    group=True,
                    automated=True,
                    text=arrival.text,
                ),
            ),
        )
        _mark(uow, given.message_id, "in", {"peer": arrival.change.value})
        return
    peer = identify(uow, [arrival.sender])[arrival.sender.kind, arrival.sender.value]
    if arrival.change is PeerChange.MOVED:
        move_address(uow, command.account_id, peer.address_id, arrival)
        return
    gone = arrival.change in (PeerChange.BLOCKED, PeerChange.LEFT)
    set_state(uow, peer.address_id, command.account_id, BLOCKED if gone else ALLOWED, arrival.at)
