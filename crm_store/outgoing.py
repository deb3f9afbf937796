"""Reading one delivery as the message that a channel will send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    select,
)

from crm_store.rows import among, listed
from crm_store.tables.dialogs import attachments, bodies, dialogs, messages
from crm_store.tables.many import many_steps
from crm_store.tables.outbox import attempts, deliveries, parts
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, templates
from crm_store.unit_of_work import cause_from
from hub.errors import NotFound, PermanentFailure, RejectReason
from hub.ids import AccountId, DeliveryId, DialogId, MessageId, Micros
from hub.messages import Address, Attachment, Button, Lane, OutboundMessage

THREAD = 20
UNSURE = "unsure:"
"""Begins the code of an attempt that may have reached the provider though it was queued again."""

# Made once: every answer that leaves asks them.
_KEY: BindParameter[int] = bindparam("key", type_=BigInteger)
_DIALOG: BindParameter[int] = bindparam("dialog", type_=BigInteger)
_DELIVERY = select(deliveries).where(deliveries.c.id == _KEY)
_NEWEST_IN = (
    select(messages.c.external_id)
    .where(
        messages.c.dialog_id == _DIALOG,
        messages.c.direction == "in",
        messages.c.id < _KEY,
        messages.c.external_id != "",
    )
    .order_by(messages.c.at.desc())
    .limit(1)
)
_THREAD = (
    select(messages.c.external_id, messages.c.direction)
    .where(
        messages.c.dialog_id == _DIALOG,
        messages.c.id < _KEY,
        messages.c.direction.in_(("in", "out")),
        messages.c.external_id != "",
    )
    .order_by(messages.c.at.desc(), messages.c.id.desc())
    .limit(THREAD)
)


class Signer(Protocol):
    """What makes the token of a dialog."""

    def sign(self, purpose: str, value: str) -> str:
        """Make an unguessable token over a value."""


def outgoing(
    conn: Connection, delivery_id: DeliveryId, signer: Signer
) -> tuple[OutboundMessage, int, int]:
    """Give the message of a delivery, how often it was tried, and when it was made."""
    row = conn.execute(_DELIVERY, {"key": delivery_id}).first()
    if row is None:
        raise NotFound("there is no such delivery")
    message = outgoing_many(conn, [row], signer)[row.id]
    if isinstance(message, Exception):
        raise message
    return message, row.attempts, row.created_at


def outgoing_many(
    conn: Connection, rows: Sequence[Row[Any]], signer: Signer
) -> dict[int, OutboundMessage | PermanentFailure]:
    """Give the messages of deliveries by the deliveries' ids, or why one cannot leave any more."""
    talks = _by_id(conn, dialogs.c.id, (row.dialog_id for row in rows))
    said = _by_id(conn, messages.c.id, (row.message_id for row in rows))
    people = _by_id(conn, addresses.c.id, (row.address_id for row in rows))
    words = _by_id(conn, bodies.c.message_id, said)
    senders = _by_id(conn, accounts.c.id, (row.account_id for row in rows), accounts.c.title)
    files: dict[int, list[Attachment]] = {}
    if said:
        given = {"b_ids": listed(conn.dialect.name, said)}
        for one in conn.execute(_files(conn.dialect.name), given):
            files.setdefault(one.message_id, []).append(
                Attachment(
                    name=one.name,
                    media_type=one.media_type,
                    size=one.size,
                    reference=one.blob_id,
                    content_id=one.content_id,
                )
            )
    found: dict[int, OutboundMessage | PermanentFailure] = {}
    for row in rows:
        message, dialog = said.get(row.message_id), talks.get(row.dialog_id)
        address = people.get(row.address_id)
        if message is None or dialog is None or message.deleted_at:
            found[row.id] = PermanentFailure(RejectReason.OTHER, "the message was deleted")
        elif address is None:
            found[row.id] = PermanentFailure(RejectReason.INVALID_ADDRESS, "the address is gone")
        else:
            sender = senders.get(row.account_id)
            found[row.id] = _message(
                conn,
                row,
                message,
                dialog,
                address,
                body=words.get(message.id),
                title=sender.title if sender is not None else "",
                files=files.get(message.id, ()),
                token=signer.sign("dialog", str(dialog.id)),
            )
    return found


def _message(
    conn: Connection,
    row: Row[Any],
    message: Row[Any],
    dialog: Row[Any],
    address: Row[Any],
    *,
    body: Row[Any] | None,
    title: str,
    files: Sequence[Attachment],
    token: str,
) -> OutboundMessage:
    kind = address.kind

    def people(field: str) -> tuple[Address, ...]:
        return tuple(
            Address(kind=kind, value=value, name=name)
            for value, name in message.people.get(field, ())
        )

    to = people("to")
    quoted = _quoted(conn, message)
    newest_in, thread = _thread(conn, message)
    extra: dict[str, Any] = message.extra
    return OutboundMessage(
        id=DeliveryId(row.id),
        message_id=MessageId(message.id),
        dialog_id=DialogId(dialog.id),
        account_id=AccountId(row.account_id),
        to=to[0] if to else Address(kind=kind, value=address.value, name=address.name),
        cc=people("cc"),
        bcc=people("bcc"),
        text=(body.full_text if body is not None else "") or message.text,
        html=body.html if body is not None else "",
        subject=message.subject or dialog.subject,
        thread_key=dialog.thread_key,
        in_reply_to=quoted or newest_in,
        quotes=quoted,
        thread_external_ids=thread,
        dialog_token=token,
        attachments=tuple(files),
        buttons=tuple(
            Button(label=one[0], payload=one[1], url=one[2]) for one in extra.get("buttons", ())
        ),
        template=extra.get("template", ""),
        template_language=extra.get("template_language", ""),
        template_reference=_reference(conn, row.account_id, extra),
        template_values=extra.get("template_values", {}),
        lane=(Lane.AGENT, Lane.TRIGGER, Lane.MAILING)[row.lane],
        idempotency_key=f"{row.id}",
        automated=message.automated,
        sender_name=message.author_name or title,
        cause=cause_from(message.cause),
    )


def _by_id(
    conn: Connection,
    key: Column[int],
    ids: Iterable[int],
    *columns: Column[Any],
) -> dict[int, Row[Any]]:
    """Give rows by this key, or these columns of them."""
    wanted = sorted({one for one in ids if one})
    if not wanted:
        return {}
    given = {"b_ids": listed(conn.dialect.name, wanted)}
    rows = conn.execute(_rows(conn.dialect.name, key, columns), given)
    return {getattr(row, str(key.key)): row for row in rows}


@cache
def _rows(dialect: str, key: Column[int], columns: tuple[Column[Any], ...]) -> Select[Any]:
    asked = (key, *columns) if columns else (key.table,)
    return select(*asked).where(among(dialect, key, "b_ids"))


@cache
def _files(dialect: str) -> Select[Any]:
    mine = among(dialect, attachments.c.message_id, "b_ids")
    return select(attachments).where(mine).order_by(attachments.c.id)


def _reference(conn: Connection, account_id: int, extra: dict[str, Any]) -> str:
    """Give the provider's own name of a template."""
    if not extra.get("template"):
        return ""
    found = conn.execute(
        select(templates.c.reference).where(
            templates.c.account_id == account_id,
            templates.c.name == extra["template"],
            templates.c.language == extra.get("template_language", ""),
        )
    ).scalar()
    return str(found or "")


def _quoted(conn: Connection, message: Row[Any]) -> str:
    """Give the external id of the message that the author named to answer it.

    A pressed button is a message with few vendors; elsewhere that whose button it was is quoted.
    """
    if not message.reply_to:
        return ""
    named = select(messages.c.external_id, messages.c.reply_to, messages.c.extra)
    found = conn.execute(named.where(messages.c.id == message.reply_to)).first()
    if found is not None and not found.external_id and "button" in found.extra:
        found = conn.execute(named.where(messages.c.id == found.reply_to)).first()
    return str(found.external_id) if found is not None else ""


def _thread(conn: Connection, message: Row[Any]) -> tuple[str, tuple[str, ...]]:
    """Give the external id of their newest message, and those of the thread so far, oldest first:
    theirs and ours."""
    given = {"dialog": message.dialog_id, "key": message.id}
    rows = conn.execute(_THREAD, given).all()
    newest = next((name for name, direction in rows if direction == "in"), "")
    if not newest and len(rows) == THREAD:
        newest = str(conn.execute(_NEWEST_IN, given).scalar() or "")
    return newest, tuple(name for name, _ in reversed(rows))


def unsure_since(conn: Connection, delivery_id: DeliveryId) -> Micros:
    """Give when the oldest attempt began that may have reached the provider; NEVER without one.

    Attempts before the delivery was given up as unknown do not count: whoever sent it again
    after that knew it.
    """
    given_up = (
        select(func.coalesce(func.max(attempts.c.n), 0))
        .where(attempts.c.delivery_id == delivery_id, attempts.c.outcome == "unknown")
        .scalar_subquery()
    )
    found = conn.execute(
        select(func.min(attempts.c.started_at)).where(
            attempts.c.delivery_id == delivery_id,
            attempts.c.n > given_up,
            attempts.c.code.startswith(UNSURE, autoescape=True),
        )
    ).scalar()
    return Micros(found or 0)


def trying_since(conn: Connection, delivery_ids: Iterable[int]) -> dict[int, int]:
    """Give when those deliveries were first tried that were: what waited before is no trying.

    What was tried on another way, or before somebody asked for it once more, does not count.
    """
    given = {"b_ids": listed(conn.dialect.name, delivery_ids)}
    return dict(conn.execute(_trying_since(conn.dialect.name), given).all())


@cache
def _trying_since(dialect: str) -> Select[Any]:
    ended = attempts.alias("ended")
    last = (
        select(func.coalesce(func.max(ended.c.n), 0))
        .where(ended.c.delivery_id == attempts.c.delivery_id, ended.c.outcome != "queued")
        .scalar_subquery()
    )
    moved = (
        select(func.coalesce(func.max(many_steps.c.at), 0))
        .where(many_steps.c.delivery_id == attempts.c.delivery_id)
        .scalar_subquery()
    )
    return (
        select(attempts.c.delivery_id, func.min(attempts.c.started_at))
        .where(
            among(dialect, attempts.c.delivery_id, "b_ids"),
            attempts.c.n > last,
            attempts.c.started_at >= moved,
        )
        .group_by(attempts.c.delivery_id)
    )


def parts_of(conn: Connection, message_id: MessageId) -> tuple[str, ...]:
    """Give the external ids of a message of ours."""
    rows = conn.execute(
        select(parts.c.external_id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(deliveries.c.message_id == message_id)
        .order_by(parts.c.part)
    )
    return tuple(rows.scalars())
