"""The pages of call lists for who plans them: the list of lists, one list, its report."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub import (
    Answer,
    Conflict,
    File,
    Hub,
    Invalid,
    NotAllowed,
    Page,
    PluginRequest,
    Redirect,
    Route,
    UserId,
)
from plugins.telemarketing.commands import SaveCallList
from plugins.telemarketing.doing import (
    SEE,
    WORK,
    add_numbers,
    all_lists,
    list_of,
    people_behind,
    progress,
    steer,
    unasked,
)
from plugins.telemarketing.filling import MANAGE, EndFill, fill, fill_of
from plugins.telemarketing.plans import STATES, CallList, results_of, script_of
from plugins.telemarketing.reports import as_csv, as_xlsx, report_of, table_of
from plugins.telemarketing.texts import MADE_WORDS, NUMBER_WORDS, translator

US = 1_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    one = "/{list}"
    return [
        Route(path="/", endpoint=overview, permission=WORK),
        Route(path="/new", endpoint=shown, permission=MANAGE),
        Route(path="/new", endpoint=save, methods=("POST",), permission=MANAGE),
        Route(path=one, endpoint=shown, permission=SEE),
        Route(path=one, endpoint=save, methods=("POST",), permission=MANAGE),
        Route(path=f"{one}/report", endpoint=reported, permission=SEE),
        Route(path=f"{one}/report", endpoint=segment, methods=("POST",), permission=MANAGE),
        Route(path=f"{one}/calls.csv", endpoint=exported, permission="lists.export"),
        Route(path=f"{one}/calls.xlsx", endpoint=exported, permission="lists.export"),
    ]


def frame(request: PluginRequest) -> dict[str, object]:
    """Give what every page of this place needs."""
    return {
        "section": "marketing",
        "tab": "Calls",
        "edits": MANAGE in request.may,
        "works": WORK in request.may,
        "sees": SEE in request.may,
        "states": STATES,
    }


async def overview(hub: Hub, request: PluginRequest) -> Answer:
    """The lists, the newest first, with how far each has come."""
    removed = request.query.get("removed") == "1"
    found = await all_lists(hub, removed=removed)
    counted = await progress(hub, [one.id for one in found])
    values = {"rows": [(one, counted[one.id]) for one in found], "removed": removed}
    title = translator(request.language)(_("Calls"))
    return Page(template="list.html", title=title, values={**frame(request), **values})


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One list, or a new one."""
    number = request.path.get("list", "")
    one = await list_of(hub, number) if number else CallList(id=0, title="")
    return await _page(hub, request, one)


async def _page(hub: Hub, request: PluginRequest, one: CallList, problem: str = "") -> Page:
    words = translator(request.language)
    counted = (await progress(hub, [one.id]))[one.id]
    users = []
    for team in await hub.teams():
        users += [each for each in team.members if each not in users]
    return Page(
        template="one.html",
        title=one.title or words(_("New call list")),
        status=422 if problem else 200,
        values={
            **frame(request),
            "one": one,
            "plan": one.plan,
            "n": counted,
            "filling": await fill_of(hub, one.id),
            "segments": await hub.segments(),
            "unasked": await unasked(hub, one),
            "teams": await hub.teams(),
            "users": [await hub.user(UserId(each)) for each in users],
            "problem": problem,
            "typed": request.fields,
            "script": "\n".join(each.line for each in one.plan.questions),
            "own": "\n".join(("+ " if r.again else "") + r.label for r in one.plan.own_results),
        },
    )


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Take the form: save, start, pause, end, put away, add people."""
    number = request.path.get("list", "")
    one = await list_of(hub, number) if number else CallList(id=0, title="")
    what = request.fields.get("do", "save")
    try:
        if what in ("save", "start"):
            (saved,) = await hub.do(_saving(request, one))
            one = await list_of(hub, str(saved))
        if what == "start":
            await steer(hub, one, "running")
        elif what == "fill":
            await fill(hub, one)
        elif what == "enough":
            await hub.do(EndFill(list_id=one.id))
        elif what == "numbers":
            _new, left = await add_numbers(hub, one, request.fields.get("numbers", ""))
            if left:
                words = translator(request.language)
                problem = words(_("These lines could not be taken: {lines}"))
                return await _page(hub, request, one, problem.format(lines=", ".join(left[:10])))
        elif what in STATES:
            await steer(hub, one, what)
    except (Invalid, Conflict) as error:
        return await _page(hub, request, one, translator(request.language)(str(error)))
    return Redirect(to="/p/telemarketing/" if what == "removed" else f"/p/telemarketing/{one.id}")


def _saving(request: PluginRequest, one: CallList) -> SaveCallList:
    given = request.fields
    version = given.get("version", "")
    plan: dict[str, object] = {
        name: given.get(name, "")
        for name in ("words", "attempts", "interval_minutes", "call_from", "call_until", "team_id")
    }
    plan["segment_id"] = given.get("segment_id", one.plan.segment_id)
    plan["advertising"] = given.get("advertising") == "yes"
    plan["questions"] = script_of(given.get("script", ""))
    plan["results"] = results_of(given.get("own", ""))
    plan["callers"] = [name.removeprefix("caller_") for name in given if name.startswith("caller_")]
    return SaveCallList(
        list_id=one.id,
        title=given.get("title", ""),
        plan=plan,
        version=int(version) if one.id and version.isdecimal() else None,
    )


async def reported(hub: Hub, request: PluginRequest) -> Answer:
    """The numbers of a list."""
    one = await list_of(hub, request.path.get("list", ""))
    return Page(
        template="report.html",
        title=one.title,
        values={
            **frame(request),
            "one": one,
            "report": await report_of(hub, one),
            "made_words": MADE_WORDS,
            "exports": "lists.export" in request.may,
        },
    )


async def segment(hub: Hub, request: PluginRequest) -> Answer:
    """Open the people behind a number as a segment."""
    one = await list_of(hub, request.path.get("list", ""))
    what = request.fields.get("what", "")
    words = translator(request.language)
    labels = {f"result:{each.code}": each.label for each in one.plan.results} | NUMBER_WORDS
    name = words(labels.get(what, what.rpartition(":")[2]))
    return Redirect(to=f"/segments/{await people_behind(hub, one, what, name)}")


async def exported(hub: Hub, request: PluginRequest) -> Answer:
    """Every call of a list as a file, for who sees its report and may export."""
    if not await hub.may(SEE):
        raise NotAllowed(f"this needs the right {SEE}")
    one = await list_of(hub, request.path.get("list", ""))
    me = await hub.user(UserId(hub.actor.id))
    zone = ZoneInfo(me.time_zone or (await hub.brand()).time_zone or "UTC")

    def wall(at: int) -> str:
        return f"{datetime.fromtimestamp(at / US, UTC).astimezone(zone):%Y-%m-%d %H:%M}"

    table = await table_of(hub, one, translator(request.language), wall)
    if request.url.partition("?")[0].endswith(".xlsx"):
        return File(content=as_xlsx(table), media_type=XLSX, name=f"calls-{one.id}.xlsx")
    name = f"calls-{one.id}.csv"
    return File(content=as_csv(table), media_type="text/csv; charset=utf-8", name=name)
