"""Sending: from an agent's (or a rule's) words to a row in the outbox, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from crm_store import lead_answers, request_deadlines
from crm_store.card_files import CARD
from crm_store.rows import among, insert_rows, listed
from crm_store.search_index import index_messages
from crm_store.sql import upsert
from crm_store.tables.dialogs import (
    attachments,
    bodies,
    drafts,
    messages,
    participants,
)
from crm_store.tables.outbox import TO_ONE, deliveries
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, users
from crm_store.unit_of_work import UnitOfWork, cause_data
from dialogs.access import change_dialogs, lock_dialogs
from dialogs.limits import check_send, fill_template
from dialogs.loops import guard_advertising, guard_automatic
from dialogs.workflow import set_assignee, set_status
from hub.commands import SendMessage
from hub.errors import Conflict, Invalid
from hub.events import MessageQueued
from hub.formatting import formatted
from hub.ids import ContactId, DeliveryId, DialogId, MessageId, UserId, bounded_key
from hub.messages import DeliveryStatus
from hub.objects import ActorKind

PREVIEW = 160
Asked = tuple[UnitOfWork, SendMessage]

# Made once: every answer asks them.
_ID: BindParameter[int] = bindparam("b_id", type_=BigInteger)
AUTHOR = select(users.c.name).where(users.c.id == _ID)
DONE_DRAFT = delete(drafts).where(
    drafts.c.user_id == bindparam("b_user"), drafts.c.dialog_id == bindparam("b_dialog")
)


@dataclass(slots=True)
class Answer:
    """An answer that is being put in the outbox, with what is known around it."""

    uow: UnitOfWork
    command: SendMessage
    key: str
    dialog: Row[Any]
    account: Row[Any]
    address: Row[Any] | None
    files: list[Row[Any]] = field(default_factory=list)
    message_id: MessageId = MessageId(0)
    delivery_id: DeliveryId = DeliveryId(0)


def send_message(uow: UnitOfWork, command: SendMessage) -> MessageId:
    """Put an answer in the outbox; a repeated idempotency key gives the first message again."""
    return send_messages([(uow, command)])[0]


def send_messages(asked: Sequence[Asked]) -> list[MessageId]:
    """Put answers in the outbox together, each for its own actor, in one transaction.

    What two answers to one dialog or person ask depends on the first: then each goes alone.
    """
    keys = [_key(*one) for one in asked]
    earlier = _earlier(asked[0][0], keys)
    answers = {
        one.key: one
        for one in _around(
            [(*one, key) for one, key in zip(asked, keys, strict=True) if key not in earlier]
        )
    }
    whose = Counter(one.dialog.contact_id for one in answers.values())
    if len(asked) > 1 and (len({*earlier, *answers}) < len(asked) or len(whose) < len(answers)):
        return [send_message(*one) for one in asked]
    guard_automatic([(one.uow, one.command, one.dialog) for one in answers.values()])
    for one in answers.values():
        _ready(one)
    _write(list(answers.values()))
    return [answers[key].message_id if key in answers else earlier[key] for key in keys]


def _earlier(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, MessageId]:
    """Give what was put in the outbox under these keys before."""
    given = {"b_keys": listed(uow.dialect, keys)}
    return {
        key: MessageId(number) for key, number in uow.conn.execute(_under_keys(uow.dialect), given)
    }


def _around(asked: Sequence[tuple[UnitOfWork, SendMessage, str]]) -> list[Answer]:
    """Lock the dialogs of answers, and read what is asked around them."""
    if not asked:
        return []
    locked_dialogs = lock_dialogs([(uow, command.dialog_id) for uow, command, _ in asked])
    uow = asked[0][0]

    def read(statement: Select[Any], ids: Iterable[int]) -> dict[int, Row[Any]]:
        given = {"b_ids": listed(uow.dialect, sorted(set(ids)))}
        return {row.id: row for row in uow.conn.execute(statement, given)}

    by = read(_accounts(uow.dialect), (one.account_id for one in locked_dialogs))
    to = read(_addresses(uow.dialect), (one.address_id for one in locked_dialogs))
    return [
        Answer(its, command, key, dialog, by[dialog.account_id], to.get(dialog.address_id))
        for (its, command, key), dialog in zip(asked, locked_dialogs, strict=True)
    ]


def _ready(one: Answer) -> None:
    """Refuse what may not be sent, and fill in what is."""
    uow, command, dialog = one.uow, one.command, one.dialog
    if one.account.removed:
        raise Conflict("the channel of this dialog was disconnected", what="account_removed")
    _guard(uow, command, dialog)
    guard_advertising(uow, command, dialog)
    _need_visible(uow, command.reply_to)
    one.files = files_of(uow, command.attachments)
    capabilities = uow.channels.of(one.account.channel, one.account.settings)
    if capabilities is not None:
        profile = one.address.profile if one.address is not None else None
        check_send(uow, command, dialog, capabilities, one.files, profile)
    one.command = fill_template(uow, command, dialog.account_id, capabilities)
    one.message_id = command.message_id or MessageId(uow.new_id())
    one.delivery_id = DeliveryId(uow.new_id())


def _write(answers: Sequence[Answer]) -> None:
    """Write answers, their deliveries and facts, and move their dialogs."""
    if not answers:
        return
    conn = answers[0].uow.conn
    insert_rows(conn, messages, [_message(one) for one in answers])
    insert_rows(
        conn,
        deliveries,
        [
            {
                "id": one.delivery_id,
                "message_id": one.message_id,
                "dialog_id": one.dialog.id,
                "account_id": one.dialog.account_id,
                "address_id": one.dialog.address_id,
                "lane": one.command.lane.order,
                "status": DeliveryStatus.QUEUED.value,
                "due_at": max(one.command.due_at, 0) or one.uow.now,
                "idempotency_key": one.key,
                "created_at": one.uow.now,
            }
            for one in answers
        ],
    )
    index_messages(
        conn, [(one.message_id, f"{one.command.subject}\n{one.command.text}") for one in answers]
    )
    for one in answers:
        _write_more(one)
        one.uow.record(
            MessageQueued(
                message_id=one.message_id,
                dialog_id=DialogId(one.dialog.id),
                account_id=one.dialog.account_id,
                contact_id=ContactId(one.dialog.contact_id),
                delivery_id=one.delivery_id,
                automated=one.command.automated,
                suggested=one.command.suggested[:200],
            )
        )
    _move_dialogs(answers)


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


def files_of(uow: UnitOfWork, ids: tuple[int, ...]) -> list[Row[Any]]:
    """Give the files that the actor put up for a message and that no other message has."""
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
        if row is None or row.message_id or row.state == CARD or not mine:
            raise Invalid("a file is gone or belongs to another message", field="attachments")
        found.append(row)
    return found


def _message(one: Answer) -> dict[str, Any]:
    """Give the row of an answer."""
    uow, command, dialog, address = one.uow, one.command, one.dialog, one.address
    due_at = max(command.due_at, 0)
    name = ""
    if uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
        name = str(uow.conn.execute(AUTHOR, {"b_id": uow.actor.id}).scalar() or "")
    to = command.to or address
    people: dict[str, Any] = {"to": [[to.value, to.name]] if to is not None else []}
    for kind, given in (("cc", command.cc), ("bcc", command.bcc)):
        if given:
            people[kind] = [[who.value, who.name] for who in given]
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
    return {
        "id": one.message_id,
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
    }


def _write_more(one: Answer) -> None:
    """Write what only some answers have: a body of their own, other people, files."""
    uow, command, dialog = one.uow, one.command, one.dialog
    if command.html or command.wire_text or command.wire_html:
        uow.conn.execute(
            insert(bodies).values(
                message_id=one.message_id,
                full_text=command.wire_text,
                html=command.wire_html or command.html,
                headers={},
            )
        )
    others = [who for who in (command.to, *command.cc, *command.bcc) if who is not None]
    if others and one.address is not None:
        uow.conn.execute(
            upsert(uow.dialect, participants).on_conflict_do_nothing(),
            [{"dialog_id": dialog.id, "kind": who.kind, "value": who.value} for who in others],
        )
    take_files(uow, one.files, one.message_id, dialog)


def take_files(uow: UnitOfWork, files: list[Row[Any]], message_id: int, dialog: Row[Any]) -> None:
    if files:
        # Since it was looked at, a card or another message may have taken one.
        free = (attachments.c.message_id == 0) & (attachments.c.state != CARD)
        taken = uow.conn.execute(
            update(attachments)
            .where(attachments.c.id.in_([one.id for one in files]), free)
            .values(message_id=message_id, dialog_id=dialog.id, account_id=dialog.account_id)
        )
        if taken.rowcount != len({one.id for one in files}):
            raise Invalid("a file is gone or belongs to another message", field="attachments")


def _move_dialogs(answers: Sequence[Answer]) -> None:
    """Show answers in the list, and do to each dialog what answering does."""
    moved: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for one in answers:
        values = _moved(one)
        moved.setdefault(tuple(values), []).append({"id": one.dialog.id, **values})
    for rows in moved.values():
        change_dialogs(answers[0].uow, rows)
    for one in answers:
        uow, command, dialog = one.uow, one.command, one.dialog
        if not command.automated:
            request_deadlines.answered(uow, dialog.id, one.message_id)
        if uow.actor.kind is ActorKind.USER:
            uow.conn.execute(DONE_DRAFT, {"b_user": uow.actor.id, "b_dialog": dialog.id})
            # Who answers first takes the dialog; nobody has to press one key more.
            if not dialog.assignee_id:
                set_assignee(uow, dialog, UserId(uow.actor.id), None)
        then = command.then or ("open" if dialog.status in ("new", "snoozed") else "")
        if then and not command.automated:
            set_status(uow, dialog, then)
    people = [one.dialog for one in answers if not one.command.automated]
    if people:
        lead_answers.answered(uow, [(one.id, one.contact_id) for one in people])


def _moved(one: Answer) -> dict[str, Any]:
    uow, command, dialog = one.uow, one.command, one.dialog
    capabilities = uow.channels.get(dialog.channel)
    words = command.text or command.subject
    if capabilities is not None and capabilities.formatting:
        words = formatted(words[: 2 * PREVIEW]).text
    line = " ".join(words.split())[:PREVIEW]
    values: dict[str, Any] = {
        "last_at": uow.now,
        "last_message_id": one.message_id,
        "last_direction": "out",
        "preview": line or "📎",
        "message_count": dialog.message_count + 1,
    }
    if not command.automated:
        values["waiting_since"] = 0
        if dialog.inbound_count and not dialog.first_response_at:
            values["first_response_at"] = uow.now
    return values


# -- statements, made once: every answer asks them -------------------------------------------------


@cache
def _under_keys(dialect: str) -> Select[Any]:
    mine = among(dialect, deliveries.c.idempotency_key, "b_keys")
    return select(deliveries.c.idempotency_key, deliveries.c.message_id).where(mine, TO_ONE)


@cache
def _accounts(dialect: str) -> Select[Any]:
    return select(accounts).where(among(dialect, accounts.c.id, "b_ids"))


@cache
def _addresses(dialect: str) -> Select[Any]:
    columns = (addresses.c.id, addresses.c.value, addresses.c.name, addresses.c.profile)
    return select(*columns).where(among(dialect, addresses.c.id, "b_ids"))
