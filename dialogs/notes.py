"""Notes of colleagues beside what is said in a dialog."""

from __future__ import annotations

from sqlalchemy import insert, select

from crm_store.notices import tell
from crm_store.search_index import index_messages
from crm_store.tables.dialogs import drafts, mentions, messages
from crm_store.unit_of_work import UnitOfWork, cause_data
from dialogs.access import change_dialog, lock_dialog
from dialogs.compose import AUTHOR, DONE_DRAFT, files_of, take_files
from hub.commands import AddNote
from hub.errors import Invalid
from hub.events import NoteAdded
from hub.ids import DialogId, MessageId, bounded_key
from hub.objects import ActorKind, Ref

_DONE_NOTE = DONE_DRAFT.where(drafts.c.mode == "note")


def _note_key(uow: UnitOfWork, command: AddNote) -> str:
    return bounded_key(f"note:{uow.actor}:{command.idempotency_key}")


def add_note(uow: UnitOfWork, command: AddNote) -> MessageId:
    """Write a note of a colleague."""
    if not command.text.strip() and not command.attachments:
        raise Invalid("the note is empty", field="text")
    dialog = lock_dialog(uow, command.dialog_id)
    if command.idempotency_key:
        earlier = uow.conn.execute(
            select(messages.c.id).where(
                messages.c.account_id == dialog.account_id,
                messages.c.external_id == _note_key(uow, command),
            )
        ).scalar()
        if earlier:
            return MessageId(earlier)
    files = files_of(uow, command.attachments)
    message_id = command.message_id or MessageId(uow.new_id())
    name = uow.conn.execute(AUTHOR, {"b_id": uow.actor.id}).scalar()
    uow.conn.execute(
        insert(messages),
        {
            "id": message_id,
            "dialog_id": dialog.id,
            "account_id": dialog.account_id,
            "contact_id": dialog.contact_id,
            "direction": "note",
            "author_kind": uow.actor.kind.value,
            "author_id": uow.actor.id,
            "author_name": name or uow.actor.name,
            "text": command.text,
            "external_id": _note_key(uow, command) if command.idempotency_key else "",
            "at": uow.now,
            "received_at": uow.now,
            "people": {},
            "cause": cause_data(command.cause),
            "extra": {"mentions": [str(one) for one in command.mentions]}
            if command.mentions
            else {},
        },
    )
    if command.mentions:
        uow.conn.execute(
            insert(mentions),
            [
                {"user_id": one, "message_id": message_id, "dialog_id": dialog.id}
                for one in dict.fromkeys(command.mentions)
            ],
        )
        ref = Ref(kind="dialog", id=dialog.id)
        tell(uow, command.mentions, "dialog.mentioned", ref, dialog_id=dialog.id)
    take_files(uow, files, message_id, dialog)
    index_messages(uow.conn, [(message_id, command.text)])
    change_dialog(uow, dialog.id, message_count=dialog.message_count + 1)
    if uow.actor.kind is ActorKind.USER:
        # An answer that was begun before the note is still to come.
        uow.conn.execute(_DONE_NOTE, {"b_user": uow.actor.id, "b_dialog": dialog.id})
    uow.record(
        NoteAdded(message_id=message_id, dialog_id=DialogId(dialog.id), mentions=command.mentions)
    )
    return message_id
