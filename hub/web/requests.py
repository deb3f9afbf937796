"""Requests: the list by deadline, the card with its clocks, and their ways to a solution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import calendars, request_checklists, request_times, sla
from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.belongings import belongings
from crm_store.custom import whole_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.request_clocks import OVER
from crm_store.request_deadlines import deadlines_of
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.ids import DialogId, Micros, RequestId
from hub.natural_dates import read as read_line
from hub.objects import Ref
from hub.records.objects import ObjectPage
from hub.web import request_boards
from hub.web.auth import checked_form
from hub.web.bodies import object_in
from hub.web.card_files import uploaded
from hub.web.card_forms import Values, save_card
from hub.web.errors import as_json, status_of
from hub.web.i18n import translate
from hub.web.live_connection import live_position
from hub.web.numbers import number
from hub.web.object_lists import Screen, Shown, not_made, show_list
from hub.web.objects import (
    _,
    beside_card,
    fields_of,
    form_values,
    groups_of,
    page,
    refusal,
    seen,
)
from hub.web.ref_names import names_of

REQUEST = NOUNS["request"]
UNDATED = 20
"""How many without a deadline stand below the others."""
OPEN = ["new", "in_work", "waiting", "on_hold"]
VIEWS = {
    "": _("With a deadline"),
    "mine": _("Mine"),
    "undated": _("Without a deadline"),
    "waiting": _("Waiting for the client"),
    "solved": _("Solved ones"),
    "closed": _("Closed ones"),
    "bin": _("Bin"),
}
GOAL_NAMES = {
    "first": _("First response"),
    "next": _("Next response"),
    "solution": _("Solution"),
}
STATE_NAMES = {
    "running": _("in time so far"),
    "near": _("soon over"),
    "missed": _("missed"),
    "met": _("kept"),
    "failed": _("too late"),
    "paused": _("paused"),
}
LATE = _("This lies in the past: the nearest time that can still be kept is %(when)s.")
OUTSIDE = _("Nobody works then; the nearest working time is %(when)s.")
UNKNOWN = _("This date is not understood. Write it as tomorrow 15:00, fri 5pm or +2h.")


def _filter(view: str) -> dict[str, object] | None:
    is_open: dict[str, object] = {"field": "request.status", "operator": "in", "value": OPEN}
    dated: dict[str, object] = {"field": "request.due_at", "operator": "not_empty"}
    undated: dict[str, object] = {"field": "request.due_at", "operator": "empty"}
    match view:
        case "mine":
            mine = {"field": "request.owner", "operator": "equals", "value": "me"}
            return {"all": [is_open, mine]}
        case "undated":
            # Said of open ones too: the index of what is in work holds what is not solved.
            unsolved: dict[str, object] = {"field": "request.solved_at", "operator": "empty"}
            return {"all": [is_open, undated, unsolved]}
        case "waiting" | "solved" | "closed":
            return {"field": "request.status", "operator": "equals", "value": view}
        case "bin":
            return None
    return {"all": [is_open, dated]}


def edges(zone: str, now: int) -> dict[str, int]:
    """Give where the groups of a list by deadline end, on the reader's wall clock."""
    moment = datetime.fromtimestamp(now / 1_000_000, UTC).astimezone(ZoneInfo(zone or "UTC"))
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = {
        "midnight": midnight,
        "today": midnight + timedelta(days=1),
        "week": midnight + timedelta(days=7 - moment.weekday()),
    }
    return {"now": now, **{name: int(at.timestamp()) * 1_000_000 for name, at in ends.items()}}


def group_of(due_at: int, ends: Mapping[str, int]) -> str:
    """Say into which group of the list a deadline belongs."""
    if not due_at:
        return _("No date")
    if due_at <= ends["now"]:
        return _("Overdue")
    if due_at < ends["today"]:
        return _("Today")
    return _("This week") if due_at < ends["week"] else _("Later")


def zone_of(reader: Reader) -> str:
    """Give the reader's own time zone, or the organisation's."""
    try:
        own = user_reads.user(reader, reader.viewer.user_id).time_zone
    except NotFound:
        own = ""
    return own or user_reads.brand(reader).time_zone


def _more(reader: Reader, shown: Shown, found: ObjectPage[Any]) -> dict[str, Any]:
    by_status = reads.counts_by(reader, REQUEST, "status")
    # They stand below the last page of the whole list by deadline, and nowhere else.
    is_last = not (shown.view or shown.tree or shown.query.text or found.next)
    undated = ObjectQuery(filter=_filter("undated"), limit=UNDATED)
    return {
        "undated": reads.page(reader, REQUEST, undated).items if is_last else (),
        "counts": by_status,
        "group_of": group_of,
        "ends": edges(zone_of(reader), reader.now),
        "policies": {one.id: one.name for one in sla.all_policies(reader)},
    }


SCREEN = Screen(
    noun=REQUEST,
    section="requests",
    tabs=VIEWS,
    filters=_filter,
    template="requests",
    more=_more,
    sort="due_at",
)


async def requests(request: Request) -> Response:
    """List requests, those whose deadline comes first on top."""
    return await show_list(request, SCREEN)


async def _shown(
    request: Request,
    request_id: int,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    await seen(request, "request", request_id)
    nouns = request.app.state.runtime.nouns
    zone, position = request.state.zone, live_position(request)

    def load(reader: Reader) -> dict[str, Any]:
        keep_plans(reader.conn)
        one = reads.one(reader, REQUEST, request_id)
        linked = reads.dialogs_of(reader, Ref(kind="request", id=request_id))
        others = ObjectQuery(
            filter={"field": "request.status", "operator": "in", "value": OPEN}, limit=50
        )
        policy = next((each for each in sla.all_policies(reader) if each.id == one.policy_id), None)
        names = {each.id: each.name for each in calendars.all_calendars(reader)}
        default = next(iter(names.values()), "")
        return {
            "one": one,
            "names": names_of(reader, nouns, REQUEST.kind, [one]),
            "deadlines": deadlines_of(reader.conn, request_id),
            "checklist": request_checklists.checklist(reader, request_id),
            "times": request_times.times(reader, request_id),
            "parts_of_it": belongings(reader, REQUEST, parent_id=request_id),
            "others": [
                each for each in reads.page(reader, REQUEST, others).items if each.id != one.id
            ],
            "dialogs": dialog_reads.several(reader, linked)
            if reader.viewer.may("dialogs.view")
            else [],
            "policy": policy,
            "calendar": (names.get(policy.calendar_id) or default) if policy else "",
            "kind": whole_of(reader, REQUEST).kind,
            **beside_card(request, reader, REQUEST, request_id),
        }

    values = await request.state.hub.read(load)
    kind = values["kind"]
    return page(
        request,
        "request",
        status,
        section="requests",
        live_id=position,
        groups=[group for group in groups_of(kind) if group[0] != "deadlines"],
        fields=fields_of(kind, values["one"], given or {}, zone),
        goal_names=GOAL_NAMES,
        state_names=STATE_NAMES,
        now=request.state.hub.now(),
        is_over=values["one"].status in OVER,
        problem=problem,
        field=field,
        **values,
    )


def _id(request: Request) -> RequestId:
    return RequestId(number(request.path_params["request_id"]))


async def one(request: Request) -> Response:
    """Show a request, or save its form."""
    request_id = _id(request)
    if request.method == "GET":
        return await _shown(request, request_id)

    async def unchanged(values: Values, *_: object) -> None:
        """The form holds every property; one that is as it was says nothing against the client's."""
        known = await request.state.hub.read(reads.one, REQUEST, request_id)
        if values.get("level") == known.level:
            del values["level"]

    def command(values: Values, version: int) -> c.Command:
        return c.ChangeObject(kind="request", object_id=request_id, values=values, version=version)

    return await save_card(request, REQUEST, request_id, _shown, command, unchanged)


async def add(request: Request) -> Response:
    """Make a request: by hand, or of the dialog that the form names."""
    form = await checked_form(request)
    kind = (await request.state.hub.read(whole_of, REQUEST)).kind
    values = form_values(kind, form, request.state.zone)
    try:
        values |= await uploaded(request, kind, form)
        command = c.CreateObject(
            kind="request",
            values=values,
            dialog_id=DialogId(number(form.get("dialog", "0") or "0")),
        )
        made = (await request.state.hub.do(command))[0]
    except (Invalid, Conflict) as error:
        return await not_made(request, SCREEN, error, values)
    return RedirectResponse(f"/requests/{made}", 303)


def minutes_of(text: str) -> int:
    """Read how long something took: 25 (minutes), or 1:30 (hours and minutes)."""
    hours, colon, minutes = text.strip().rpartition(":")
    told = (hours or "0", minutes)
    if not all(one.isascii() and one.isdecimal() and len(one) < 5 for one in told) or (
        colon and int(minutes) > 59
    ):
        raise Invalid("write minutes, as 25, or hours and minutes, as 1:30", field="time")
    return int(told[0]) * 60 + int(minutes)


def _wish(request_id: RequestId, form: Mapping[str, Any]) -> Command:
    do = str(form.get("do", ""))
    if do in ("in_work", "waiting", "on_hold", "solved", "closed"):
        return c.SetRequestStatus(
            request_id=request_id,
            status=do,
            reason=str(form.get("reason", "")),
            solution=str(form.get("solution", "")),
        )
    match do:
        case "merge":
            return c.MergeRequests(
                request_id=request_id, into_id=RequestId(number(form.get("into", "0")))
            )
        case "unmerge":
            return c.UndoMergeRequests(request_id=request_id)
        case "point":
            return c.ChangeChecklist(request_id=request_id, add=(str(form.get("text", "")),))
        case "drop":
            return c.ChangeChecklist(request_id=request_id, drop=(number(form.get("point", "0")),))
        case "time":
            return c.LogTime(request_id=request_id, minutes=minutes_of(str(form.get("time", ""))))
        case "untime":
            entry_id = number(form.get("entry", "0"))
            return c.RemoveTime(request_id=request_id, entry_id=entry_id)
        case "remove" | "restore":
            return c.RemoveObject(kind="request", object_id=request_id, restore=do == "restore")
    raise NotFound("there is no such action")


async def act(request: Request) -> Response:
    """Move a request on its way."""
    request_id = _id(request)
    form = await checked_form(request)
    try:
        await request.state.hub.do(_wish(request_id, form))
    except (Invalid, Conflict) as error:
        return await _shown(request, request_id, 422, problem=refusal(request, error))
    told = "?unmerged=yes" if form.get("do") == "unmerge" else ""
    return RedirectResponse(f"/requests/{request_id}{told}", 303)


async def deadline(request: Request) -> Response:
    """Set the solution's deadline by a line of words, with the nearest valid time where it is none."""
    if not getattr(request.state, "csrf_checked", False):
        return JSONResponse({"error": {"code": "csrf", "message": "reload the page"}}, 403)
    hub, language = request.state.hub, request.state.language
    body = await object_in(request)
    zone = ZoneInfo(request.state.zone or "UTC")
    now = datetime.fromtimestamp(hub.now() / 1_000_000, UTC).astimezone(zone)
    found = read_line(str(body.get("text", ""))[:200], now)
    if found.due is None or found.title:
        error = Invalid(UNKNOWN, field="text")
        return as_json(error, 422, language)
    due_at = Micros(int(found.due.timestamp()) * 1_000_000)

    def nearest(reader: Reader) -> int:
        kept = reads.one(reader, REQUEST, _id(request))
        policy = next((one for one in sla.all_policies(reader) if one.id == kept.policy_id), None)
        work = calendars.working(reader.conn, policy.calendar_id if policy else 0)
        at = max(due_at, reader.now)
        # A deadline at closing time is kept by those who still work a moment before.
        return at if work.is_open(Micros(at - 1)) else work.next_open(Micros(at))

    try:
        near = await hub.read(nearest)
        if near != due_at and not body.get("anyway"):
            when = datetime.fromtimestamp(near / 1_000_000, UTC).astimezone(zone)
            words = translate(language, LATE if due_at <= hub.now() else OUTSIDE)
            said = words % {"when": when.strftime("%d.%m.%Y %H:%M")}
            return JSONResponse(
                {
                    "error": {
                        "code": "nearest",
                        "message": said,
                        "details": {"text": when.strftime("%d.%m.%Y %H:%M")},
                    }
                },
                409,
            )
        await hub.do(
            c.ChangeObject(kind="request", object_id=_id(request), values={"solution_due": due_at})
        )
    except HubError as error:
        return as_json(error, status_of(error), language)
    return JSONResponse({"result": str(due_at)})


def routes() -> list[BaseRoute]:
    """Give the routes of requests."""
    return [
        Route("/requests", requests, methods=["GET"]),
        Route("/requests", add, methods=["POST"]),
        *request_boards.routes(),
        Route("/requests/{request_id:int}", one, methods=["GET", "POST"]),
        Route("/requests/{request_id:int}/act", act, methods=["POST"]),
        Route("/requests/{request_id:int}/deadline", deadline, methods=["POST"]),
    ]
