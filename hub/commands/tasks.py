"""Commands about tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTask(Command):
    """Do a task, or (`undo`) have it to do again. Gives the id of its next repeat, 0 for none.

    Where its author wants to check it, it waits for the author, unless he finishes it himself.
    """

    permission: ClassVar[str] = "tasks.edit"

    task_id: TaskId
    result: str | None = None
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTask(Command):
    """The author's word about a task that is to be checked: it is done, or not yet."""

    permission: ClassVar[str] = "tasks.edit"

    task_id: TaskId
    accept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfTasks(Command):
    """The hub's own: tell of tasks whose reminder is due or that are overdue. Gives how many."""

    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCalendarFeed(Command):
    """Make the secret address of one's own calendar, ending the one before; gives nothing.

    Only the hash of the secret is kept; an empty one ends the address.
    """

    permission: ClassVar[str] = "profile.edit"

    token_hash: str
