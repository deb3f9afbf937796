"""Call lists for programs: everything that the pages do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from hub import (
    Answer,
    Conflict,
    Endpoint,
    Hub,
    Json,
    PluginRequest,
    Route,
)
from plugins.telemarketing import shapes
from plugins.telemarketing.calling import Outcome, Seat, held_seat, next_seat, record, undo
from plugins.telemarketing.commands import SaveCallList
from plugins.telemarketing.doing import (
    SEE,
    WORK,
    add_numbers,
    add_people,
    all_lists,
    check_caller,
    list_of,
    people_behind,
    progress,
    steer,
)
from plugins.telemarketing.filling import MANAGE, EndFill, fill, fill_of
from plugins.telemarketing.plans import CallList
from plugins.telemarketing.reports import report_of
from plugins.telemarketing.tables import calls
from plugins.telemarketing.taking import GiveBack
from plugins.telemarketing.texts import translator

PAGE = 500


def _route(verb: str, path: str, endpoint: Endpoint, right: str, **more: Any) -> Route:
    return Route(path=path, endpoint=endpoint, methods=(verb,), permission=right, api=True, **more)


def routes() -> list[Route]:
    """Its endpoints, by session under /p/telemarketing/ and by token under /api/v1/telemarketing/."""
    one, whole = "/lists/{list}", shapes.CallList
    after = {"after": "The `next` of the page before."}
    return [
        _route("GET", "/lists", listed, WORK, gives=shapes.CallLists),
        _route("POST", "/lists", create, MANAGE, takes=shapes.GivenCallList, gives=whole),
        _route("GET", one, shown, SEE, gives=whole),
        _route("PUT", one, change, MANAGE, takes=shapes.GivenCallList, gives=whole),
        _route("PUT", f"{one}/state", steered, MANAGE, takes=shapes.Steered, gives=whole),
        _route("DELETE", f"{one}/filling", enough, MANAGE, gives=whole),
        _route(
            "POST", f"{one}/people", added, MANAGE, takes=shapes.GivenPeople, gives=shapes.Added
        ),
        _route("POST", f"{one}/next", taken, WORK, gives=shapes.Next),
        _route("POST", f"{one}/back", given_back, WORK, takes=shapes.Back, gives=shapes.Progress),
        _route("POST", f"{one}/calls", called, WORK, takes=shapes.GivenCall, gives=shapes.CallMade),
        _route("GET", f"{one}/calls", all_calls, SEE, gives=shapes.Calls, asks=after),
        _route("POST", f"{one}/undo", undone, WORK, gives=shapes.Next),
        _route("GET", f"{one}/report", reported, SEE, gives=shapes.Report),
        _route(
            "POST", f"{one}/segment", segment, MANAGE, takes=shapes.Behind, gives=shapes.Segment
        ),
    ]


async def _of(hub: Hub, request: PluginRequest) -> CallList:
    return await list_of(hub, request.path.get("list", ""))


async def _json(hub: Hub, one: CallList) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "state": one.state,
        "plan": one.plan.as_json(),
        "created_at": one.created_at or None,
        "started_at": one.started_at or None,
        "version": one.version,
        "progress": (await progress(hub, [one.id]))[one.id],
        "filling": await _filling(hub, one.id),
    }


async def _filling(hub: Hub, list_id: int) -> dict[str, Any] | None:
    known = await fill_of(hub, list_id)
    if not known.state:
        return None
    return {name: getattr(known, name) for name in ("state", "reason", "looked", "added", "starts")}


async def _answer(hub: Hub, number: object, status: int = 200) -> Answer:
    one = await list_of(hub, str(number))
    value = await _json(hub, one)
    return Json(value=value, status=status, headers={"etag": f'"{one.version}"'})


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """The lists with their progress, the newest first: all, or those the caller calls from."""
    return Json(value={"items": [await _json(hub, one) for one in await all_lists(hub)]})


async def create(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft of a title and a plan."""
    body: shapes.GivenCallList = request.given
    (made,) = await hub.do(SaveCallList(title=body.title, plan=body.plan.model_dump()))
    return await _answer(hub, made, 201)


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One list with its progress and its ETag."""
    return await _answer(hub, request.path.get("list", ""))


async def change(hub: Hub, request: PluginRequest) -> Answer:
    """Change what is given of a list; `If-Match` guards it."""
    one = await _of(hub, request)
    body: shapes.GivenCallList = request.given
    guard = request.headers.get("if-match", "").strip('"')
    if guard and guard != str(one.version):
        raise Conflict("somebody changed this call list meanwhile", what="version")
    plan = {**one.plan.as_json(), **body.plan.model_dump(exclude_unset=True)}
    title = body.title if "title" in body.model_fields_set else one.title
    await hub.do(SaveCallList(list_id=one.id, title=title, plan=plan, version=one.version))
    return await _answer(hub, one.id)


async def steered(hub: Hub, request: PluginRequest) -> Answer:
    """Start or resume (`running`), pause, end (`done`), put away (`removed`) and back (`draft`).

    A draft starts when everybody of its segment is on it (`filling`).
    """
    one = await _of(hub, request)
    await steer(hub, one, request.given.state)
    return await _answer(hub, one.id)


async def added(hub: Hub, request: PluginRequest) -> Answer:
    """Put people on a list: these, whom numbers belong to, or whoever is in its segment now.

    Of a long segment the first are there at once, and the others follow (`filling` of the list).
    """
    one = await _of(hub, request)
    ids = request.given.contact_ids
    if request.given.numbers:
        new, left = await add_numbers(hub, one, request.given.numbers)
        return Json(value={"added": new, "left": left})
    if ids:
        return Json(value={"added": await add_people(hub, one, ids)})
    known = await fill(hub, one)
    return Json(value={"added": known.added, "filling": known.state == "running"})


async def enough(hub: Hub, request: PluginRequest) -> Answer:
    """Stop filling a list from its segment: who is on it stays, and a draft is not started."""
    one = await _of(hub, request)
    await hub.do(EndFill(list_id=one.id))
    return await _answer(hub, one.id)


async def taken(hub: Hub, request: PluginRequest) -> Answer:
    """Take the next person; who was taken and has no result yet is given again."""
    return _next(await next_seat(hub, await _of(hub, request)))


def _next(seat: Seat | None) -> Answer:
    if seat is None:
        return Json(value={"person_id": None, "contact_id": None})
    return Json(
        value={
            "person_id": seat.person_id,
            "contact_id": seat.contact.id,
            "name": seat.contact.name,
            "number": seat.number,
            "attempts": seat.attempts,
            "local_time": seat.local_time,
            "words": seat.words,
            "questions": [
                {
                    "text": each.text,
                    "kind": each.kind,
                    "choices": list(each.choices),
                    "number": each.number,
                }
                for each in seat.questions
            ],
        }
    )


async def given_back(hub: Hub, request: PluginRequest) -> Answer:
    """Leave who was taken to others."""
    one = await _of(hub, request)
    await check_caller(hub, one)
    await hub.do(GiveBack(person_id=request.given.person_id))
    return Json(value=(await progress(hub, [one.id]))[one.id])


async def called(hub: Hub, request: PluginRequest) -> Answer:
    """Keep what came of the call with who was taken, with what is made of it."""
    one = await _of(hub, request)
    body: shapes.GivenCall = request.given
    seat = await held_seat(hub, one, body.person_id)
    if seat is None or not body.person_id:
        raise Conflict("a colleague has this person now: take the next one", what="taken")
    said = Outcome(
        result=body.result,
        answers=body.answers,
        note=body.note,
        again=int(body.again_at) if body.again_at else body.again,
        made_kind=body.made_kind,
        made_title=body.made_title,
    )
    label = translator(request.language)(one.plan.result(body.result).label)
    call_id = await record(hub, one, seat, said, label)
    return Json(value={"call_id": call_id}, status=201)


async def all_calls(hub: Hub, request: PluginRequest) -> Answer:
    """The calls of a list that count, the oldest first."""
    one = await _of(hub, request)
    after = request.query.get("after", "")
    behind = int(after) if after.isdecimal() and len(after) < 19 else 0
    kept = (calls.c.list_id == one.id) & (calls.c.undone_at == 0) & (calls.c.id > behind)
    rows = await hub.store.all(select(calls).where(kept).order_by(calls.c.id).limit(PAGE))
    items = [{**row, "again_at": row["again_at"] or None} for row in rows]
    return Json(value={"items": items, "next": str(rows[-1]["id"]) if len(rows) == PAGE else ""})


async def undone(hub: Hub, request: PluginRequest) -> Answer:
    """Take the caller's own last result back, and give him that person again."""
    one = await _of(hub, request)
    await undo(hub, one)
    return _next(await held_seat(hub, await list_of(hub, str(one.id))))


async def reported(hub: Hub, request: PluginRequest) -> Answer:
    """What a list brought: by result, colleague and answer, what was made, and what was won of it."""
    found = await report_of(hub, await _of(hub, request))
    value = {
        name: getattr(found, name)
        for name in ("people", "done", "called", "due", "calls", "made", "won", "callers")
    }
    value["results"] = [{"code": c, "label": text, "calls": n} for c, text, n in found.results]
    value["sums"] = [{"currency": currency, "amount": n} for currency, n in found.sums]
    value["attempts"] = [{"attempts": often, "people": n} for often, n in found.attempts]
    value["questions"] = [
        {
            **{name: getattr(one, name) for name in ("number", "text", "kind", "people", "mean")},
            "answers": [{"answer": said, "people": n} for said, n in one.answers],
        }
        for one in found.questions
    ]
    return Json(value=value)


async def segment(hub: Hub, request: PluginRequest) -> Answer:
    """Make a segment of the people behind a number."""
    what = request.given.what
    made = await people_behind(hub, await _of(hub, request), what, what)
    return Json(value={"segment_id": made}, status=201)
