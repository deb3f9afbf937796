"""Tasks: made in one line, done with one key; a check by the author only where he wants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, delete, insert, select, update

from crm_store import calendars, object_writes
from crm_store.habits import PEOPLE, Habits
from crm_store.next_steps import follow, zone_of
from crm_store.notices import tell
from crm_store.nouns import NOUNS, Noun
from crm_store.sql import locked
from crm_store.tables.dialogs import messages
from crm_store.tables.objects import object_tags
from crm_store.tables.requests import calendar_feeds, tasks
from crm_store.unit_of_work import UnitOfWork
from hub.commands import CreateObject, FinishTask, RemindOfTasks, ReviewTask, SaveCalendarFeed
from hub.errors import Conflict, Invalid, NotAllowed
from hub.events import TaskOverdue, TaskReminded, TaskStatusChanged
from hub.ids import Micros, TaskId, UserId
from hub.objects import Ref
from hub.repeats import NEVER, meant_day, next_due

TASK = NOUNS["task"]
KINDS_BESIDE = ("contact", "dialog", "message")
"""What a task may be about beside the objects of registered kinds."""


KEPT = (
    "title",
    "priority",
    "owner_id",
    "team_id",
    "author_id",
    "needs_review",
    "repeat",
    "description",
    "object_kind",
    "object_id",
    "message_id",
)
"""What the next one of a repeating task has from the last."""


class TaskHabits(Habits):
    """A task has an author; without another word it is his own."""

    def fresh(
        self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Set author, executor and reminder."""
        self._check(uow, values)
        mine = uow.actor.id if uow.actor.kind in PEOPLE else 0
        return {
            "author_id": UserId(mine),
            "owner_id": values.get("owner_id") or UserId(mine),
            "remind_at": values.get("remind_at") or values.get("due_at") or Micros(0),
        }

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make a task; of a dialog it takes the words and the link, but not its person."""
        if command.dialog_id and not command.values.get("owner_id"):
            mine = uow.actor.id if uow.actor.kind in PEOPLE else 0
            command = _with(command, owner_id=mine or None)
        return super().create(uow, noun, command)

    def created(self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]) -> None:
        """Tell the executor."""
        _tell(uow, object_id, "task.assigned", values.get("owner_id", 0))
        follow(uow, str(values.get("object_kind") or ""), int(str(values.get("object_id") or 0)))

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """A reminder that stood at the end moves with it."""
        self._check(uow, values)
        found = dict(values)
        if "due_at" in found and "remind_at" not in found and row.remind_at == row.due_at:
            found["remind_at"] = found["due_at"]
        if found.get("remind_at", row.remind_at) != row.remind_at:
            uow.conn.execute(update(tasks).where(tasks.c.id == row.id).values(reminded_at=0))
        if found.get("due_at", row.due_at) != row.due_at:
            uow.conn.execute(update(tasks).where(tasks.c.id == row.id).values(overdue_at=0))
        return found

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """Tell a new executor."""
        if values.get("owner_id") and values["owner_id"] != row.owner_id:
            _tell(uow, row.id, "task.assigned", values["owner_id"])
        if values.keys() & {"title", "due_at", "object_kind", "object_id"}:
            follow(uow, row.object_kind, row.object_id, row.title)
            now = (
                values.get("object_kind", row.object_kind),
                values.get("object_id", row.object_id),
            )
            if now != (row.object_kind, row.object_id):
                follow(uow, str(now[0] or ""), int(str(now[1] or 0)))

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """What is in the bin is no next step."""
        follow(uow, row.object_kind, row.object_id, row.title)

    def _check(self, uow: UnitOfWork, values: Mapping[str, object]) -> None:
        kind = values.get("object_kind")
        if kind and kind not in uow.tx.nouns and kind not in KINDS_BESIDE:
            raise Invalid("a task is linked to an object of a known kind", field="object_kind")
        message_id = values.get("message_id")
        if message_id:
            seen = uow.conn.execute(
                select(messages.c.id).where(
                    messages.c.id == message_id, uow.viewer.messages_clause()
                )
            ).first()
            if seen is None:
                raise Invalid("there is no such message", field="message_id")


def _with(command: CreateObject, **values: object) -> CreateObject:
    return CreateObject(
        kind=command.kind,
        values={**command.values, **values},
        dialog_id=command.dialog_id,
        object_id=command.object_id,
        actor=command.actor,
        cause=command.cause,
    )


def _tell(uow: UnitOfWork, task_id: int, kind: str, user_id: object, key: str = "") -> None:
    if isinstance(user_id, int) and user_id:
        tell(uow, [user_id], kind, Ref(kind="task", id=task_id), key=key)


def _move(uow: UnitOfWork, row: Any, status: str, **more: object) -> None:
    object_writes.change(uow, TASK, row, {"status": status, **more})
    uow.record(TaskStatusChanged(task_id=TaskId(row.id), before=row.status, after=status))
    follow(uow, row.object_kind, row.object_id, row.title)


def finish(uow: UnitOfWork, command: FinishTask) -> TaskId:
    """Do a task, or have it to do again; gives the id of its next repeat."""
    row = object_writes.lock(uow, TASK, command.task_id)
    more: dict[str, object] = {}
    if command.result is not None:
        more["result"] = command.result.strip()[:100_000]
    if command.undo:
        if row.status != "open":
            _drop_next(uow, row)
            _move(uow, row, "open", done_at=Micros(0), **more)
            if row.overdue_at >= row.done_at > 0:
                # Its date came while it stood as done: nobody was told.
                uow.conn.execute(update(tasks).where(tasks.c.id == row.id).values(overdue_at=0))
        return TaskId(0)
    if row.status == "done":
        return TaskId(row.next_id)
    if row.needs_review and row.author_id not in (0, uow.viewer.user_id):
        if row.status != "review":
            _move(uow, row, "review", **more)
            _tell(uow, row.id, "task.review", row.author_id)
        return TaskId(0)
    return _done(uow, row, more)


def review(uow: UnitOfWork, command: ReviewTask) -> TaskId:
    """Hear the author's word."""
    row = object_writes.lock(uow, TASK, command.task_id)
    if row.status != "review":
        raise Conflict("this task does not wait for a check", what="not_in_review")
    if not uow.viewer.is_system and row.author_id != uow.viewer.user_id:
        raise NotAllowed("only its author checks a task")
    if command.accept:
        return _done(uow, row, {})
    _move(uow, row, "open")
    _tell(uow, row.id, "task.returned", row.owner_id)
    return TaskId(0)


def _done(uow: UnitOfWork, row: Any, more: Mapping[str, object]) -> TaskId:
    _move(uow, row, "done", done_at=uow.now, **more)
    next_id = _repeat(uow, row) if row.repeat != NEVER else 0
    uow.conn.execute(
        update(tasks).where(tasks.c.id == row.id).values(next_id=next_id, reminded_at=uow.now)
    )
    if next_id:
        follow(uow, row.object_kind, row.object_id, row.title)
    return TaskId(next_id)


def _repeat(uow: UnitOfWork, row: Any) -> int:
    last, zone = Micros(row.due_at or uow.now), zone_of(uow, row.owner_id)
    day = meant_day(last, zone, row.repeat_day)
    due_at = next_due(last, row.repeat, zone, calendars.working(uow.conn), uow.now, day)
    task_id = uow.new_id()
    values: dict[str, object] = {name: getattr(row, name) for name in KEPT}
    early = row.due_at - row.remind_at if row.remind_at and row.due_at else 0
    tags = uow.conn.execute(
        select(object_tags.c.tag).where(
            object_tags.c.kind == "task", object_tags.c.object_id == row.id
        )
    ).scalars()
    values |= {
        "due_at": due_at,
        "remind_at": Micros(due_at - early),
        "repeat_of": TaskId(row.id),
        "tags": tuple(tags),
    }
    object_writes.create(uow, TASK, task_id, values)
    if row.repeat in ("monthly", "yearly"):
        uow.conn.execute(update(tasks).where(tasks.c.id == task_id).values(repeat_day=day))
    return task_id


def _drop_next(uow: UnitOfWork, row: Any) -> None:
    """The next one goes, unless somebody has worked on it."""
    following = uow.conn.execute(
        locked(uow.dialect, select(tasks).where(tasks.c.id == row.next_id))
    ).first()
    if following is not None and following.version == 1 and following.status == "open":
        object_writes.remove(uow, TASK, following.id, restore=False)
    uow.conn.execute(update(tasks).where(tasks.c.id == row.id).values(next_id=0))


def remind(uow: UnitOfWork, command: RemindOfTasks) -> int:
    """Tell of tasks whose reminder is due, and of those that are overdue; each once."""
    due = _due(uow, tasks.c.remind_at, tasks.c.reminded_at, command.limit)
    for row in due:
        if row.status == "open" and row.owner_id:
            uow.record(TaskReminded(task_id=TaskId(row.id), user_id=UserId(row.owner_id)))
            _tell(uow, row.id, "task.reminder", row.owner_id, f"remind:{row.id}:{row.remind_at}")
    late = _due(uow, tasks.c.due_at, tasks.c.overdue_at, command.limit)
    for row in late:
        if row.status == "open":
            uow.record(
                TaskOverdue(
                    task_id=TaskId(row.id), user_id=UserId(row.owner_id), due_at=Micros(row.due_at)
                )
            )
    return len(due) + len(late)


def _due(uow: UnitOfWork, when: Column[int], seen: Column[int], limit: int) -> list[Any]:
    """Take tasks whose instant came, and mark them as seen; gives those not in the bin."""
    statement = (
        select(tasks).where(when > 0, seen == 0, when <= uow.now).order_by(when).limit(limit)
    )
    rows = uow.conn.execute(locked(uow.dialect, statement, skip=True)).all()
    if rows:
        ids = [one.id for one in rows]
        uow.conn.execute(update(tasks).where(tasks.c.id.in_(ids)).values({seen.name: uow.now}))
    return [one for one in rows if not one.deleted_at]


def save_feed(uow: UnitOfWork, command: SaveCalendarFeed) -> None:
    """Make the secret address of one's own calendar, or end it."""
    me = uow.viewer.user_id
    uow.conn.execute(delete(calendar_feeds).where(calendar_feeds.c.user_id == me))
    if command.token_hash:
        uow.conn.execute(
            insert(calendar_feeds).values(
                token_hash=command.token_hash, user_id=me, created_at=uow.now
            )
        )
