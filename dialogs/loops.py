"""Two machines never talk to each other for ever: the last guard before an automatic message.

Whoever sends automatically (a rule, a plugin, a survey) passes here. First, nothing automatic
answers what no person wrote (RFC 3834 section 2). Second, where the other side hides that it is
a machine, a ceiling of automatic messages per dialog and hour ends the talk.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from crm_store.tables.dialogs import messages
from crm_store.unit_of_work import UnitOfWork
from hub.commands import SendMessage
from hub.errors import Conflict

MOST_AN_HOUR = 10
HOUR_US = 3_600_000_000


def guard_automatic(uow: UnitOfWork, command: SendMessage, dialog: Row[Any]) -> None:
    """Raise Conflict `automated` or `too_many_automatic` where a machine would go on for ever."""
    if not command.automated:
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
