"""Facts about requests, their deadlines, tasks and notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import (
    AccountId,
    DeliveryId,
    DialogId,
    MessageId,
    Micros,
    NoticeId,
    RequestId,
    SlaPolicyId,
    TaskId,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCreated(Event):
    """A request was made; `tell_client` where its number is to be told by the dialog's channel."""

    type: ClassVar[str] = "request.created"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    number: int
    dialog_id: DialogId = DialogId(0)
    policy_id: SlaPolicyId = SlaPolicyId(0)
    tell_client: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatusChanged(Event):
    """A request moved from one status to another."""

    type: ClassVar[str] = "request.status_changed"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsMerged(Event):
    """A request went into another, or (`undone`) came out of it."""

    type: ClassVar[str] = "request.merged"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    into_id: RequestId
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDeadlineNear(Event):
    """A deadline of a request will soon be missed; `goal` is first, next or solution."""

    type: ClassVar[str] = "request.deadline_near"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    goal: str
    due_at: Micros
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDeadlineMissed(Event):
    """A deadline of a request passed; `goal` is first, next or solution."""

    type: ClassVar[str] = "request.deadline_missed"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    goal: str
    due_at: Micros
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDeadlineMet(Event):
    """What was promised was done, in time or (`late`) not; `message_id` is the answer."""

    type: ClassVar[str] = "request.deadline_met"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId
    goal: str
    late: bool = False
    message_id: MessageId = MessageId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChecklistDone(Event):
    """The last open point of a request's checklist was ticked."""

    type: ClassVar[str] = "request.checklist_done"
    subject_kind: ClassVar[str] = "request"
    subject_field: ClassVar[str] = "request_id"

    request_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaPolicyChanged(Event):
    """A policy of deadlines was made, changed or removed."""

    type: ClassVar[str] = "sla_policy.changed"
    subject_kind: ClassVar[str] = "sla_policy"
    subject_field: ClassVar[str] = "policy_id"

    policy_id: SlaPolicyId
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatusChanged(Event):
    """A task was done, is to be checked, or is to do again."""

    type: ClassVar[str] = "task.status_changed"
    subject_kind: ClassVar[str] = "task"
    subject_field: ClassVar[str] = "task_id"

    task_id: TaskId
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReminded(Event):
    """The reminder of a task came due."""

    type: ClassVar[str] = "task.reminded"
    subject_kind: ClassVar[str] = "task"
    subject_field: ClassVar[str] = "task_id"

    task_id: TaskId
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOverdue(Event):
    """A task was not done when it was due; told once for each date it was given."""

    type: ClassVar[str] = "task.overdue"
    subject_kind: ClassVar[str] = "task"
    subject_field: ClassVar[str] = "task_id"

    task_id: TaskId
    user_id: UserId
    due_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRaised(Event):
    """A colleague has something new to know."""

    type: ClassVar[str] = "notice.raised"
    subject_kind: ClassVar[str] = "notice"
    subject_field: ClassVar[str] = "notice_id"

    notice_id: NoticeId
    user_id: UserId
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesMailed(Event):
    """A letter to a colleague of what he has not seen was put in the outbox."""

    type: ClassVar[str] = "notice.mailed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    delivery_id: DeliveryId
    account_id: AccountId
    count: int
