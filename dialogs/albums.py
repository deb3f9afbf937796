"""Albums: what a messenger sends as several messages becomes one entry with several files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from crm_store.search_index import index_messages
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import arrivals, attachments, blobs, message_aliases, messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.arrived import file_rows
from dialogs.edits import changed
from hub.commands import Receive
from hub.ids import ContactId, DialogId, MessageId, bounded_key
from hub.records.dialogs import Received


def _key(command: Receive) -> str:
    one = command.message
    place = f"{one.sender.kind}:{one.sender.value}:{one.thread_key}"
    return bounded_key(f"album:{place}:{one.album}")


def followers(
    uow: UnitOfWork, commands: Sequence[Receive], fresh: dict[int, MessageId]
) -> list[int]:
    """Take out of `fresh` the messages whose album has begun already; gives their places.

    The first message of an album claims its key as an arrival claims its own, so that two of
    them that come at once, in two processes, agree on which is the first.
    """
    later: list[int] = []
    leading: dict[tuple[int, str], int] = {}
    for n in sorted(fresh):
        if commands[n].message.album:
            key = (commands[n].account_id, _key(commands[n]))
            if key in leading:
                later.append(n)
            else:
                leading[key] = n
    if not leading:
        return []
    rows = uow.conn.execute(
        upsert(uow.dialect, arrivals)
        .on_conflict_do_nothing()
        .returning(arrivals.c.account_id, arrivals.c.dedupe_key),
        [
            {
                "account_id": key[0],
                "dedupe_key": key[1],
                "message_id": fresh[n],
                "at": uow.now,
            }
            for key, n in sorted(leading.items())
        ],
    )
    first = {(row.account_id, row.dedupe_key) for row in rows}
    later += [n for key, n in leading.items() if key not in first]
    for n in later:
        del fresh[n]
    return sorted(later)


def append(uow: UnitOfWork, command: Receive) -> Received | None:
    """Add a later message of an album to the entry of the first; None where that is gone."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(messages)
            .join(arrivals, arrivals.c.message_id == messages.c.id)
            .where(
                arrivals.c.account_id == command.account_id,
                arrivals.c.dedupe_key == _key(command),
            ),
        )
    ).first()
    uow.conn.execute(
        update(arrivals)
        .where(
            arrivals.c.account_id == command.account_id,
            arrivals.c.dedupe_key == bounded_key(command.message.dedupe_key),
        )
        .values(message_id=row.id if row is not None else 0)
    )
    if row is None:
        return None
    place = Received(
        message_id=MessageId(row.id),
        dialog_id=DialogId(row.dialog_id),
        contact_id=ContactId(row.contact_id),
        new=True,
    )
    if row.deleted_at:
        return place
    files, bytes_of = file_rows(uow, row.id, row.dialog_id, command)
    for table, rows in ((attachments, files), (blobs, bytes_of)):
        if rows:
            uow.conn.execute(insert(table), rows)
    if command.message.external_id:
        uow.conn.execute(
            upsert(uow.dialect, message_aliases)
            .values(
                account_id=command.account_id,
                external_id=bounded_key(command.message.external_id),
                message_id=row.id,
            )
            .on_conflict_do_nothing()
        )
    words = command.message.text.replace("\x00", "")
    if words:
        text = f"{row.text}\n{words}" if row.text else words
        values: dict[str, Any] = {"text": text}
        uow.conn.execute(update(messages).where(messages.c.id == row.id).values(**values))
        index_messages(uow.conn, [(row.id, f"{row.subject}\n{text}")])
    changed(uow, row, "album")
    return place
