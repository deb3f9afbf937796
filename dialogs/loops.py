"""Two machines never talk to each other for ever: the last guard before an automatic message.

Whoever sends automatically (a rule, a plugin, a survey) passes here. First, nothing automatic
answers what no person wrote (RFC 3834 section 2). Second, where the other side hides that it is
a machine, a ceiling of automatic messages per dialog and hour ends the talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from crm_store.consents import UNSUBSCRIBED
from crm_store.refusals import refusals
from crm_store.rows import numbered, numbers
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
GIVEN = ("n", "answered", "dialog", "contact")


def guard_automatic(asked: Sequence[tuple[UnitOfWork, SendMessage, Row[Any]]]) -> None:
    """Raise Conflict `automated` or `too_many_automatic` where a machine would go on for ever.

    Messages to different dialogs and people are asked about together.
    """
    asked = [one for one in asked if one[1].automated and not one[1].service]
    if not asked:
        return
    uow = asked[0][0]
    rows = [
        (n, command.reply_to or dialog.last_inbound_id, dialog.id, dialog.contact_id)
        for n, (_, command, dialog) in enumerate(asked)
    ]
    given = {
        **numbered(uow.dialect, GIVEN, rows),
        "b_hour": uow.now - HOUR_US,
        "b_day": uow.now - 24 * HOUR_US,
    }
    for n, by_machine, in_hour, in_day in sorted(uow.conn.execute(_said(uow.dialect), given).all()):
        if by_machine:
            raise Conflict("no person wrote the message that would be answered", what="automated")
        if in_hour >= MOST_AN_HOUR:
            raise Conflict(
                "this dialog has had enough automatic messages for an hour",
                what="too_many_automatic",
            )
        if asked[n][0].actor.kind is ActorKind.RULE and in_day >= MOST_A_DAY:
            raise Conflict(
                "this person has had enough automatic messages for a day",
                what="too_many_automatic",
            )


@cache
def _said(dialect: str) -> Select[Any]:
    """Ask for each automatic message whether a machine wrote what it answers, how many automatic
    messages its dialog had in an hour, and what rules said to its person in a day, in whatever
    dialog."""
    given = numbers(dialect, GIVEN)
    answered = select(messages.c.automated).where(messages.c.id == given.c.answered)
    in_hour = select(func.count()).where(
        messages.c.dialog_id == given.c.dialog,
        messages.c.direction == "out",
        messages.c.automated,
        messages.c.received_at > bindparam("b_hour"),
    )
    talks = select(dialogs.c.id).where(
        dialogs.c.contact_id == given.c.contact, dialogs.c.last_at > bindparam("b_day")
    )
    in_day = select(func.count()).where(
        messages.c.dialog_id.in_(talks.correlate(given)),
        messages.c.at > bindparam("b_day"),
        messages.c.direction == "out",
        messages.c.automated,
        messages.c.author_kind == ActorKind.RULE.value,
    )
    asked = [one.correlate(given).scalar_subquery() for one in (answered, in_hour, in_day)]
    return select(given.c.n, *asked)


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
