"""Commands about requests and what is promised about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId, CalendarId, RequestId, SlaPolicyId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestStatus(Command):
    """Move a request: new, in_work, waiting, on_hold, solved, closed.

    `reason` is why it is paused, `solution` what was done. `expected`, where given, must be the
    status it has, else Conflict.
    """

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId
    status: str
    reason: str = ""
    solution: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequests(Command):
    """Put a request into another: it is closed, its dialogs belong to the other from now on."""

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId
    into_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMergeRequests(Command):
    """Take a merge back: the request has its status and its dialogs for itself again."""

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSupportLevel(Command):
    """Add (no name) or change a support level. Gives its name; `position` -1 leaves it, or is last."""

    permission: ClassVar[str] = "system.manage"

    name: str = ""
    label: str
    label_ru: str = ""
    position: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSupportLevel(Command):
    """Remove a support level; requests that have it get `move_to`."""

    permission: ClassVar[str] = "system.manage"

    name: str
    move_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTime(Command):
    """Note minutes of one's own work on a request, from one to a day's. Gives the entry's id."""

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTime(Command):
    """Take noted time back: one's own, or anybody's with the right to manage the system."""

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId
    entry_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeChecklist(Command):
    """Add points to a request's checklist, tick or untick some, drop some."""

    permission: ClassVar[str] = "requests.edit"

    request_id: RequestId
    add: tuple[str, ...] = ()
    tick: tuple[int, ...] = ()
    untick: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSlaPolicy(Command):
    """Create (id 0) or change what is promised; what is None stays as it is. Gives the id.

    `filter` is a tree over the fields of requests; the first active policy, by `position`, whose
    filter holds applies to a new request, and to one whose properties change.
    """

    permission: ClassVar[str] = "system.manage"

    policy_id: SlaPolicyId = SlaPolicyId(0)
    name: str | None = None
    position: int | None = None
    active: bool | None = None
    filter: Mapping[str, object] | None = None
    calendar_id: CalendarId | None = None
    first_minutes: int | None = None
    next_minutes: int | None = None
    solution_minutes: int | None = None
    warn_minutes: int | None = None
    pause_statuses: tuple[str, ...] | None = None
    escalate_to: UserId | None = None
    tell_client: bool | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSlaPolicy(Command):
    """Delete a policy; requests that it applied to keep the deadlines they have."""

    permission: ClassVar[str] = "system.manage"

    policy_id: SlaPolicyId


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDeadlines(Command):
    """The hub's own: put on record which deadlines are near or missed. Gives how many."""

    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Command):
    """Tell colleagues something about an object: kind, object and fact, never anybody's words.

    `key` makes a repeat harmless: one notice per colleague and key. Whoever acts is not told.
    `roles` tells everybody of these roles too.
    """

    user_ids: tuple[UserId, ...] = ()
    kind: str
    object_kind: str
    object_id: int
    dialog_id: int = 0
    event_id: int = 0
    key: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailNotices(Command):
    """The hub's own: write letters to colleagues of what they have not seen. Gives how many."""

    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseNoticeMailbox(Command):
    """Say by which account letters to colleagues leave; 0: the first mailbox."""

    permission: ClassVar[str] = "system.manage"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNotices(Command):
    """Mark one's own notices as read, or (`unread`) as new again; no ids: all of them.

    With an object: what notices told of it, because one is looking at it.
    """

    permission: ClassVar[str] = "profile.edit"

    notice_ids: tuple[int, ...] = field(default=())
    unread: bool = False
    object_kind: str = ""
    object_id: int = 0
