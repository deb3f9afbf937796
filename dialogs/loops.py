"""Two machines never talk to each other for ever: the last guard before an automatic message.

Whoever sends automatically (a rule, a plugin, a survey) passes here. First, nothing automatic
answers what no person wrote (RFC 3834 section 2). Second, where the other side hides that it is
a machine, a ceiling of automatic messages per dialog and hour ends the talk.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from crm_store.consents import UNSUBSCRIBED, refusals
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.commands import SendMessage
from hub.errors import Conflict
from hub.objects import ActorKind

MOST_AN_HOUR = 10
MOST_A_DAY = 20
"""So many messages of rules reach one person in a day, by all rules and dialogs together."""
HOUR_US = 3_600_000_000


def guard_automatic(uow: UnitOfWork, command: SendMessage, dialog: Row[Any]) -> None:
    """Raise Conflict `automated` or `too_many_automatic` where a machine would go on for ever."""
    if not command.automated or command.service:
        return
    answered = command.reply_to or dialog.last_inbound_id
    by_machine = uow.conn.execute(
        select(messages.c.automated).where(messages.c.id == answered)
    ).scalar()
    if by_machine:
        raise Conflict("no person wrote the message that would be answered", what="automated")
    recent = uow.conn.execute(
        select(func.count()).where(
            messages.c.dialog_id == dialog.id,
            messages.c.direction == "out",
            messages.c.automated,
            messages.c.received_at > uow.now - HOUR_US,
        )
    ).scalar_one()
    if recent >= MOST_AN_HOUR:
        raise Conflict(
            "this dialog has had enough automatic messages for an hour", what="too_many_automatic"
        )
    if uow.actor.kind is ActorKind.RULE and _of_day(uow, dialog.contact_id) >= MOST_A_DAY:
        raise Conflict(
            "this person has had enough automatic messages for a day", what="too_many_automatic"
        )


def _of_day(uow: UnitOfWork, contact_id: int) -> int:
    """Count what rules said to a person in a day, in whatever dialog."""
    talks = select(dialogs.c.id).where(
        dialogs.c.contact_id == contact_id, dialogs.c.last_at > uow.now - 24 * HOUR_US
    )
    return int(
        uow.conn.execute(
            select(func.count()).where(
                messages.c.dialog_id.in_(talks),
                messages.c.at > uow.now - 24 * HOUR_US,
                messages.c.direction == "out",
                messages.c.automated,
                messages.c.author_kind == ActorKind.RULE.value,
            )
        ).scalar_one()
    )


def guard_advertising(uow: UnitOfWork, command: SendMessage, dialog: Row[Any]) -> None:
    """Raise Conflict `unsubscribed` or `no_consent` where a person may not be sent advertising."""
    if not command.advertising:
        return
    kind = uow.conn.execute(
        select(addresses.c.kind).where(addresses.c.id == dialog.address_id)
    ).scalar()
    pair = (dialog.contact_id, dialog.address_id)
    reason = refusals(
        uow.conn,
        [pair],
        channel=str(kind or ""),
        topic=command.topic,
        account_id=dialog.account_id,
    ).get(pair)
    if reason == UNSUBSCRIBED:
        raise Conflict("this person wants no advertising", what="unsubscribed")
    if reason:
        raise Conflict(
            f"this person did not consent to advertising here ({reason})", what="no_consent"
        )
