"""Requests, what is promised about them, tasks, and notices."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub.http_api.shapes.objects import OF_DIALOG, body_of, shape_of
from hub.nouns import REQUESTS, TASKS
from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape, Text, Word

Request: Any = shape_of(REQUESTS, "Request", "A job for a client within a deadline.")
CreateRequest: Any = body_of(
    REQUESTS,
    "CreateRequest",
    "A new request; with `dialog_id` what is left out is taken from the dialog.",
    dialog_id=OF_DIALOG,
)
ChangeRequest: Any = body_of(
    REQUESTS, "ChangeRequest", "What to change; what is left out stays, null empties."
)
Task: Any = shape_of(TASKS, "Task", "Something to do by a date.")
CreateTask: Any = body_of(
    TASKS,
    "CreateTask",
    "A new task; without another executor it is your own.",
    dialog_id=OF_DIALOG,
)
ChangeTask: Any = body_of(
    TASKS, "ChangeTask", "What to change; what is left out stays, null empties."
)


class SetRequestStatus(Body):
    """Where a request goes."""

    status: Literal["new", "in_work", "waiting", "on_hold", "solved", "closed"]
    reason: Word = Field(default="", description="Why it is paused.")
    solution: Text = Field(default="", description="What was done.")
    expected: Word = Field(default="", description="The status you saw; another is refused.")


class MergeRequest(Body):
    """The request that stays."""

    into_id: GivenId


class Deadline(Shape):
    """One promise: `goal` is first, next or solution."""

    goal: str
    due_at: Instant
    state: str = Field(description="running, near, missed, paused, met, or failed (met too late)")


class ChecklistItem(Shape):
    """One point of a checklist."""

    id: Id
    text: str
    done_at: Instant
    done_by: OptionalId


class TimeSpent(Shape):
    """Minutes that a colleague worked on a request."""

    id: Id
    user_id: OptionalId
    minutes: int
    at: Instant


class LogTime(Body):
    """Minutes of your own work."""

    minutes: int = Field(ge=1, le=1440, examples=[25])


class RequestDetails(Shape):
    """What belongs to a request beside its properties."""

    deadlines: list[Deadline]
    checklist: list[ChecklistItem]
    dialogs: list[Id]
    parts: list[Id] = Field(description="Requests that are part of this one.")
    times: list[TimeSpent] = Field(description="Time spent, the newest first, at most 200.")


class ChangeChecklist(Body):
    """What to do with the points."""

    add: list[Word] = Field(default_factory=list, max_length=200)
    tick: list[GivenId] = Field(default_factory=list, max_length=200)
    untick: list[GivenId] = Field(default_factory=list, max_length=200)
    drop: list[GivenId] = Field(default_factory=list, max_length=200)


class SlaPolicy(Shape):
    """What is promised for which requests, in minutes of working time; 0: nothing."""

    id: Id
    name: str
    position: int
    active: bool
    filter: dict[str, Any]
    calendar_id: OptionalId = Field(description="null: the organisation's default.")
    first_minutes: int
    next_minutes: int
    solution_minutes: int
    warn_minutes: int
    pause_statuses: list[str]
    escalate_to: OptionalId
    tell_client: bool = Field(description="Tell clients the number by the dialog's channel.")
    version: int


class SaveSlaPolicy(Body):
    """What to change; what is left out stays as it is."""

    name: Word | None = None
    position: int | None = Field(default=None, ge=0, le=100_000)
    active: bool | None = None
    filter: dict[str, Any] | None = None
    calendar_id: GivenId | None = None
    first_minutes: int | None = None
    next_minutes: int | None = None
    solution_minutes: int | None = None
    warn_minutes: int | None = None
    pause_statuses: list[Word] | None = Field(default=None, max_length=10)
    escalate_to: GivenId | None = None
    tell_client: bool | None = None
    version: int | None = Field(default=None, description="The version you saw.")


class SupportLevel(Shape):
    """What clients have bought; requests name it by `name`."""

    name: str
    label: str
    label_ru: str
    position: int


class SaveSupportLevel(Body):
    """What a level is called, and where it stands; -1: where it is, or last."""

    label: Word = Field(min_length=1, max_length=200, examples=["Round the clock"])
    label_ru: Word = Field(default="", max_length=200)
    position: int = Field(default=-1, ge=-1, le=100_000)


class FinishTask(Body):
    """What came of it."""

    result: Text | None = None


class ReviewTask(Body):
    """Whether it is done."""

    accept: bool


class Notice(Shape):
    """Something to know: what happened to which object."""

    id: Id
    kind: str = Field(examples=["request.deadline_near"])
    object_kind: str
    object_id: OptionalId
    dialog_id: OptionalId
    created_at: Instant
    read_at: Instant


class ReadNotices(Body):
    """Which notices; none named: all of them."""

    ids: list[GivenId] = Field(default_factory=list, max_length=500)
    unread: bool = Field(default=False, description="Mark them as new again.")


class NoticeChoice(Shape):
    """How you are told of one kind."""

    kind: str = Field(examples=["task.reminder"])
    on_screen: bool
    by_email: bool
    by_push: bool = Field(description="On your devices that are called.")


class NoticeChoices(Shape):
    """How you are told, and whether letters can leave."""

    kinds: list[NoticeChoice]
    chosen_account_id: OptionalId = Field(description="What the administrator chose.")
    account_id: OptionalId = Field(description="By which account letters leave; null: by none.")
    last_letter_at: Instant
    last_letter_status: str = Field(description="queued, sent, failed ...; empty: none yet.")
    last_letter_reason: str


class ChooseNotice(Body):
    """A kind, and what to change of it."""

    kind: Word = Field(examples=["task.reminder"])
    on_screen: bool | None = None
    by_email: bool | None = None
    by_push: bool | None = None


class ChooseNotices(Body):
    """The kinds to change; the others stay as they are."""

    kinds: list[ChooseNotice] = Field(min_length=1, max_length=100)


class NoticeMailbox(Body):
    """An account that sends e-mail."""

    account_id: GivenId = Field(description="`0`: the first mailbox.")


class TaskLine(Body):
    """A task as one writes it down."""

    text: str = Field(min_length=1, max_length=1000, examples=["call Anna tomorrow 15:00"])
    dialog_id: GivenId | None = None


class CalendarAddress(Shape):
    """A secret address; whoever has it reads your tasks, deadlines and meetings."""

    url: str
