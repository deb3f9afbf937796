"""What of a group of messages is new here: each dedupe key is claimed once, for good."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from crm_store.erasure import erased_at
from crm_store.rows import insert_returning
from crm_store.tables.dialogs import arrivals, messages
from crm_store.unit_of_work import UnitOfWork
from hub.commands import Receive
from hub.events import ArrivalRefused
from hub.ids import AccountId, ContactId, DialogId, MessageId, bounded_key
from hub.records.dialogs import Received

LATE_US = 60_000_000
"""What is older than this by its provider's clock tells of an earlier time."""


def claim_keys(uow: UnitOfWork, commands: Sequence[Receive]) -> dict[int, MessageId]:
    """Claim each new dedupe key; gives the message id of every command that is first."""
    first: dict[tuple[int, str], int] = {}
    for n, command in enumerate(commands):
        first.setdefault((command.account_id, bounded_key(command.message.dedupe_key)), n)
    ids = {key: MessageId(uow.new_id()) for key in first}
    rows = insert_returning(
        uow.conn,
        arrivals,
        [
            {"account_id": key[0], "dedupe_key": key[1], "message_id": ids[key], "at": uow.now}
            for key in sorted(first)
        ],
        "ON CONFLICT DO NOTHING RETURNING account_id, dedupe_key",
    )
    return {
        first[row.account_id, row.dedupe_key]: ids[row.account_id, row.dedupe_key] for row in rows
    }


def refuse_erased(
    uow: UnitOfWork, commands: Sequence[Receive], fresh: dict[int, MessageId]
) -> list[int]:
    """Refuse what an erased person wrote before the erasure, wherever it is read from again.

    A mailbox that is read anew, an older backup, another account over the same mailbox: each
    knows such messages under keys that we have never seen. Only the provider's own time can
    tell old from new, so a message without one is new. The key stays, as a tombstone.
    """
    old = {
        n: commands[n].message for n in fresh if 0 < commands[n].message.sent_at < uow.now - LATE_US
    }
    if not old:
        return []
    gone = erased_at(uow, [one.sender for one in old.values()])
    refused = [
        n
        for n, one in old.items()
        if one.sent_at <= gone.get((one.sender.kind, one.sender.value), 0)
    ]
    if refused:
        uow.conn.execute(
            update(arrivals)
            .where(arrivals.c.message_id.in_([fresh[n] for n in refused]))
            .values(message_id=0)
        )
        for n in refused:
            uow.record(ArrivalRefused(account_id=commands[n].account_id, reason="erased"))
    return refused


def places_of(
    uow: UnitOfWork, commands: Sequence[Receive]
) -> dict[tuple[AccountId, str], Received]:
    """Give where messages stand whose keys were claimed before."""
    found: dict[tuple[AccountId, str], Received] = {}
    for command in commands:
        key = (command.account_id, bounded_key(command.message.dedupe_key))
        row = uow.conn.execute(
            select(arrivals.c.message_id, messages.c.dialog_id, messages.c.contact_id)
            .outerjoin(messages, messages.c.id == arrivals.c.message_id)
            .where(arrivals.c.account_id == key[0], arrivals.c.dedupe_key == key[1])
        ).first()
        found[key] = Received(
            message_id=MessageId(row.message_id if row else 0),
            dialog_id=DialogId((row and row.dialog_id) or 0),
            contact_id=ContactId((row and row.contact_id) or 0),
            new=False,
        )
    return found
