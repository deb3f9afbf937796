"""What a person does to messages that are here: changes them, takes them back, reacts to them.

One that overtakes its message, ours before its send is settled or theirs before it came, is
parked, and merged when the message is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, insert, select, update

from crm_store.rows import among, listed
from crm_store.search_index import index_messages
from crm_store.tables.dialogs import (
    dialogs,
    message_versions,
    messages,
    parked_arrivals,
    reactions,
)
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog
from dialogs.lookup import find_message
from dialogs.receipts import lock_sent_names
from hub.events import MessageChanged
from hub.formatting import formatted
from hub.ids import DialogId, MessageId, bounded_key
from hub.messages import Address, MessageDeleted, MessageEdited, Reaction

Edit = MessageEdited | MessageDeleted | Reaction
PREVIEW = 160
MAX_TEXT = 1_000_000
US_WHO = "us"
"""Who reacted, where it was we: an account has one reaction to a message, whoever chose it."""


def record_edit(uow: UnitOfWork, account_id: int, arrival: Edit) -> bool:
    """Carry an edit, a delete or a reaction out; parked where its message is not here yet."""
    message = find_message(uow, account_id, arrival.external_id)
    if message is None:
        # It may be on its way in at this moment: whoever comes second sees what the first wrote.
        lock_sent_names(uow, [arrival.external_id])
        message = find_message(uow, account_id, arrival.external_id)
    if message is None:
        _park(uow, account_id, arrival)
        return False
    if message.deleted_at:
        return False
    if isinstance(arrival, MessageEdited):
        _edited(uow, message, arrival)
    elif isinstance(arrival, MessageDeleted):
        take_back(uow, message, arrival.at or uow.now, by_us=False)
    else:
        who = bounded_key(f"{arrival.sender.kind}:{arrival.sender.value}")
        put_reaction(uow, message, who, arrival.emoji, arrival.at)
    return True


def _park(uow: UnitOfWork, account_id: int, arrival: Edit) -> None:
    uow.conn.execute(
        insert(parked_arrivals).values(
            id=uow.new_id(),
            account_id=account_id,
            external_id=bounded_key(arrival.external_id),
            kind=type(arrival).__name__,
            payload=asdict(arrival),
            parked_at=uow.now,
        )
    )


def merge_parked(uow: UnitOfWork, account_id: int, external_ids: Sequence[str]) -> None:
    """Carry out what came before its message, in the order in which it came."""
    keys = [bounded_key(one) for one in external_ids if one]
    if not keys:
        return
    lock_sent_names(uow, keys)
    rows = uow.conn.execute(
        _parked_for(uow.dialect),
        {"b_account": account_id, "b_names": listed(uow.dialect, keys)},
    ).all()
    if not rows:
        return
    uow.conn.execute(
        delete(parked_arrivals).where(parked_arrivals.c.id.in_([row.id for row in rows]))
    )
    for row in rows:
        record_edit(uow, account_id, _unparked(row))


@cache
def _parked_for(dialect: str) -> Select[Any]:
    return (
        select(parked_arrivals)
        .where(
            parked_arrivals.c.account_id == bindparam("b_account"),
            among(dialect, parked_arrivals.c.external_id, "b_names"),
        )
        .order_by(parked_arrivals.c.id)
    )


def _unparked(row: Row[Any]) -> Edit:
    payload = dict(row.payload)
    if row.kind == Reaction.__name__:
        return Reaction(**{**payload, "sender": Address(**payload["sender"])})
    if row.kind == MessageDeleted.__name__:
        return MessageDeleted(**payload)
    return MessageEdited(**payload)


def changed(uow: UnitOfWork, message: Row[Any], what: str) -> None:
    """Put on record that a message changed, and move its dialog's version."""
    change_dialog(uow, message.dialog_id)
    uow.record(
        MessageChanged(
            message_id=MessageId(message.id), dialog_id=DialogId(message.dialog_id), what=what
        )
    )


def _edited(uow: UnitOfWork, message: Row[Any], arrival: MessageEdited) -> None:
    text = arrival.text[:MAX_TEXT].replace("\x00", "")
    if message.text == text:
        return
    if arrival.at and arrival.at < message.edited_at:
        # An older edit that was overtaken: a version of the past, not what stands there now.
        _keep_version(uow, message, text, arrival.at)
        changed(uow, message, "edited")
        return
    put_text(uow, message, text, arrival.at or uow.now)


def put_text(uow: UnitOfWork, message: Row[Any], text: str, at: int, **extra: Any) -> None:
    """Give a message another text; the one before stays as a version."""
    _keep_version(uow, message, message.text, message.edited_at or message.at)
    values: dict[str, Any] = {"text": text, "edited_at": at}
    if extra:
        values["extra"] = {**message.extra, **extra}
    uow.conn.execute(update(messages).where(messages.c.id == message.id).values(**values))
    index_messages(uow.conn, [(message.id, f"{message.subject}\n{text}")])
    shown = formatted(text[: 2 * PREVIEW]).text if message.extra.get("formatting") else text
    preview(uow, message, " ".join(shown.split())[:PREVIEW])
    changed(uow, message, "edited")


def _keep_version(uow: UnitOfWork, message: Row[Any], text: str, at: int) -> None:
    uow.conn.execute(
        insert(message_versions).values(id=uow.new_id(), message_id=message.id, text=text, at=at)
    )


def preview(uow: UnitOfWork, message: Row[Any], line: str) -> None:
    """Write a dialog's last line anew, where this message is its last."""
    last = uow.conn.execute(
        select(dialogs.c.last_message_id).where(dialogs.c.id == message.dialog_id)
    ).scalar()
    if last == message.id:
        change_dialog(uow, message.dialog_id, preview=line)


def take_back(uow: UnitOfWork, message: Row[Any], at: int, *, by_us: bool) -> None:
    """Mark a message as taken back at the person's end.

    Its text stays readable here for those who may see the dialog, since somebody may have acted
    on it; the list shows it no more.
    """
    if message.extra.get("taken_back"):
        return
    kept = {name: value for name, value in message.extra.items() if name != "act"}
    extra = {**kept, "taken_back": True, "taken_back_at": at, "taken_back_by_us": by_us}
    uow.conn.execute(update(messages).where(messages.c.id == message.id).values(extra=extra))
    preview(uow, message, "🗑")
    changed(uow, message, "taken_back")


def put_reaction(uow: UnitOfWork, message: Row[Any], who: str, emoji: str, at: int = 0) -> None:
    """Put somebody's reaction in the place of his earlier one; an empty one takes it away."""
    known = uow.conn.execute(
        select(reactions.c.emoji, reactions.c.at).where(
            reactions.c.message_id == message.id, reactions.c.who == who
        )
    ).first()
    if known is not None and at and known.at > at:
        return
    uow.conn.execute(
        delete(reactions).where(reactions.c.message_id == message.id, reactions.c.who == who)
    )
    if emoji:
        uow.conn.execute(
            insert(reactions).values(
                message_id=message.id, who=who, emoji=emoji[:40], at=at or uow.now
            )
        )
    changed(uow, message, "reaction")
