"""Facts about dialogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AccountId, ContactId, DialogId, MergeId, MessageId, Micros, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogOpened(Event):
    """A dialog began."""

    type: ClassVar[str] = "dialog.opened"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    account_id: AccountId
    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogAssigned(Event):
    """A dialog got another assignee or team; 0 is nobody."""

    type: ClassVar[str] = "dialog.assigned"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    user_id: UserId = UserId(0)
    team_id: TeamId = TeamId(0)
    before_user_id: UserId = UserId(0)
    before_team_id: TeamId = TeamId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogStatusChanged(Event):
    """A dialog was opened again, set waiting, closed, snoozed or woken."""

    type: ClassVar[str] = "dialog.status_changed"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    before: str
    after: str
    until: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogTagged(Event):
    """Tags were added to or removed from a dialog."""

    type: ClassVar[str] = "dialog.tagged"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogChanged(Event):
    """Another field of a dialog changed; `field` names it."""

    type: ClassVar[str] = "dialog.changed"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogLinked(Event):
    """A dialog was linked to another contact."""

    type: ClassVar[str] = "dialog.linked"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    contact_id: ContactId
    before_contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogSplit(Event):
    """Messages were moved from a dialog to a new one."""

    type: ClassVar[str] = "dialog.split"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    new_dialog_id: DialogId
    from_message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogsMerged(Event):
    """A dialog was appended to another one, which survives."""

    type: ClassVar[str] = "dialog.merged"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    merged_id: DialogId
    merge_id: MergeId = MergeId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogsUnmerged(Event):
    """A merge was undone: `restored_id` is a dialog of its own again.

    `stayed` messages came after the merge and are in `dialog_id` still. `closed`: it was open when it
    was merged, and came back closed, since its chat goes on in another dialog.
    """

    type: ClassVar[str] = "dialog.unmerged"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    restored_id: DialogId
    merge_id: MergeId
    stayed: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogIdle(Event):
    """Nobody answered a dialog for a while."""

    type: ClassVar[str] = "dialog.idle"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"

    dialog_id: DialogId
    waiting_since: Micros
