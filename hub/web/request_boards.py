"""Requests as a board by their status, and in a calendar by their deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import boards
from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import Micros, RequestId
from hub.records.objects import ObjectPage
from hub.records.requests import Request as Asked
from hub.web.board import COLUMN, Card, Column, Zone, refused
from hub.web.board_views import Narrowed, narrowed, show_board
from hub.web.bodies import object_in
from hub.web.filter_bar import Tree
from hub.web.months import Calendar
from hub.web.numbers import number
from hub.web.object_lists import Screen
from hub.web.objects import _, page

REQUEST = NOUNS["request"]
COLUMNS = {
    "new": _("New ones"),
    "in_work": _("In work"),
    "waiting": _("Waiting for the client"),
    "on_hold": _("On hold"),
}
ZONES = (Zone(key="solved", title=_("Solved"), tone="good", icon="check", asks="reason"),)
SHOWN = ("number", "title", "owner_id", "created_at", "due_at", "priority")
"""What a card shows of a request."""
SCREEN = Screen(noun=REQUEST, section="requests")
CALENDAR = Calendar(
    noun=REQUEST,
    at="due_at",
    section="requests",
    shown={"field": "request.status", "operator": "in", "value": list(COLUMNS)},
    looks=("board", "calendar"),
    empty=_("No deadline falls into this month."),
)


def _query(asked: Narrowed, *statuses: str, before: str = "") -> ObjectQuery:
    some: Tree = {"field": "request.status", "operator": "in", "value": list(statuses)}
    return asked.query(some, sort="-created_at", before=before, limit=COLUMN)


def _column(
    now: Micros, status: str, count: int, found: ObjectPage[Asked], users: Mapping[int, str]
) -> Column:
    cards = tuple(
        Card(
            id=str(one.id),
            title=f"#{one.number} {one.title}",
            href=f"/requests/{one.id}",
            owner=users.get(one.owner_id, ""),
            owner_id=one.owner_id,
            since=one.created_at,
            due=one.due_at,
            urgent=one.priority if one.priority in ("high", "urgent") else "",
            overdue=bool(one.due_at) and one.due_at <= now,
        )
        for one in found.items
    )
    # What is new once never is again.
    return Column(
        key=status,
        title=COLUMNS[status],
        count=count,
        cards=cards,
        next=found.next,
        takes=status != "new",
    )


def _names(reader: Reader) -> dict[int, str]:
    return {int(one.id): one.name for one in user_reads.all_users(reader)}


async def board(request: Request) -> Response:
    """Show the requests that are worked on as a board."""

    def fill(reader: Reader, asked: Narrowed) -> dict[str, Any]:
        heaps = boards.heaps_by(reader, REQUEST, "status", _query(asked, *COLUMNS))
        users = _names(reader)
        pages = reads.pages(reader, REQUEST, [_query(asked, status) for status in COLUMNS], SHOWN)
        return {
            "columns": [
                _column(reader.now, status, heaps.get(status, boards.Heap()).count, found, users)
                for status, found in zip(COLUMNS, pages, strict=True)
            ]
        }

    return await show_board(
        request, SCREEN, fill, by=("request.status",), template="requestboard", zones=ZONES
    )


async def column(request: Request) -> Response:
    """Give the following cards of one column."""
    params = request.query_params
    status = params.get("stage", "")
    if status not in COLUMNS:
        raise NotFound("there is no such list")
    before = params.get("before", "")[:450]

    def load(reader: Reader) -> dict[str, Any]:
        query = _query(narrowed(reader, REQUEST.kind, params), status, before=before)
        found = reads.page(reader, REQUEST, query)
        return {"column": _column(reader.now, status, 0, found, _names(reader))}

    return page(request, "cards", kind=REQUEST.kind, **await request.state.hub.read(load))


async def move(request: Request) -> Response:
    """Put a card of the board somewhere else."""
    body = await object_in(request)
    to, seen = str(body.get("to", "")), str(body.get("seen", ""))
    if to not in (*COLUMNS, "solved"):
        raise NotFound("there is no such action")
    command = c.SetRequestStatus(
        request_id=RequestId(number(body.get("card"))),
        status=to,
        solution=str(body.get("comment", "")) if to == "solved" else "",
        expected=seen if seen in COLUMNS else "",
    )
    try:
        await request.state.hub.do(command)
    except (Conflict, Invalid) as error:
        return refused(request, error)
    return JSONResponse({"ok": True, "id": str(body.get("card"))})


def routes() -> list[BaseRoute]:
    """Give the routes."""
    return [
        Route("/requests/board", board, methods=["GET"]),
        Route("/requests/column", column, methods=["GET"]),
        Route("/requests/move", move, methods=["POST"]),
        CALENDAR.route(),
    ]
