"""Files of cards: what custom fields of type file hold.

A file is uploaded as one for a message is, and until a card takes it only who uploaded it can use
it. From then on no message can take it, and it is read by whoever sees the card. Its row and its
bytes go when no card holds it any more, and no merge that can be undone would bring it back.

Imports bring files too, and those that they replace stay until the import is taken back, or can be
no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    cast,
    delete,
    false,
    insert,
    or_,
    select,
    true,
    update,
)

from crm_store.blob_counts import drop_blobs
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.tables.dialogs import attachments, blobs
from crm_store.tables.imports import import_rows
from crm_store.tables.people import merges
from crm_store.unit_of_work import UnitOfWork
from hub.errors import Invalid
from hub.properties import CardFile
from hub.records.imports import GivenFile

TYPE = "file"
CARD = "card"
"""The state of a file that a card has."""
CHUNK = 400


def described(conn: Connection, ids: Collection[int]) -> dict[int, CardFile]:
    """Give what files are, by their ids."""
    columns = attachments.c
    found: dict[int, CardFile] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        for row in conn.execute(
            select(columns.id, columns.name, columns.size, columns.media_type).where(
                columns.id.in_(wanted[start : start + CHUNK])
            )
        ):
            found[row.id] = CardFile(**row._mapping)
    return found


def take(
    uow: UnitOfWork, values: Mapping[str, int], lent: Collection[int] = ()
) -> dict[int, CardFile]:
    """Let a card have files, by its fields' names; gives what they are.

    `lent` are files of another card that this one may hold too, as a merge's survivor does.
    """
    whose = true() if uow.viewer.is_system else attachments.c.user_id == uow.actor.id
    free: ColumnElement[bool] = and_(
        attachments.c.message_id == 0, attachments.c.state == "ready", whose
    )
    for name, file_id in values.items():
        if not file_id:
            continue
        usable = attachments.c.state == CARD if file_id in lent else free
        taken = uow.conn.execute(
            update(attachments)
            .where(attachments.c.id == file_id, usable)
            .values(state=CARD, dialog_id=0)
        )
        if not taken.rowcount:
            raise Invalid("the file is gone, or something else has it: upload it again", field=name)
    return described(uow.conn, {one for one in values.values() if one})


def keep(uow: UnitOfWork, file: GivenFile) -> CardFile:
    """Keep a file that a card brings with it; its bytes are kept already."""
    file_id = uow.new_id()
    blob_id, sha256, size = file.blob
    uow.conn.execute(
        insert(blobs).values(
            id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
        )
    )
    uow.conn.execute(
        insert(attachments).values(
            id=file_id,
            user_id=uow.actor.id,
            name=file.name[:400],
            media_type=file.media_type[:400],
            size=size,
            state=CARD,
            blob_id=blob_id,
            created_at=uow.now,
        )
    )
    return CardFile(id=file_id, name=file.name, size=size, media_type=file.media_type)


def held(
    uow: UnitOfWork, kind: str, object_ids: Sequence[int], field_ids: Sequence[int]
) -> set[int]:
    """Give the files that objects of a kind hold in some fields."""
    if not field_ids:
        return set()
    statement = select(custom_values.c.number).where(
        custom_values.c.kind == kind,
        custom_values.c.object_id.in_(object_ids),
        custom_values.c.field_id.in_(field_ids),
    )
    return set(uow.conn.execute(statement).scalars())


def of_cards(kind: str, object_ids: Sequence[int]) -> Select[tuple[int]]:
    """Select the files that objects of a kind hold."""
    fields = select(custom_fields.c.id).where(custom_fields.c.type == TYPE)
    return select(custom_values.c.number).where(
        custom_values.c.kind == kind,
        custom_values.c.object_id.in_(object_ids),
        custom_values.c.field_id.in_(fields),
    )


def replaced_in(conn: Connection, which: ColumnElement[bool]) -> set[int]:
    """Give the files that rows of imports brought, and those that they replaced."""
    rows = conn.execute(
        select(import_rows.c.before).where(which, import_rows.c.outcome == "updated")
    )
    return {
        one
        for row in rows
        for name, pair in row.before.items()
        if name.startswith("custom.")
        for one in pair
        if isinstance(one, int) and not isinstance(one, bool) and one > 0
    }


def named_in(kept: Mapping[str, Any]) -> Iterator[int]:
    """Give what may be files among the values that a merge keeps."""
    for values in (kept.get("before", {}), kept.get("set", {})):
        for one in values.values():
            if isinstance(one, int) and not isinstance(one, bool) and one > 0:
                yield one


def let_go(uow: UnitOfWork, kind: str, object_ids: Collection[int]) -> None:
    """Take away all files that cards of a kind hold."""
    ids = sorted(object_ids)
    fields = select(custom_fields.c.id).where(custom_fields.c.type == TYPE)
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        before: set[int] = set(uow.conn.scalars(of_cards(kind, some)))
        uow.conn.execute(
            delete(custom_values).where(
                custom_values.c.kind == kind,
                custom_values.c.object_id.in_(some),
                custom_values.c.field_id.in_(fields),
            )
        )
        release(uow, before)


def release(uow: UnitOfWork, ids: Collection[int]) -> None:
    """Remove those of some files that no card holds any more, and no merge would bring back."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        _release(uow, wanted[start : start + CHUNK])


def _release(uow: UnitOfWork, ids: Sequence[int]) -> None:
    of_cards = (attachments.c.state == CARD) & attachments.c.id.in_(ids)
    rows = uow.conn.execute(select(attachments.c.id, attachments.c.blob_id).where(of_cards))
    bytes_of = {row.id: row.blob_id for row in rows}
    if not bytes_of:
        return
    fields = select(custom_fields.c.id).where(custom_fields.c.type == TYPE)
    stay = set(
        uow.conn.execute(
            select(custom_values.c.number).where(
                custom_values.c.field_id.in_(fields), custom_values.c.number.in_(bytes_of)
            )
        ).scalars()
    )
    names = or_(
        false(), *(cast(merges.c.kept, String).contains(str(one)) for one in bytes_of.keys() - stay)
    )
    for kept in uow.conn.execute(select(merges.c.kept).where(merges.c.undone_at == 0, names)):
        stay.update(named_in(kept.kept))
    gone = bytes_of.keys() - stay
    uow.conn.execute(delete(attachments).where(attachments.c.id.in_(gone)))
    drop_blobs(uow, {bytes_of[one] for one in gone})
