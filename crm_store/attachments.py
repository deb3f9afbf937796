"""Files of messages: what was uploaded, what was fetched or could not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    false,
    insert,
    or_,
    select,
    true,
    update,
)

from crm_store import objects
from crm_store.card_files import CARD, TYPE
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.tables.dialogs import attachments, blobs, dialogs, messages
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from hub.commands import FetchAttachment, SettleAttachment, UploadAttachment
from hub.errors import Conflict, NotFound
from hub.events import MessageChanged
from hub.ids import AttachmentId, DialogId, MessageId
from hub.nouns.dialogs import DIALOGS
from hub.records.dialogs import AttachmentRecord

UPLOADED_US = 86_400_000_000
"""So long an uploaded file waits for the message that takes it."""


def file_seen(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition over `attachments`: a file is seen by who sees the message that has it.

    It is not asked of the file's own row: what colleagues sent did not always name its account.
    """
    if not viewer.may(DIALOGS.read):
        return false()
    if viewer.sees_all_dialogs and not viewer.hidden_accounts:
        return true()
    its_message = select(messages.c.id).where(
        messages.c.id == attachments.c.message_id, viewer.messages_clause()
    )
    return its_message.correlate(attachments).exists()


def upload_attachment(uow: UnitOfWork, command: UploadAttachment) -> AttachmentId:
    """Keep an uploaded file until a message takes it; it may be for a dialog that is seen."""
    if command.dialog_id and not uow.viewer.is_system:
        seen = select(dialogs.c.id).where(
            dialogs.c.id == command.dialog_id, uow.viewer.dialogs_clause()
        )
        if uow.conn.execute(seen).first() is None:
            raise NotFound("there is no such dialog")
    attachment_id = AttachmentId(uow.new_id())
    blob_id, sha256, size = command.blob
    uow.conn.execute(
        insert(attachments).values(
            id=attachment_id,
            dialog_id=command.dialog_id,
            user_id=uow.actor.id,
            name=command.file.name[:400],
            media_type=command.file.media_type[:400],
            size=size,
            state="ready",
            blob_id=blob_id,
            created_at=uow.now,
        )
    )
    uow.conn.execute(
        insert(blobs).values(
            id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
        )
    )
    return attachment_id


def settle_attachment(uow: UnitOfWork, command: SettleAttachment) -> None:
    """Record that a referenced file was fetched, or could not be."""
    row = uow.conn.execute(
        select(attachments).where(attachments.c.id == command.attachment_id)
    ).first()
    if row is None:
        return
    blob_id, sha256, size = command.blob
    if blob_id:
        uow.conn.execute(
            insert(blobs).values(
                id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
            )
        )
        values: dict[str, Any] = {"state": "ready", "blob_id": blob_id, "size": size, "error": ""}
    else:
        values = {"state": "failed", "error": command.error[:400]}
    uow.conn.execute(update(attachments).where(attachments.c.id == row.id).values(**values))
    if row.message_id:
        _changed(uow, row)


def fetch_attachment(uow: UnitOfWork, command: FetchAttachment) -> None:
    """Let a file be asked for once more; who may not see it hears that there is none."""
    row = uow.conn.execute(
        select(attachments).where(
            attachments.c.id == command.attachment_id,
            attachments.c.message_id != 0,
            file_seen(uow.viewer),
        )
    ).first()
    if row is None:
        raise NotFound("there is no such file")
    if row.state != "failed" or not row.reference:
        raise Conflict("only a file that could not be fetched is fetched again", what="not_failed")
    uow.conn.execute(
        update(attachments).where(attachments.c.id == row.id).values(state="pending", error="")
    )
    _changed(uow, row)


def _changed(uow: UnitOfWork, row: Row[Any]) -> None:
    uow.record(
        MessageChanged(
            message_id=MessageId(row.message_id), dialog_id=DialogId(row.dialog_id), what="file"
        )
    )


def attachment_record(row: Row[Any]) -> AttachmentRecord:
    """Make the record of a file's row."""
    return AttachmentRecord(
        id=AttachmentId(row.id),
        message_id=MessageId(row.message_id),
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        state=row.state,
        content_id=row.content_id,
        inline=row.inline,
        error=row.error,
    )


def attachment(reader: Reader, attachment_id: AttachmentId) -> tuple[AttachmentRecord, str]:
    """Give a file's record and its blob; raises NotFound for what the viewer may not see.

    What the file hangs on decides: its message (a note too), the cards that hold it, and for an
    upload that nothing has taken who uploaded it. Pages, the API and plugins all ask here.
    """
    viewer = reader.viewer
    row = reader.conn.execute(
        select(attachments).where(
            attachments.c.id == attachment_id,
            or_(attachments.c.message_id == 0, file_seen(viewer)),
        )
    ).first()
    if row is None:
        raise NotFound("there is no such file")
    if row.state == CARD:
        seen = viewer.is_system or _card_seen(reader, row.id)
    else:
        seen = bool(row.message_id) or row.user_id == viewer.private_id or viewer.is_system
    if not seen:
        raise NotFound("there is no such file")
    return attachment_record(row), row.blob_id


def _card_seen(reader: Reader, file_id: int) -> bool:
    """Say whether the reader sees a card that holds a file."""
    own = (custom_fields.c.type == TYPE) & (custom_fields.c.archived_at == 0)
    cards = reader.conn.execute(
        select(custom_values.c.kind, custom_values.c.object_id)
        .join(custom_fields, custom_fields.c.id == custom_values.c.field_id)
        .where(own, custom_values.c.number == file_id)
    )
    for card in cards.all():
        noun = reader.nouns.get(card.kind)
        if noun is None or not reader.viewer.may(noun.kind.read):
            continue
        with suppress(NotFound):
            objects.need(reader, noun, card.object_id)
            return True
    return False


def attachments_of(
    reader: Reader, ids: Sequence[AttachmentId]
) -> list[tuple[AttachmentRecord, str]]:
    """Give several files in the order asked for; those that are not there any more are left out."""
    found = []
    for one_id in ids:
        with suppress(NotFound):
            found.append(attachment(reader, one_id))
    return found


def forget_uploads(conn: Connection, now: int) -> int:
    """Forget what was uploaded a day ago and nothing has taken since; gives how many.

    Bytes that nobody names any more go with the next sweep.
    """
    stale = (
        attachments.c.message_id == 0,
        attachments.c.state == "ready",
        attachments.c.created_at < now - UPLOADED_US,
    )
    gone = Counter(
        conn.execute(delete(attachments).where(*stale).returning(attachments.c.blob_id)).scalars()
    )
    for blob_id, count in gone.items():
        conn.execute(
            update(blobs)
            .where(blobs.c.id == blob_id)
            .values(references_count=blobs.c.references_count - count)
        )
    conn.execute(delete(blobs).where(blobs.c.id.in_(sorted(gone)), blobs.c.references_count <= 0))
    return gone.total()
