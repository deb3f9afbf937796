"""Commands about dialogs: who has them, in which state they are, what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import (
    AccountId,
    AttachmentId,
    ContactId,
    DialogId,
    MergeId,
    MessageId,
    Micros,
    TeamId,
    UserId,
)
from hub.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDialog(Command):
    """Open a dialog with somebody to write first (a channel that `initiates`); gives its id."""

    permission: ClassVar[str] = "dialogs.answer"

    account_id: AccountId
    to: Address
    subject: str = ""
    contact_id: ContactId = ContactId(0)
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignDialog(Command):
    """Give a dialog to a person and/or a team; 0 means nobody.

    `expected`, where given, is the assignee the caller saw: another one raises Conflict.
    """

    permission: ClassVar[str] = "dialogs.assign"

    dialog_id: DialogId
    user_id: UserId = UserId(0)
    team_id: TeamId | None = None
    expected: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDialogStatus(Command):
    """Set `open`, `waiting` (for the client) or `closed`."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    status: str
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeDialog(Command):
    """Put a dialog aside until an instant; a client's message wakes it earlier."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    until: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeDialogs(Command):
    """Wake every dialog whose snooze is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDialog(Command):
    """Add and remove tags by name; an unknown tag is created."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSubject(Command):
    """Give a dialog another subject."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority(Command):
    """Set the priority: 0 normal, 1 high, 2 urgent, -1 low."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDialog(Command):
    """Move a message and all after it to a new dialog of the same person; gives its id."""

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    message_id: MessageId
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeDialogs(Command):
    """Append one dialog of an account to another; later answers land in the survivor.

    Gives the number by which that is undone.
    """

    permission: ClassVar[str] = "dialogs.answer"

    survivor_id: DialogId
    merged_id: DialogId


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMergeDialogs(Command):
    """Make one dialog two again, as they were; gives the id of the one that comes back.

    What was written since stays with the survivor. Raises Conflict where the survivor was merged on,
    another dialog was merged into it since, or its person was erased.
    """

    permission: ClassVar[str] = "dialogs.answer"

    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead(Command):
    """Note that the actor has seen the dialog up to a message (a row without a fact).

    `message_id` 0 marks it unread.
    """

    permission: ClassVar[str] = "dialogs.view"

    dialog_id: DialogId
    message_id: MessageId = MessageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft(Command):
    """Keep the actor's unsent text of a dialog (a row without a fact); empty removes it."""

    permission: ClassVar[str] = "dialogs.note"

    dialog_id: DialogId
    mode: str = "reply"
    text: str = ""
    attachments: tuple[AttachmentId, ...] = ()
    reply_to: MessageId = MessageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteDialog(Command):
    """Stop (or resume) notifications of one dialog for the actor (a row without a fact)."""

    permission: ClassVar[str] = "dialogs.view"

    dialog_id: DialogId
    muted: bool
