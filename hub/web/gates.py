"""Gates on screen: what an interest still lacks for a step, asked for in one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import interest_moves
from crm_store import objects as reads
from crm_store.custom import whole_of
from crm_store.nouns import NOUNS
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, Invalid
from hub.ids import InterestId, StageId
from hub.web.auth import checked_form
from hub.web.card_files import uploaded
from hub.web.interest_boards import told
from hub.web.numbers import number
from hub.web.objects import colleagues, fields_of, form_values, page, refusal
from hub.web.ref_names import names_by_id, names_of

INTEREST = NOUNS["interest"]
WON = "won"


def step(interest_id: InterestId, to: str, seen: str) -> Command:
    """Give the step that a form or an address names."""
    if to == WON:
        return c.WinInterest(interest_id=interest_id)
    return c.MoveInterest(
        interest_id=interest_id, stage_id=StageId(number(to)), seen=StageId(number(seen or "0"))
    )


async def shown(
    request: Request,
    interest_id: int,
    asked: Mapping[str, Any],
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    """Draw the form of what is missing: a page of its own, or only the form for a sheet."""
    to = str(asked.get("to", WON))
    nouns = request.app.state.runtime.nouns

    def load(reader: Reader) -> dict[str, Any]:
        one = reads.one(reader, INTEREST, interest_id)
        fields, points = interest_moves.lacks(
            reader, interest_id, 0 if to == WON else number(to or "0")
        )
        kind = whole_of(reader, INTEREST).kind
        names = names_of(reader, nouns, kind, [one])
        for name in fields:
            # What was chosen and refused is shown again by its name.
            ref, chosen = kind.property(name).ref, str((given or {}).get(name) or "")
            if ref and chosen.isdecimal():
                more = names_by_id(reader, nouns, ref, [int(chosen)])
                names[ref] = {**names.get(ref, {}), **more}
        return {
            "one": one,
            "kind": kind,
            "asks": [kind.property(name) for name in fields],
            "points": points,
            "names": names,
            **colleagues(reader),
        }

    values = await request.state.hub.read(load)
    is_sheet = "x-fragment" in request.headers
    return page(
        request,
        "lacksform" if is_sheet else "lacks",
        status,
        section="interests",
        fields=fields_of(values["kind"], values["one"], given or {}, request.state.zone),
        to=to,
        seen=str(asked.get("seen", "")),
        back=str(asked.get("back", "")),
        given_points=asked.getlist("point") if hasattr(asked, "getlist") else [],
        problem=problem,
        field=field,
        **values,
    )


async def lacking(request: Request) -> Response:
    """Show what is missing for a step, or fill it in and take the step."""
    interest_id = InterestId(number(request.path_params["interest_id"]))
    if request.method == "GET":
        return await shown(request, interest_id, request.query_params)
    form = await checked_form(request)
    to, seen, back = (str(form.get(name, "")) for name in ("to", "seen", "back"))
    hub = request.state.hub

    def load(reader: Reader) -> tuple[Any, tuple[str, ...]]:
        stage = 0 if to == WON else number(to or "0")
        return whole_of(reader, INTEREST).kind, interest_moves.lacks(reader, interest_id, stage)[0]

    kind, wanted = await hub.read(load)
    filled = form_values(kind, form, request.state.zone)
    try:
        filled |= await uploaded(request, kind, form)
    except Invalid as error:
        return await refused(request, interest_id, form, error, filled)
    values = {name: filled[name] for name in wanted if name in filled}
    commands: list[Command] = []
    if values:
        version = number(form.get("version", "0"))
        commands.append(
            c.ChangeObject(kind="interest", object_id=interest_id, values=values, version=version)
        )
    commands += [
        c.TickPoint(interest_id=interest_id, point=str(one)) for one in form.getlist("point")
    ]
    try:
        await hub.do(*commands, step(interest_id, to, seen))
    except (Invalid, Conflict) as error:
        return await refused(request, interest_id, form, error, values)
    is_board = back == "/interests" or back.startswith("/interests?")
    return RedirectResponse(back if is_board else f"/interests/{interest_id}", 303)


async def refused(
    request: Request,
    interest_id: int,
    asked: Mapping[str, Any],
    error: Invalid | Conflict,
    given: Mapping[str, object] | None = None,
) -> Response:
    """Ask for what is missing, saying why the step was not taken."""
    problem = refusal(request, error)
    missing = (await told(request, error)).get("missing")
    if isinstance(missing, list) and missing:
        problem = f"{problem}: {', '.join(missing)}"
    field = error.field if isinstance(error, Invalid) else ""
    return await shown(request, interest_id, asked, 422, given, problem, field)


def routes() -> list[BaseRoute]:
    """Give the routes of gates."""
    return [Route("/interests/{interest_id:int}/lacks", lacking, methods=["GET", "POST"])]
