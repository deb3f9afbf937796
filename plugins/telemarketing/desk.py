"""The workplace of a caller: one person, the script, the result, and the next one."""

from __future__ import annotations

from collections.abc import Mapping

from hub import (
    Answer,
    Conflict,
    Hub,
    HubError,
    Invalid,
    NotFound,
    Page,
    PluginRequest,
    Redirect,
    Route,
)
from plugins.telemarketing.calling import (
    MADE,
    Outcome,
    Seat,
    held_seat,
    history,
    last_call,
    next_seat,
    record,
    undo,
)
from plugins.telemarketing.doing import WORK, check_caller, list_of, progress
from plugins.telemarketing.pages import frame
from plugins.telemarketing.plans import CallList
from plugins.telemarketing.taking import GiveBack
from plugins.telemarketing.texts import MADE_WORDS, translator


def routes() -> list[Route]:
    """Its endpoints."""
    path = "/{list}/desk"
    return [
        Route(path=path, endpoint=shown, permission=WORK),
        Route(path=path, endpoint=done, methods=("POST",), permission=WORK),
    ]


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """Who is taken now; looking takes nobody."""
    one = await list_of(hub, request.path.get("list", ""))
    await check_caller(hub, one)
    return await _page(hub, request, one, await held_seat(hub, one))


async def _page(
    hub: Hub, request: PluginRequest, one: CallList, seat: Seat | None, problem: str = ""
) -> Page:
    last = await last_call(hub, one)
    last_name = ""
    if last is not None:
        try:
            last_name = (await hub.contact(last["contact_id"])).name
        except HubError:
            last = None
    return Page(
        template="desk.html",
        title=one.title,
        status=422 if problem else 200,
        values={
            **frame(request),
            "one": one,
            "seat": seat,
            "n": (await progress(hub, [one.id]))[one.id],
            "past": await history(hub, seat) if seat is not None else {},
            "results": one.plan.results,
            "makes": [(k, MADE_WORDS[k]) for k, right in MADE.items() if right in request.may],
            "last": last,
            "last_name": last_name,
            "last_result": next(
                (r.label for r in one.plan.results if last and r.code == last["result"]), ""
            ),
            "problem": problem,
            "typed": request.fields if problem else {},
            "said": _said(one, request.fields) if problem and seat is None else "",
        },
    )


def _said(one: CallList, given: Mapping[str, str]) -> str:
    """Write down what was typed of a person whom a colleague has now, to be copied."""
    answers = ((each.text, given.get(f"answer_{each.number}", "")) for each in one.plan.questions)
    lines = [f"{text} — {said}" for text, said in answers if said.strip()]
    return "\n".join([*lines, given.get("note", "")]).strip()


async def done(hub: Hub, request: PluginRequest) -> Answer:
    """Take the next person, keep a result and take the next, give back, or take a result back."""
    one = await list_of(hub, request.path.get("list", ""))
    given = request.fields
    what = given.get("do", "")
    words = translator(request.language)
    person = given.get("person", "")
    named = int(person) if person.isdecimal() and len(person) < 19 else 0
    seat = await held_seat(hub, one, named)
    try:
        if what == "undo":
            await undo(hub, one)
        elif what == "back" and seat is not None:
            await hub.do(GiveBack(person_id=seat.person_id))
            return Redirect(to="/p/telemarketing/")
        elif what.startswith("result-"):
            if seat is None or not named:
                raise Conflict("a colleague has this person now: take the next one", what="taken")
            said = Outcome(
                result=what.removeprefix("result-"),
                answers={
                    name.removeprefix("answer_"): text
                    for name, text in given.items()
                    if name.startswith("answer_")
                },
                note=given.get("note", ""),
                again=given.get("again", ""),
                made_kind=given.get("made_kind", ""),
                made_title=given.get("made_title", ""),
            )
            label = words(one.plan.result(said.result).label)
            await record(hub, one, seat, said, label)
            await next_seat(hub, await list_of(hub, str(one.id)))
        else:
            await next_seat(hub, one)
    except (Invalid, Conflict, NotFound) as error:
        return await _page(hub, request, one, seat, words(str(error)))
    return Redirect(to=f"/p/telemarketing/{one.id}/desk")
