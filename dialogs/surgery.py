"""Opening, splitting and re-linking dialogs by hand."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from crm_store.erasure import erase_messages
from crm_store.moves import dialogs_of_addresses, hand_over, move_dialogs
from crm_store.search_index import index_contact, index_dialogs
from crm_store.survivors import lock_contact
from crm_store.tables.dialogs import (
    dialogs,
    messages,
    thread_references,
)
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog, lock_dialog, lock_message
from dialogs.identity import identify
from dialogs.marks import cap_marks
from dialogs.moving import copy_people, move_messages
from dialogs.recount import recount
from hub.commands import DeleteMessage, LinkContact, SplitDialog, StartDialog
from hub.errors import Conflict, Invalid, NotFound, Unsupported
from hub.events import (
    DialogOpened,
    DialogSplit,
    MessageChanged,
)
from hub.ids import AccountId, ContactId, DialogId, MessageId
from hub.objects import ActorKind
from hub.terms import fold


def start_dialog(uow: UnitOfWork, command: StartDialog) -> DialogId:
    """Open a dialog to write first; the person's open dialog is given where there is one."""
    account = uow.conn.execute(
        select(accounts).where(accounts.c.id == command.account_id, ~accounts.c.removed)
    ).first()
    if account is None or not uow.viewer.sees_account(account.id):
        raise NotFound("there is no such account")
    capabilities = uow.channels.get(account.channel)
    if capabilities is None or not capabilities.initiates:
        raise Unsupported("writing first")
    if command.to.kind != capabilities.address_kind:
        raise Invalid(
            f"this channel writes to addresses of kind {capabilities.address_kind}", field="to"
        )
    peer = identify(uow, [command.to])[command.to.kind, command.to.value]
    dialog_id = command.dialog_id or DialogId(uow.new_id())
    slot = f"d{dialog_id}" if capabilities.threads else ""
    if not capabilities.threads:
        found = uow.conn.execute(
            select(dialogs.c.id).where(
                dialogs.c.account_id == account.id,
                dialogs.c.contact_id == peer.contact_id,
                dialogs.c.address_id == peer.address_id,
                dialogs.c.slot == slot,
                dialogs.c.is_open,
            )
        ).scalar()
        if found:
            return DialogId(found)
    subject = " ".join(command.subject.split())[:400]
    uow.conn.execute(
        insert(dialogs).values(
            id=dialog_id,
            account_id=account.id,
            channel=account.channel,
            contact_id=peer.contact_id,
            address_id=peer.address_id,
            slot=slot,
            subject=subject,
            subject_folded=fold(subject)[:400],
            status="open",
            is_open=True,
            assignee_id=uow.actor.id if uow.actor.kind is ActorKind.USER else 0,
            team_id=account.team_id,
            created_at=uow.now,
            last_at=uow.now,
        )
    )
    index_dialogs(uow.conn, [(dialog_id, subject)] if subject else [])
    uow.record(
        DialogOpened(
            dialog_id=dialog_id,
            account_id=AccountId(account.id),
            contact_id=peer.contact_id,
        )
    )
    return dialog_id


def split_dialog(uow: UnitOfWork, command: SplitDialog) -> DialogId:
    """Move a message and everything after it to a dialog of its own."""
    dialog = lock_dialog(uow, command.dialog_id)
    first = lock_message(uow, command.message_id)
    if first.dialog_id != dialog.id:
        raise Invalid("this message is of another dialog", field="message_id")
    after = (messages.c.dialog_id == dialog.id) & (
        (messages.c.at > first.at) | ((messages.c.at == first.at) & (messages.c.id >= first.id))
    )
    before = (messages.c.dialog_id == dialog.id) & ~(
        (messages.c.at > first.at) | ((messages.c.at == first.at) & (messages.c.id >= first.id))
    )
    if uow.conn.execute(select(messages.c.id).where(before).limit(1)).first() is None:
        raise Invalid("the first message cannot be split off", field="message_id")
    capabilities = uow.channels.get(dialog.channel)
    threads = capabilities is not None and capabilities.threads
    new_id = DialogId(uow.new_id())
    if not threads:
        # One open dialog per person: the older half is the one that is done.
        change_dialog(
            uow,
            dialog.id,
            status="closed",
            is_open=False,
            closed_at=uow.now,
            waiting_since=0,
            snoozed_until=0,
        )
    row = dict(dialog._mapping)
    subject = " ".join((command.subject or first.subject or dialog.subject).split())[:400]
    row |= {
        "id": new_id,
        "slot": f"d{new_id}" if threads else dialog.slot,
        "subject": subject,
        "subject_folded": fold(subject)[:400],
        "status": "open",
        "is_open": True,
        "created_at": uow.now,
        "snoozed_until": 0,
        "closed_at": 0,
        "version": 1,
    }
    uow.conn.execute(insert(dialogs).values(**row))
    index_dialogs(uow.conn, [(new_id, subject)] if subject else [])
    moved = list(uow.conn.execute(select(messages.c.id).where(after)).scalars())
    move_messages(uow, moved, new_id)
    externals = list(
        uow.conn.execute(
            select(messages.c.external_id).where(
                messages.c.id.in_(moved), messages.c.external_id != ""
            )
        ).scalars()
    )
    if externals:
        uow.conn.execute(
            update(thread_references)
            .where(
                thread_references.c.dialog_id == dialog.id,
                thread_references.c.reference.in_(externals),
            )
            .values(dialog_id=new_id)
        )
    copy_people(uow, dialog.id, new_id)
    recount(uow, dialog.id)
    recount(uow, new_id)
    cap_marks(uow, dialog.id)
    uow.record(
        DialogSplit(
            dialog_id=DialogId(dialog.id),
            new_dialog_id=new_id,
            from_message_id=MessageId(first.id),
        )
    )
    uow.record(
        DialogOpened(
            dialog_id=new_id,
            account_id=AccountId(dialog.account_id),
            contact_id=ContactId(dialog.contact_id),
        )
    )
    return new_id


def link_contact(uow: UnitOfWork, command: LinkContact) -> None:
    """Say that a dialog's address belongs to another contact; all its dialogs follow."""
    dialog = lock_dialog(uow, command.dialog_id)
    source = ContactId(dialog.contact_id)
    target = ContactId(lock_contact(uow, command.contact_id).id)
    if source == target:
        return
    talks = dialogs_of_addresses(uow, [dialog.address_id], source) or [dialog.id]
    hand_over(uow, source, target, [dialog.address_id])
    move_dialogs(uow, talks, target)
    for one in (source, target):
        index_contact(uow, one)


def delete_message(uow: UnitOfWork, command: DeleteMessage) -> None:
    """Remove a message's words and files; the row of its arrival keeps it from coming back."""
    message = lock_message(uow, command.message_id)
    if message.status in ("queued", "claimed", "sending"):
        raise Conflict("the message is on its way: take it back instead", what="sending")
    erase_messages(uow, [message.id])
    recount(uow, message.dialog_id)
    cap_marks(uow, message.dialog_id)
    uow.record(
        MessageChanged(
            message_id=MessageId(message.id),
            dialog_id=DialogId(message.dialog_id),
            what="deleted",
        )
    )
