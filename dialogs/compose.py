"""Sending: from an agent's (or a rule's) words to a row in the outbox, in one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from crm_store import request_deadlines
from crm_store.notices import tell
from crm_store.search_index import index_messages
from crm_store.sql import upsert
from crm_store.tables.dialogs import (
    attachments,
    bodies,
    drafts,
    mentions,
    messages,
    participants,
)
from crm_store.tables.outbox import TO_ONE, deliveries
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, users
from crm_store.unit_of_work import UnitOfWork, cause_data
from dialogs.access import change_dialog, lock_dialog
from dialogs.limits import check_send, fill_template
from dialogs.loops import guard_advertising, guard_automatic
from dialogs.workflow import set_assignee, set_status
from hub.commands import AddNote, SendMessage
from hub.errors import Conflict, Invalid
from hub.events import MessageQueued, NoteAdded
from hub.formatting import formatted
from hub.ids import ContactId, DeliveryId, DialogId, MessageId, UserId, bounded_key
from hub.messages import DeliveryStatus
from hub.objects import ActorKind, Ref

PREVIEW = 160

# Made once: every answer asks them.
_ID: BindParameter[int] = bindparam("b_id", type_=BigInteger)
_EARLIER = select(deliveries.c.message_id).where(
    deliveries.c.idempotency_key == bindparam("b_key"), TO_ONE
)
_ACCOUNT = select(accounts).where(accounts.c.id == _ID)
_AUTHOR = select(users.c.name).where(users.c.id == _ID)
_ADDRESS = select(addresses.c.value, addresses.c.name, addresses.c.profile).where(
    addresses.c.id == _ID
)
_DONE_DRAFT = delete(drafts).where(
    drafts.c.user_id == bindparam("b_user"), drafts.c.dialog_id == bindparam("b_dialog")
)
_DONE_NOTE = _DONE_DRAFT.where(drafts.c.mode == "note")


def send_message(uow: UnitOfWork, command: SendMessage) -> MessageId:
    """Put an answer in the outbox; a repeated idempotency key gives the first message again."""
    key = _key(uow, command)
    earlier = uow.conn.execute(_EARLIER, {"b_key": key}).scalar()
    if earlier:
        return MessageId(earlier)
    dialog = lock_dialog(uow, command.dialog_id)
    account = uow.conn.execute(_ACCOUNT, {"b_id": dialog.account_id}).one()
    if account.removed:
        raise Conflict("the channel of this dialog was disconnected", what="account_removed")
    _guard(uow, command, dialog)
    guard_automatic(uow, command, dialog)
    guard_advertising(uow, command, dialog)
    _need_visible(uow, command.reply_to)
    files = _files(uow, command.attachments)
    address = uow.conn.execute(_ADDRESS, {"b_id": dialog.address_id}).first()
    capabilities = uow.channels.of(account.channel, account.settings)
    if capabilities is not None:
        profile = address.profile if address is not None else None
        check_send(uow, command, dialog, capabilities, files, profile)
    command = fill_template(uow, command, dialog.account_id, capabilities)
    message_id = command.message_id or MessageId(uow.new_id())
    due_at = max(command.due_at, 0)
    _insert(uow, command, dialog, address, message_id, due_at)
    delivery_id = DeliveryId(uow.new_id())
    uow.conn.execute(
        insert(deliveries),
        {
            "id": delivery_id,
            "message_id": message_id,
            "dialog_id": dialog.id,
            "account_id": dialog.account_id,
            "address_id": dialog.address_id,
            "lane": command.lane.order,
            "status": DeliveryStatus.QUEUED.value,
            "due_at": due_at or uow.now,
            "idempotency_key": key,
            "created_at": uow.now,
        },
    )
    _take_files(uow, files, message_id, dialog)
    index_messages(uow.conn, [(message_id, f"{command.subject}\n{command.text}")])
    uow.record(
        MessageQueued(
            message_id=message_id,
            dialog_id=DialogId(dialog.id),
            account_id=dialog.account_id,
            contact_id=ContactId(dialog.contact_id),
            delivery_id=delivery_id,
            automated=command.automated,
            suggested=command.suggested[:200],
        )
    )
    _move_dialog(uow, command, dialog, message_id)
    return message_id


def _key(uow: UnitOfWork, command: SendMessage) -> str:
    if command.idempotency_key:
        # A key is the caller's own: two users may use the same one.
        return bounded_key(f"{uow.actor}:{command.idempotency_key}", 200)
    return f"message:{command.message_id or uow.new_id()}"


def _need_visible(uow: UnitOfWork, message_id: int) -> None:
    """Whoever names a message that he may not see would learn from the thread what it is."""
    if message_id:
        seen = uow.conn.execute(
            select(messages.c.id).where(messages.c.id == message_id, uow.viewer.messages_clause())
        ).first()
        if seen is None:
            raise Invalid("there is no such message to answer", field="reply_to")


def _guard(uow: UnitOfWork, command: SendMessage, dialog: Row[Any]) -> None:
    if not command.seen_message_id or command.send_anyway:
        return
    newest = uow.conn.execute(
        select(func.count(), func.max(messages.c.id)).where(
            messages.c.dialog_id == dialog.id,
            messages.c.id > command.seen_message_id,
            messages.c.deleted_at == 0,
            (messages.c.direction == "in")
            | ((messages.c.direction == "out") & (messages.c.author_id != uow.actor.id)),
        )
    ).one()
    if newest[0]:
        raise Conflict(
            "something was written here since you began",
            what="newer_messages",
            details={"count": newest[0], "message_id": str(newest[1])},
        )


def _files(uow: UnitOfWork, ids: tuple[int, ...]) -> list[Row[Any]]:
    if not ids:
        return []
    rows = {
        row.id: row
        for row in uow.conn.execute(select(attachments).where(attachments.c.id.in_(ids)))
    }
    found = []
    for one in ids:
        row = rows.get(one)
        mine = row is not None and (row.user_id == uow.actor.id or uow.viewer.is_system)
        if row is None or row.message_id or not mine:
            raise Invalid("a file is gone or belongs to another message", field="attachments")
        found.append(row)
    return found


def _insert(
    uow: UnitOfWork,
    command: SendMessage,
    dialog: Row[Any],
    address: Row[Any, Any, Any] | None,
    message_id: MessageId,
    due_at: int,
) -> None:
    name = ""
    if uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
        name = str(uow.conn.execute(_AUTHOR, {"b_id": uow.actor.id}).scalar() or "")
    to = command.to or address
    people: dict[str, Any] = {"to": [[to.value, to.name]] if to is not None else []}
    for field, given in (("cc", command.cc), ("bcc", command.bcc)):
        if given:
            people[field] = [[one.value, one.name] for one in given]
    extra: dict[str, Any] = {}
    capabilities = uow.channels.get(dialog.channel)
    if command.reply_to and capabilities is not None and capabilities.replies:
        extra["replies"] = True
    if capabilities is not None and capabilities.formatting:
        extra["formatting"] = True
    if command.buttons:
        extra["buttons"] = [[one.label, one.payload, one.url] for one in command.buttons]
    if command.template:
        extra["template"] = command.template
        extra["template_language"] = command.template_language
        extra["template_values"] = dict(command.template_values)
    if command.changed_by:
        extra["changed_by"] = list(command.changed_by)
    if command.suggested:
        extra["suggested"] = command.suggested[:200]
    uow.conn.execute(
        insert(messages),
        {
            "id": message_id,
            "dialog_id": dialog.id,
            "account_id": dialog.account_id,
            "contact_id": dialog.contact_id,
            "direction": "out",
            "author_kind": uow.actor.kind.value,
            "author_id": uow.actor.id,
            "author_name": name or uow.actor.name,
            "text": command.text,
            "subject": command.subject[:400],
            "reply_to": command.reply_to,
            "at": max(due_at, uow.now),
            "received_at": uow.now,
            "status": DeliveryStatus.QUEUED.value,
            "due_at": due_at,
            "automated": command.automated,
            "has_html": bool(command.html),
            "has_quote": False,
            "people": people,
            "cause": cause_data(command.cause),
            "extra": extra,
        },
    )
    if command.html or command.wire_text or command.wire_html:
        uow.conn.execute(
            insert(bodies).values(
                message_id=message_id,
                full_text=command.wire_text,
                html=command.wire_html or command.html,
                headers={},
            )
        )
    others = [one for one in (command.to, *command.cc, *command.bcc) if one is not None]
    if others and address is not None:
        uow.conn.execute(
            upsert(uow.dialect, participants).on_conflict_do_nothing(),
            [{"dialog_id": dialog.id, "kind": one.kind, "value": one.value} for one in others],
        )


def _take_files(uow: UnitOfWork, files: list[Row[Any]], message_id: int, dialog: Row[Any]) -> None:
    if files:
        uow.conn.execute(
            update(attachments)
            .where(attachments.c.id.in_([one.id for one in files]))
            .values(message_id=message_id, dialog_id=dialog.id, account_id=dialog.account_id)
        )


def _move_dialog(
    uow: UnitOfWork, command: SendMessage, dialog: Row[Any], message_id: MessageId
) -> None:
    capabilities = uow.channels.get(dialog.channel)
    words = command.text or command.subject
    if capabilities is not None and capabilities.formatting:
        words = formatted(words[: 2 * PREVIEW]).text
    line = " ".join(words.split())[:PREVIEW]
    values: dict[str, Any] = {
        "last_at": uow.now,
        "last_message_id": message_id,
        "last_direction": "out",
        "preview": line or "📎",
        "message_count": dialog.message_count + 1,
    }
    if not command.automated:
        values["waiting_since"] = 0
        if dialog.inbound_count and not dialog.first_response_at:
            values["first_response_at"] = uow.now
        request_deadlines.answered(uow, dialog.id, message_id)
    change_dialog(uow, dialog.id, **values)
    if uow.actor.kind is ActorKind.USER:
        uow.conn.execute(_DONE_DRAFT, {"b_user": uow.actor.id, "b_dialog": dialog.id})
        # Who answers first takes the dialog; nobody has to press one key more.
        if not dialog.assignee_id:
            set_assignee(uow, dialog, UserId(uow.actor.id), None)
    then = command.then or ("open" if dialog.status in ("new", "snoozed") else "")
    if then and not command.automated:
        set_status(uow, dialog, then)


def _note_key(uow: UnitOfWork, command: AddNote) -> str:
    return bounded_key(f"note:{uow.actor}:{command.idempotency_key}")


def add_note(uow: UnitOfWork, command: AddNote) -> MessageId:
    """Write a note of a colleague."""
    if not command.text.strip() and not command.attachments:
        raise Invalid("the note is empty", field="text")
    dialog = lock_dialog(uow, command.dialog_id)
    if command.idempotency_key:
        earlier = uow.conn.execute(
            select(messages.c.id).where(
                messages.c.account_id == dialog.account_id,
                messages.c.external_id == _note_key(uow, command),
            )
        ).scalar()
        if earlier:
            return MessageId(earlier)
    files = _files(uow, command.attachments)
    message_id = command.message_id or MessageId(uow.new_id())
    name = uow.conn.execute(_AUTHOR, {"b_id": uow.actor.id}).scalar()
    uow.conn.execute(
        insert(messages),
        {
            "id": message_id,
            "dialog_id": dialog.id,
            "account_id": dialog.account_id,
            "contact_id": dialog.contact_id,
            "direction": "note",
            "author_kind": uow.actor.kind.value,
            "author_id": uow.actor.id,
            "author_name": name or uow.actor.name,
            "text": command.text,
            "external_id": _note_key(uow, command) if command.idempotency_key else "",
            "at": uow.now,
            "received_at": uow.now,
            "people": {},
            "cause": cause_data(command.cause),
            "extra": {"mentions": [str(one) for one in command.mentions]}
            if command.mentions
            else {},
        },
    )
    if command.mentions:
        uow.conn.execute(
            insert(mentions),
            [
                {"user_id": one, "message_id": message_id, "dialog_id": dialog.id}
                for one in dict.fromkeys(command.mentions)
            ],
        )
        ref = Ref(kind="dialog", id=dialog.id)
        tell(uow, command.mentions, "dialog.mentioned", ref, dialog_id=dialog.id)
    _take_files(uow, files, message_id, dialog)
    index_messages(uow.conn, [(message_id, command.text)])
    change_dialog(uow, dialog.id, message_count=dialog.message_count + 1)
    if uow.actor.kind is ActorKind.USER:
        # An answer that was begun before the note is still to come.
        uow.conn.execute(_DONE_NOTE, {"b_user": uow.actor.id, "b_dialog": dialog.id})
    uow.record(
        NoteAdded(message_id=message_id, dialog_id=DialogId(dialog.id), mentions=command.mentions)
    )
    return message_id
