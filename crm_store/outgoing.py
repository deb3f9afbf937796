"""Reading one delivery as the message that a channel will send."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import BigInteger, BindParameter, Connection, Row, bindparam, func, select

from crm_store.tables.dialogs import attachments, bodies, dialogs, messages
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
_MESSAGE = select(messages).where(messages.c.id == _KEY)
_ITS_DIALOG = select(dialogs).where(dialogs.c.id == _KEY)
_ADDRESS = select(addresses).where(addresses.c.id == _KEY)
_BODY = select(bodies).where(bodies.c.message_id == _KEY)
_TITLE = select(accounts.c.title).where(accounts.c.id == _KEY)
_FILES = select(attachments).where(attachments.c.message_id == _KEY).order_by(attachments.c.id)
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
    select(messages.c.external_id)
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
    message = conn.execute(_MESSAGE, {"key": row.message_id}).first()
    dialog = conn.execute(_ITS_DIALOG, {"key": row.dialog_id}).first()
    if message is None or dialog is None or message.deleted_at:
        raise PermanentFailure(RejectReason.OTHER, "the message was deleted")
    address = conn.execute(_ADDRESS, {"key": row.address_id}).first()
    if address is None:
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, "the address is gone")
    body = conn.execute(_BODY, {"key": message.id}).first()
    kind = address.kind

    def people(field: str) -> tuple[Address, ...]:
        return tuple(
            Address(kind=kind, value=value, name=name)
            for value, name in message.people.get(field, ())
        )

    to = people("to")
    quoted = _quoted(conn, message)
    account = conn.execute(_TITLE, {"key": row.account_id}).scalar()
    extra: dict[str, Any] = message.extra
    return (
        OutboundMessage(
            id=delivery_id,
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
            in_reply_to=quoted or _newest_in(conn, message),
            quotes=quoted,
            thread_external_ids=_thread(conn, dialog.id, message),
            dialog_token=signer.sign("dialog", str(dialog.id)),
            attachments=tuple(
                Attachment(
                    name=one.name,
                    media_type=one.media_type,
                    size=one.size,
                    reference=one.blob_id,
                    content_id=one.content_id,
                )
                for one in conn.execute(_FILES, {"key": message.id})
            ),
            buttons=tuple(
                Button(label=one[0], payload=one[1], url=one[2]) for one in extra.get("buttons", ())
            ),
            template=extra.get("template", ""),
            template_language=extra.get("template_language", ""),
            template_reference=_reference(conn, row.account_id, extra),
            template_values=extra.get("template_values", {}),
            lane=(Lane.AGENT, Lane.TRIGGER, Lane.MAILING)[row.lane],
            idempotency_key=f"{delivery_id}",
            automated=message.automated,
            sender_name=message.author_name or account or "",
            cause=cause_from(message.cause),
        ),
        row.attempts,
        row.created_at,
    )


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


def _newest_in(conn: Connection, message: Row[Any]) -> str:
    given = {"dialog": message.dialog_id, "key": message.id}
    found = conn.execute(_NEWEST_IN, given).scalar()
    return str(found or "")


def _thread(conn: Connection, dialog_id: int, message: Row[Any]) -> tuple[str, ...]:
    """Give the external ids of the thread so far, oldest first: theirs and ours."""
    rows = conn.execute(_THREAD, {"dialog": dialog_id, "key": message.id}).scalars().all()
    return tuple(reversed(rows))


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


def parts_of(conn: Connection, message_id: MessageId) -> tuple[str, ...]:
    """Give the external ids of a message of ours."""
    rows = conn.execute(
        select(parts.c.external_id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(deliveries.c.message_id == message_id)
        .order_by(parts.c.part)
    )
    return tuple(rows.scalars())
