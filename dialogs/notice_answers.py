"""What comes back on letters to colleagues is no customer's: it opens no dialog and makes no client.

An answer names the letter that it answers. An absence note may name nothing: it says of itself that
no person wrote it, and comes from a colleague who had such a letter lately. Both are kept as refused
input, so that nothing vanishes silently. Reports of failed delivery are receipts and never get here.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from crm_store.accounts import quarantine_input
from crm_store.mailboxes import EMAIL
from crm_store.tables.dialogs import arrivals
from crm_store.tables.outbox import TO_COLLEAGUES, deliveries, parts
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from dialogs.matching import references_of
from hub.commands import Quarantine, Receive
from hub.ids import MessageId
from hub.terms import fold

LATELY_US = 14 * 86_400_000_000


def refuse_answers(
    uow: UnitOfWork, commands: Sequence[Receive], fresh: dict[int, MessageId]
) -> list[int]:
    """Refuse what answers letters to colleagues; gives which. The key stays claimed."""
    letters = {n: commands[n] for n in fresh if commands[n].message.sender.kind == EMAIL}
    refused = sorted(_answers(uow, letters) | _from_machines(uow, letters))
    if not refused:
        return []
    uow.conn.execute(
        update(arrivals)
        .where(arrivals.c.message_id.in_([fresh[n] for n in refused]))
        .values(message_id=0)
    )
    for n in refused:
        message = commands[n].message
        quarantine_input(
            uow,
            Quarantine(
                account_id=commands[n].account_id,
                raw=message.raw or message.text.encode(),
                error="an answer to a letter to a colleague",
                source="dropped",
            ),
        )
    return refused


def _answers(uow: UnitOfWork, letters: dict[int, Receive]) -> set[int]:
    names = {n: references_of(one) for n, one in letters.items()}
    asked = sorted({name for some in names.values() for name in some})
    if not asked:
        return set()
    rows = uow.conn.execute(
        select(parts.c.account_id, parts.c.external_id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(parts.c.external_id.in_(asked), TO_COLLEAGUES)
        .where(parts.c.account_id.in_({one.account_id for one in letters.values()}))
    )
    ours = {(row.account_id, row.external_id) for row in rows}
    if not ours:
        return set()
    return {
        n
        for n, some in names.items()
        if any((letters[n].account_id, name) in ours for name in some)
    }


def _from_machines(uow: UnitOfWork, letters: dict[int, Receive]) -> set[int]:
    automatic = {
        n: fold(one.message.sender.value)
        for n, one in letters.items()
        if one.message.automated and one.message.sender.value and not references_of(one)
    }
    if not automatic:
        return set()
    rows = uow.conn.execute(
        select(users.c.email_folded)
        .join(deliveries, deliveries.c.user_id == users.c.id)
        .where(
            users.c.email_folded.in_(set(automatic.values())),
            TO_COLLEAGUES,
            deliveries.c.created_at > uow.now - LATELY_US,
        )
    )
    known = set(rows.scalars())
    return {n for n, address in automatic.items() if address in known}
