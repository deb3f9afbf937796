"""Records of requests with their deadlines, of tasks and of notices to colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import (
    AccountId,
    CalendarId,
    ClientId,
    ContactId,
    DialogId,
    EventId,
    MessageId,
    Micros,
    NoticeId,
    RequestId,
    SlaPolicyId,
    TaskId,
    TeamId,
    UserId,
)
from hub.properties import CustomValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A job to be done for a client within a deadline.

    `status` is new, in_work, waiting (for the client), on_hold, solved or closed. `due_at` is the
    nearest deadline that is still to be met, 0 for none; `overdue` that one of them was missed.
    """

    id: RequestId
    number: int
    title: str
    status: str
    type: str
    category: str
    priority: str
    owner_id: UserId
    team_id: TeamId
    level: str
    contact_id: ContactId
    client_id: ClientId
    channel: str
    description: str
    solution: str
    tags: tuple[str, ...]
    due_at: Micros
    first_response_due: Micros
    next_response_due: Micros
    solution_due: Micros
    overdue: bool
    policy_id: SlaPolicyId
    first_responded_at: Micros
    paused_at: Micros
    paused_us: int
    pause_reason: str
    parent_id: RequestId
    merged_into: RequestId
    satisfaction: int
    solved_at: Micros
    closed_at: Micros
    created_at: Micros
    deleted_at: Micros
    version: int
    spent_minutes: int = 0
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportLevel:
    """What clients have bought. Requests and filters name it by `name`, people see the labels."""

    name: str
    label: str
    label_ru: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpent:
    """Minutes that a colleague worked on a request, noted at `at`."""

    id: int
    user_id: UserId
    minutes: int
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One point of a request's checklist; `done_at` 0 is to be done."""

    id: int
    text: str
    done_at: Micros
    done_by: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One promise of a request: `goal` is first, next or solution.

    `state` is running, near, missed, met, paused or failed (met too late).
    """

    goal: str
    due_at: Micros
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaPolicy:
    """What is promised for which requests, in minutes of a calendar's working time; 0: nothing.

    The first active policy whose filter holds applies. The solution's clock stands while a
    request has one of `pause_statuses`.
    """

    id: SlaPolicyId
    name: str
    position: int
    active: bool
    filter: Mapping[str, object]
    calendar_id: CalendarId
    first_minutes: int
    next_minutes: int
    solution_minutes: int
    warn_minutes: int
    pause_statuses: tuple[str, ...]
    escalate_to: UserId
    tell_client: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do by a date. `status` is open, review (its author checks it) or done."""

    id: TaskId
    title: str
    status: str
    due_at: Micros
    remind_at: Micros
    priority: str
    owner_id: UserId
    team_id: TeamId
    author_id: UserId
    needs_review: bool
    repeat: str
    description: str
    result: str
    object_kind: str
    object_id: int
    message_id: MessageId
    repeat_of: TaskId
    tags: tuple[str, ...]
    done_at: Micros
    created_at: Micros
    deleted_at: Micros
    version: int
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterState:
    """How letters leave that tell a colleague his notices, and what became of his last one.

    `chosen` is the account that the administrator named, `account_id` the one that letters leave by:
    0 where there is none.
    """

    chosen: AccountId
    account_id: AccountId
    last_at: Micros = Micros(0)
    last_status: str = ""
    last_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a colleague should know: what happened to which object; words are made when shown."""

    id: NoticeId
    user_id: UserId
    kind: str
    object_kind: str
    object_id: int
    dialog_id: DialogId
    event_id: EventId
    created_at: Micros
    read_at: Micros
