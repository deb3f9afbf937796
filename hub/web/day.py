"""My day: one list of what waits for me; tasks are made in one line and done by one key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import dialogs as dialog_reads
from crm_store import notices as notice_reads
from crm_store import objects as reads
from crm_store.callbacks import callbacks
from crm_store.objects import NOUNS, Noun, ObjectQuery
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import HubError, Invalid, NotAllowed
from hub.ids import DialogId
from hub.kinds import Kind
from hub.natural_dates import read as read_line
from hub.properties import PropertyType
from hub.records.dialogs import DialogQuery
from hub.web.bodies import object_in
from hub.web.errors import as_json, status_of
from hub.web.live_connection import live_position
from hub.web.notice_words import NOTICE_WORDS, linked_titles, places_of
from hub.web.numbers import number
from hub.web.objects import page
from hub.web.requests import OPEN, edges, group_of

TASK, REQUEST = NOUNS["task"], NOUNS["request"]
TASK_SHOWN = (
    "title", "due_at", "priority", "repeat", "object_kind", "object_id", "owner_id",
)  # fmt: skip
"""What a line of my day shows of a task: of a record most would be read for nothing."""
REQUEST_SHOWN = ("title", "number", "due_at")
STEP_SHOWN = ("title", "next_step", "next_step_at")
MOST = 100
EVER = 1
"""After this is every moment that is set."""
HOUR = 3_600_000_000
SOON = 12 * HOUR
"""A deadline of the coming night or morning is seen before the day is over."""


def mine_of(kind: str, *more: dict[str, object]) -> dict[str, object]:
    """Give the filter of what is mine."""
    mine: dict[str, object] = {"field": f"{kind}.owner", "operator": "equals", "value": "me"}
    return {"all": [mine, *more]}


def _is(field: str, value: object) -> dict[str, object]:
    return {"field": field, "operator": "equals", "value": value}


def _tasks(reader: Reader) -> dict[str, list[Any]]:
    """Give my open tasks, and those that wait for my check."""
    mine = mine_of("task", _is("task.status", "open"))
    dated = {"field": "task.due_at", "operator": "not_empty"}
    undated = {"field": "task.due_at", "operator": "empty"}
    check = {"all": [_is("task.author", "me"), _is("task.status", "review")]}
    found, loose, to_check = reads.pages(
        reader,
        TASK,
        (
            ObjectQuery(filter={"all": [mine, dated]}, sort="due_at", limit=MOST),
            ObjectQuery(filter={"all": [mine, undated]}, limit=MOST),
            ObjectQuery(filter=check, limit=MOST),
        ),
        TASK_SHOWN,
    )
    return {"tasks": [*found.items, *loose.items], "to_check": list(to_check.items)}


def _requests(reader: Reader, until: int) -> list[Any]:
    """Give my requests whose deadline is missed, ends by an instant, or is about to break."""
    until = max(until, reader.now + SOON)
    if not reader.viewer.may(REQUEST.kind.read):
        return []
    asked: list[dict[str, object]] = [
        {"field": "request.status", "operator": "in", "value": OPEN},
        {"field": "request.solved_at", "operator": "empty"},
        {"field": "request.due_at", "operator": "not_empty"},
        # To the end of an hour: a question of its own for each moment would be made for each.
        {"field": "request.due_at", "operator": "less", "value": until - until % HOUR + HOUR},
    ]
    query = ObjectQuery(filter=mine_of("request", *asked), sort="due_at", limit=MOST)
    [found] = reads.pages(reader, REQUEST, [query], REQUEST_SHOWN)
    return [one for one in found.items if one.due_at < until]


class Step(NamedTuple):
    """What is agreed for an instant, or for a day: in which words, and of what object."""

    at: int
    words: str
    of: str
    id: int
    kind: Kind
    is_day: bool


def _begins(day: int, zone: str) -> int:
    """Give the instant at which a day, as dates are stored, begins on the reader's wall."""
    on = datetime.fromtimestamp(day / 1_000_000, UTC).replace(tzinfo=ZoneInfo(zone or "UTC"))
    return int(on.timestamp()) * 1_000_000


def _steps(reader: Reader, ends: dict[str, int], zone: str) -> list[Step]:
    """Give next steps of my interests, and meetings and calls of mine, to the end of the week."""

    def between(field: str, after: int, till: int = ends["week"]) -> list[dict[str, object]]:
        return [
            {"field": field, "operator": "greater", "value": after},
            {"field": field, "operator": "less", "value": till},
        ]

    found: list[Step] = []

    def take(noun: Noun, field: str, items: Iterable[Any]) -> None:
        is_day = noun.kind.property(field).type is PropertyType.DATE
        for one in items:
            words = one.title if field == "at" else f"{one.next_step or one.title}"
            at = getattr(one, field)
            at = _begins(at, zone) if is_day else at
            found.append(Step(at, words, one.title, one.id, noun.kind, is_day))

    interest, meeting = NOUNS["interest"], NOUNS["meeting"]
    if reader.viewer.may(interest.kind.read):
        open_ones = _is("interest.status", "in_work")
        # As days are stored: the one with which the reader's next week begins.
        till = ends["week"] + ends["week"] - _begins(ends["week"], zone)
        soon = mine_of("interest", open_ones, *between("interest.next_step_at", EVER, till))
        query = ObjectQuery(filter=soon, sort="next_step_at", limit=MOST)
        [coming] = reads.pages(reader, interest, [query], STEP_SHOWN)
        take(interest, "next_step_at", coming.items)
    if reader.viewer.may(meeting.kind.read):
        today = mine_of("meeting", *between("meeting.at", ends["midnight"] - 1))
        steps = mine_of("meeting", *between("meeting.next_step_at", EVER))
        met, agreed = reads.pages(
            reader,
            meeting,
            (
                ObjectQuery(filter=today, sort="at", limit=MOST),
                ObjectQuery(filter=steps, limit=200),
            ),
            (*STEP_SHOWN, "at"),
        )
        take(meeting, "at", met.items)
        take(meeting, "next_step_at", agreed.items)
    return sorted(found, key=lambda one: (one.at, -one.id))[:MOST]


def _without(steps: list[Step], tasks: list[Any]) -> list[Step]:
    """Leave out next steps that stand among the tasks already: nothing is shown twice."""
    known = {(one.object_id, one.title) for one in tasks if one.object_kind == "interest"}
    return [one for one in steps if one.kind.name != "interest" or (one.id, one.words) not in known]


def _dialogs(reader: Reader) -> list[Any]:
    """Give my dialogs whose clients wait for an answer, who waits longest first."""
    if not reader.viewer.may("dialogs.view"):
        return []
    query = DialogQuery(
        view="waiting", assignee_id=reader.viewer.user_id, sort="oldest_waiting", limit=50
    )
    return list(dialog_reads.page(reader, query).dialogs)


def grouped(tasks: list[Any], ends: dict[str, int]) -> list[tuple[str, list[Any]]]:
    """Put tasks into overdue, today, this week, later, no date; they come in that order."""
    found: dict[str, list[Any]] = {}
    for one in tasks:
        found.setdefault(group_of(one.due_at, ends), []).append(one)
    return list(found.items())


def waiting_for_me(reader: Reader, ends: dict[str, int], zone: str) -> dict[str, Any]:
    """Give what waits for the reader: tasks, dialogs, calls, deadlines, next steps."""
    # The same dozen questions for everybody, by whose it is: they are planned longer than they run.
    keep_plans(reader.conn)
    tasks = _tasks(reader)
    to_call = callbacks(reader)
    mine = [*tasks["tasks"], *tasks["to_check"]]
    linked = ((one.object_kind, one.object_id) for one in mine)
    titles = linked_titles(reader, reader.nouns, linked)
    return {
        **tasks,
        "about": {one.id: titles.get((one.object_kind, one.object_id), "") for one in mine},
        "callbacks": dialog_reads.several(reader, to_call),
        "waiting": [one for one in _dialogs(reader) if one.id not in to_call],
        "requests": _requests(reader, ends["today"]),
        "steps": _without(_steps(reader, ends, zone), tasks["tasks"]),
    }


async def day(request: Request) -> Response:
    """Show what waits for me."""
    if TASK.kind.read not in request.state.may:
        raise NotAllowed("this needs the right 'tasks.view'")
    hub, position = request.state.hub, live_position(request)
    ends = edges(request.state.zone, hub.now())
    nouns = request.app.state.runtime.nouns

    values = await hub.read(waiting_for_me, ends, request.state.zone)
    staff = await request.app.state.runtime.staff()
    return page(
        request,
        "day",
        section="day",
        live_id=position,
        ends=ends,
        groups=grouped(values["tasks"], ends),
        kind=TASK.kind,
        paths={name: noun.kind.path for name, noun in nouns.items()},
        users=staff.users,
        about_kind=request.query_params.get("kind", ""),
        about_id=request.query_params.get("id", ""),
        **values,
    )


async def add_task(request: Request) -> Response:
    """Make a task out of one line: its words, its date, its repeat."""
    if not getattr(request.state, "csrf_checked", False):
        return JSONResponse({"error": {"code": "csrf", "message": "reload the page"}}, 403)
    body = await object_in(request)
    text = str(body.get("text", ""))[:1000]
    hub = request.state.hub
    zone = ZoneInfo(request.state.zone or "UTC")
    found = read_line(text, datetime.fromtimestamp(hub.now() / 1_000_000, UTC).astimezone(zone))
    try:
        if not found.title:
            raise Invalid("say what is to be done", field="text")
        values: dict[str, object] = {
            "title": found.title,
            "due_at": int(found.due.timestamp()) * 1_000_000 if found.due else "",
            "priority": "high" if found.high else "normal",
            "repeat": found.repeat,
            "object_kind": str(body.get("kind", "")),
            "object_id": number(body.get("id") or 0, "id"),
            "message_id": number(body.get("message") or 0, "message"),
        }
        commands: list[c.Command] = []
        task_id = hub.new_id()
        dialog_id = DialogId(number(body.get("dialog") or 0, "dialog"))
        commands.append(
            c.CreateObject(kind="task", values=values, object_id=task_id, dialog_id=dialog_id)
        )
        if body.get("done"):
            commands.append(c.FinishTask(task_id=task_id))
        await hub.do(*commands)
    except HubError as error:
        return as_json(error, status_of(error), request.state.language)
    return JSONResponse({"result": str(task_id)})


async def notices(request: Request) -> Response:
    """Show what I should know, the newest first; what is shown is read from then on."""
    before = number(request.query_params.get("before", "0") or "0")
    position = live_position(request)
    nouns = request.app.state.runtime.nouns

    def load(reader: Reader) -> dict[str, Any]:
        found = notice_reads.page(reader, before, 50)
        titles = linked_titles(reader, nouns, ((one.object_kind, one.object_id) for one in found))
        return {
            "notices": found,
            "titles": {one.id: titles.get((one.object_kind, one.object_id), "") for one in found},
        }

    values = await request.state.hub.read(load)
    return page(
        request,
        "notices",
        section="notices",
        live_id=position,
        words=NOTICE_WORDS,
        paths=places_of(nouns),
        **values,
    )


async def count(request: Request) -> Response:
    """Give how many notices are new."""
    return JSONResponse({"unread": await request.state.hub.read(notice_reads.unread_count)})


def routes() -> list[BaseRoute]:
    """Give the routes of my day and of notices."""
    return [
        Route("/day", day, methods=["GET"]),
        Route("/day/task", add_task, methods=["POST"]),
        Route("/notices", notices, methods=["GET"]),
        Route("/notices/count", count, methods=["GET"]),
    ]
