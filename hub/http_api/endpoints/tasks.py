"""Tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Path, Response

from crm_store.objects import NOUNS
from hub import commands as c
from hub.errors import Invalid
from hub.http_api import resource, rights
from hub.http_api.errors import failures
from hub.http_api.resource import Shapes
from hub.http_api.shapes import requests as s
from hub.ids import DialogId, TaskId, UserId
from hub.natural_dates import read as read_line
from hub.shapes import GivenId
from hub.web.auth import new_token, token_hash

TASK = NOUNS["task"]
SHAPES = Shapes(shown=s.Task, create=s.CreateTask, change=s.ChangeTask)
router = resource.resource(TASK, SHAPES, "Tasks", "task_id")
TaskKey = Annotated[GivenId, Path(alias="task_id", description="The task.")]


@router.post(
    "/tasks/line", status_code=201, summary="Add a task in one line", response_model=s.Task
)
async def line(caller: rights.MayEditTasks, body: s.TaskLine, response: Response) -> Any:
    """Make a task of words with a date in them: `call Anna tomorrow 15:00`, `отчёт в пятницу`."""
    me = await caller.hub.user(UserId(caller.hub.actor.id))
    zone = ZoneInfo(me.time_zone or (await caller.hub.brand()).time_zone or "UTC")
    now = datetime.fromtimestamp(caller.hub.now() / 1_000_000, UTC).astimezone(zone)
    found = read_line(body.text, now)
    if not found.title:
        raise Invalid("say what is to be done", field="text")
    made = await caller.hub.do(
        c.CreateObject(
            kind="task",
            dialog_id=DialogId(body.dialog_id or 0),
            values={
                "title": found.title,
                "due_at": int(found.due.timestamp()) * 1_000_000 if found.due else None,
                "priority": "high" if found.high else "normal",
                "repeat": found.repeat,
            },
        )
    )
    return await resource.shown(caller, TASK, s.Task, made[0], response)


@router.post("/me/calendar", status_code=201, summary="Make the address of your calendar")
async def make_calendar(caller: rights.MayEditProfile) -> s.CalendarAddress:
    """Make the secret address under which a calendar program reads your day; it is given once."""
    token = new_token()
    await caller.hub.do(c.SaveCalendarFeed(token_hash=token_hash(token)))
    return s.CalendarAddress(url=caller.hub.public_url(f"/ical/{token}.ics"))


@router.delete("/me/calendar", status_code=204, summary="End the address of your calendar")
async def end_calendar(caller: rights.MayEditProfile) -> Response:
    """End the address at once."""
    await caller.hub.do(c.SaveCalendarFeed(token_hash=""))
    return Response(status_code=204)


@router.put("/tasks/{task_id}/done", summary="Do a task", response_model=s.Task)
async def finish(
    caller: rights.MayEditTasks, task_id: TaskKey, body: s.FinishTask, response: Response
) -> Any:
    """Do a task; one that its author checks waits for him. A repeating one makes the next."""
    await caller.hub.do(c.FinishTask(task_id=TaskId(task_id), result=body.result))
    return await resource.shown(caller, TASK, s.Task, task_id, response)


@router.delete("/tasks/{task_id}/done", summary="Have it to do again", response_model=s.Task)
async def reopen(caller: rights.MayEditTasks, task_id: TaskKey, response: Response) -> Any:
    """Have a task to do again; its next repeat goes, unless somebody has worked on it."""
    await caller.hub.do(c.FinishTask(task_id=TaskId(task_id), undo=True))
    return await resource.shown(caller, TASK, s.Task, task_id, response)


@router.put(
    "/tasks/{task_id}/review",
    summary="Check a task",
    responses=failures(409),
    response_model=s.Task,
)
async def review(
    caller: rights.MayEditTasks, task_id: TaskKey, body: s.ReviewTask, response: Response
) -> Any:
    """Say as its author whether a task is done."""
    await caller.hub.do(c.ReviewTask(task_id=TaskId(task_id), accept=body.accept))
    return await resource.shown(caller, TASK, s.Task, task_id, response)
