"""What happens to messages that are already here: edits, deletes, reactions, buttons, calls."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm_store.search_index import index_messages
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import (
    arrivals,
    dialogs,
    message_versions,
    messages,
    reactions,
)
from crm_store.tables.outbox import deliveries, parts
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog
from dialogs.identity import identify
from dialogs.intake import receive
from hub.commands import Receive, RecordArrival
from hub.events import AddressChanged, ButtonWasPressed, CallChanged, MessageChanged
from hub.ids import AddressId, ContactId, DialogId, MessageId
from hub.messages import (
    ButtonPressed,
    CallEvent,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
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
            .values(account_id=command.account_id, dedupe_key=key[:400], at=uow.now)
            .on_conflict_do_nothing()
            .returning(arrivals.c.dedupe_key)
        ).first()
        if fresh is None:
            return False
    if isinstance(arrival, MessageEdited):
        _edited(uow, command, arrival)
    elif isinstance(arrival, MessageDeleted):
        _deleted(uow, command, arrival)
    elif isinstance(arrival, Reaction):
        _reacted(uow, command, arrival)
    elif isinstance(arrival, ButtonPressed):
        _pressed(uow, command, arrival)
    elif isinstance(arrival, CallEvent):
        _called(uow, command, arrival)
    elif isinstance(arrival, PeerEvent):
        _peer(uow, arrival)
    return True


def _find(uow: UnitOfWork, account_id: int, external_id: str) -> Row[Any] | None:
    """Find a message by its vendor's address: one that came in, or a part of one we sent."""
    key = external_id[:400]
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(messages).where(
                messages.c.account_id == account_id, messages.c.external_id == key
            ),
        )
    ).first()
    if row is not None:
        return row
    return uow.conn.execute(
        select(messages)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .join(parts, parts.c.delivery_id == deliveries.c.id)
        .where(parts.c.account_id == account_id, parts.c.external_id == key)
    ).first()


def _changed(uow: UnitOfWork, message: Row[Any], what: str) -> None:
    change_dialog(uow, message.dialog_id)
    uow.record(
        MessageChanged(
            message_id=MessageId(message.id), dialog_id=DialogId(message.dialog_id), what=what
        )
    )


def _edited(uow: UnitOfWork, command: RecordArrival, arrival: MessageEdited) -> None:
    message = _find(uow, command.account_id, arrival.external_id)
    if message is None or message.deleted_at or message.text == arrival.text:
        return
    uow.conn.execute(
        insert(message_versions).values(
            id=uow.new_id(), message_id=message.id, text=message.text, at=uow.now
        )
    )
    uow.conn.execute(
        update(messages)
        .where(messages.c.id == message.id)
        .values(text=arrival.text.replace("\x00", ""), edited_at=arrival.at or uow.now)
    )
    index_messages(uow.conn, [(message.id, f"{message.subject}\n{arrival.text}")])
    dialog = uow.conn.execute(
        select(dialogs.c.last_message_id).where(dialogs.c.id == message.dialog_id)
    ).scalar()
    if dialog == message.id:
        line = " ".join(arrival.text.split())[:160]
        change_dialog(uow, message.dialog_id, preview=line)
    _changed(uow, message, "edited")


def _deleted(uow: UnitOfWork, command: RecordArrival, arrival: MessageDeleted) -> None:
    message = _find(uow, command.account_id, arrival.external_id)
    if message is None:
        return
    # The customer took it back there; here it stays readable and is marked, since an agent
    # may have acted on it.
    extra = {**message.extra, "taken_back": True}
    uow.conn.execute(update(messages).where(messages.c.id == message.id).values(extra=extra))
    _changed(uow, message, "taken_back")


def _reacted(uow: UnitOfWork, command: RecordArrival, arrival: Reaction) -> None:
    message = _find(uow, command.account_id, arrival.external_id)
    if message is None:
        return
    who = f"{arrival.sender.kind}:{arrival.sender.value}"[:400]
    uow.conn.execute(
        delete(reactions).where(reactions.c.message_id == message.id, reactions.c.who == who)
    )
    if arrival.emoji:
        uow.conn.execute(
            insert(reactions).values(
                message_id=message.id, who=who, emoji=arrival.emoji[:40], at=arrival.at or uow.now
            )
        )
    _changed(uow, message, "reaction")


def _pressed(uow: UnitOfWork, command: RecordArrival, arrival: ButtonPressed) -> None:
    message = _find(uow, command.account_id, arrival.external_id)
    # A pressed button is the person's word: it stands in the dialog like a message.
    given = receive(
        uow,
        Receive(
            actor=command.actor,
            account_id=command.account_id,
            message=InboundMessage(
                dedupe_key=f"button:{arrival.dedupe_key}",
                external_id=f"button:{arrival.dedupe_key}",
                sender=arrival.sender,
                text=arrival.label or arrival.payload,
                sent_at=arrival.at,
                in_reply_to=arrival.external_id,
            ),
        ),
    )
    uow.record(
        ButtonWasPressed(
            message_id=MessageId(message.id if message is not None else given.message_id),
            dialog_id=given.dialog_id,
            contact_id=given.contact_id,
            payload=arrival.payload[:400],
        )
    )


def _called(uow: UnitOfWork, command: RecordArrival, arrival: CallEvent) -> None:
    key = f"call:{arrival.external_id}"[:400]
    row = _find(uow, command.account_id, key)
    extra = {
        "call": arrival.state,
        "direction": arrival.direction,
        "seconds": arrival.duration_seconds,
        "recording": arrival.recording,
    }
    if row is None:
        given = receive(
            uow,
            Receive(
                actor=command.actor,
                account_id=command.account_id,
                message=InboundMessage(
                    dedupe_key=key,
                    external_id=key,
                    sender=arrival.caller,
                    sent_at=arrival.at,
                    automated=arrival.state != "missed",
                ),
            ),
        )
        uow.conn.execute(
            update(messages)
            .where(messages.c.id == given.message_id)
            .values(direction="call", extra=extra)
        )
        message_id, dialog_id = given.message_id, given.dialog_id
    else:
        message_id, dialog_id = MessageId(row.id), DialogId(row.dialog_id)
        kept = {name: value for name, value in extra.items() if value}
        uow.conn.execute(
            update(messages).where(messages.c.id == row.id).values(extra={**row.extra, **kept})
        )
        change_dialog(uow, dialog_id)
    uow.record(
        CallChanged(
            message_id=message_id,
            dialog_id=dialog_id,
            account_id=command.account_id,
            state=arrival.state,
        )
    )


def _peer(uow: UnitOfWork, arrival: PeerEvent) -> None:
    peer = identify(uow, [arrival.sender])[arrival.sender.kind, arrival.sender.value]
    row = uow.conn.execute(
        select(addresses.c.profile).where(addresses.c.id == peer.address_id)
    ).one()
    gone = arrival.change in (PeerChange.BLOCKED, PeerChange.LEFT)
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == peer.address_id)
        .values(profile={**row.profile, "reachable": not gone})
    )
    uow.record(
        AddressChanged(
            address_id=AddressId(peer.address_id),
            contact_id=ContactId(peer.contact_id),
            what=arrival.change.value,
        )
    )
