"""Interests on screen: the list and the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store.custom import whole_of
from crm_store.interest_particulars import particulars
from crm_store.nouns import NOUNS
from crm_store.pipelines import all_pipelines
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, Invalid, NotFound
from hub.figures import minor_units
from hub.ids import ContactId, DialogId, InterestId, UserId
from hub.objects import Ref
from hub.records.interests import Line, Participant
from hub.web import gates
from hub.web.auth import checked_form
from hub.web.card_forms import Values, save_card
from hub.web.filter_bar import Tree
from hub.web.numbers import number
from hub.web.object_lists import Screen, not_made, show_list
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
from hub.web.ref_names import names_by_id, names_of
from hub.web.short_forms import asks_too_little, own_fields

INTEREST = NOUNS["interest"]
TABS = {
    "": _("In work"),
    "mine": _("Mine"),
    "won": _("Won"),
    "lost": _("Lost"),
    "all": _("All"),
    "bin": _("Bin"),
}


# The first pipeline is named before anybody has chosen a language: its names are translated.
NAMES = (
    _("Sales"),
    _("New"),
    _("Qualification"),
    _("Proposal"),
    _("Negotiation"),
    _("Agreement"),
    _("Too expensive"),
    _("Chose a competitor"),
    _("Not needed any more"),
    _("Does not answer"),
    _("Another reason"),
)


def _is(field: str, value: object) -> Tree:
    return {"field": f"interest.{field}", "operator": "equals", "value": value}


def _filter(view: str) -> Tree | None:
    if view == "mine":
        return {"all": [_is("status", "in_work"), _is("owner", "me")]}
    if view in ("won", "lost"):
        return _is("status", view)
    return None if view in ("bin", "all") else _is("status", "in_work")


SCREEN = Screen(
    noun=INTEREST,
    section="interests",
    tabs=TABS,
    filters=_filter,
    template="interests",
    path="/interests/list",
)


async def listing(request: Request) -> Response:
    """List interests."""
    return await show_list(request, SCREEN)


# -- the card ------------------------------------------------------------------------------


async def _shown(
    request: Request,
    interest_id: int,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
    ask_access: str = "",
) -> Response:
    await seen(request, "interest", interest_id)
    nouns = request.app.state.runtime.nouns

    def load(reader: Reader) -> dict[str, Any]:
        keep_plans(reader.conn)
        one = reads.one(reader, INTEREST, interest_id)
        linked = reads.dialogs_of(reader, Ref(kind="interest", id=interest_id))
        may_talk = reader.viewer.may("dialogs.view")
        more = particulars(reader, interest_id)
        lines = all_pipelines(reader)
        line = next((each for each in lines if each.id == one.pipeline_id), None)
        people = [each.contact_id for each in more.people]
        names = names_of(reader, nouns, INTEREST.kind, [one])
        names.setdefault("contact", {}).update(names_by_id(reader, nouns, "contact", people))
        return {
            "one": one,
            "more": more,
            "line": line,
            "stage": line.stage(one.stage_id) if line is not None else None,
            "ticked": {each.point for each in more.ticks if each.stage_id == one.stage_id},
            "names": names,
            "dialogs": dialog_reads.several(reader, linked) if may_talk else [],
            "kind": whole_of(reader, INTEREST).kind,
            **beside_card(request, reader, INTEREST, interest_id),
        }

    values = await request.state.hub.read(load)
    kind = values["kind"]
    return page(
        request,
        "interest",
        status,
        section="interests",
        groups=groups_of(kind),
        fields=fields_of(kind, values["one"], given or {}, request.state.zone),
        problem=problem,
        field=field,
        ask_access=ask_access,
        **values,
    )


def _id(request: Request) -> InterestId:
    return InterestId(number(request.path_params["interest_id"]))


async def interest(request: Request) -> Response:
    """Show an interest, or save its form."""
    interest_id = _id(request)
    if request.method == "GET":
        return await _shown(request, interest_id)

    def command(values: Values, version: int) -> c.Command:
        return c.ChangeObject(
            kind="interest", object_id=interest_id, values=values, version=version
        )

    return await save_card(request, INTEREST, interest_id, _shown, command)


async def add(request: Request) -> Response:
    """Make an interest: by hand, or of the dialog that the form names."""
    form = await checked_form(request)
    kind = (await request.state.hub.read(whole_of, INTEREST)).kind
    if further := asks_too_little(SCREEN, kind, form):
        return further
    dialog_id = DialogId(number(form.get("dialog", "0") or "0"))
    values = form_values(INTEREST.kind, form, request.state.zone)
    if dialog_id and not values.get("title"):
        # The dialog says what it is about.
        values.pop("title", None)
    for name in ("pipeline_id", "stage_id"):
        if form.get(name):
            values[name] = str(form[name])
    try:
        await own_fields(request, kind, form, values)
        command = c.CreateObject(kind="interest", values=values, dialog_id=dialog_id)
        made = (await request.state.hub.do(command))[0]
    except (Invalid, Conflict) as error:
        return await not_made(request, SCREEN, error, values)
    return RedirectResponse(f"/interests/{made}", 303)


def _lines(form: Any) -> tuple[Line, ...]:
    names, counts, prices = (form.getlist(name) for name in ("what", "quantity", "price"))
    found = []
    for name, count, price in zip(names, counts, prices, strict=False):
        if not str(name).strip():
            continue
        try:
            quantity = round(float(str(count or "1").replace(",", ".").replace(" ", "")) * 1000)
            found.append(
                Line(name=str(name), quantity=quantity, price=minor_units(str(price or "0")))
            )
        except (ValueError, OverflowError):
            raise Invalid("a number is needed", field="lines") from None
    return tuple(found)


def _wish(interest_id: InterestId, form: Any) -> Command:
    do = str(form.get("do", ""))
    match do:
        case "move":
            return gates.step(interest_id, str(form.get("stage", "0")), str(form.get("seen", "")))
        case "win":
            return gates.step(interest_id, gates.WON, "")
        case "lose":
            return c.LoseInterest(
                interest_id=interest_id,
                reason_id=number(form.get("reason", "0") or "0"),
                comment=str(form.get("comment", "")),
            )
        case "reopen":
            return c.ReopenInterest(interest_id=interest_id)
        case "lines":
            return c.SetInterestLines(interest_id=interest_id, lines=_lines(form))
        case "tick" | "untick":
            return c.TickPoint(
                interest_id=interest_id, point=str(form.get("point", "")), done=do == "tick"
            )
        case "people":
            ids, roles = form.getlist("contact"), form.getlist("role")
            without = str(form.get("without", ""))
            return c.SetInterestPeople(
                interest_id=interest_id,
                people=tuple(
                    Participant(contact_id=ContactId(number(one)), role=str(role))
                    for one, role in zip(ids, roles, strict=False)
                    if str(one).strip() and str(one) != without
                ),
            )
        case "helper" | "grant":
            return c.AddCoExecutor(
                interest_id=interest_id,
                user_id=UserId(number(form.get("user", "0") or "0")),
                role=str(form.get("role", "")),
                grant=do == "grant",
            )
        case "unhelper":
            return c.RemoveCoExecutor(
                interest_id=interest_id, user_id=UserId(number(form.get("user", "0")))
            )
        case "remove" | "restore":
            return c.RemoveObject(kind="interest", object_id=interest_id, restore=do == "restore")
    raise NotFound("there is no such action")


async def act(request: Request) -> Response:
    """Move an interest on its way, or change what belongs to it."""
    interest_id = _id(request)
    form = await checked_form(request)
    try:
        await request.state.hub.do(_wish(interest_id, form))
    except (Invalid, Conflict) as error:
        if isinstance(error, Conflict) and error.what == "missing":
            to = gates.WON if form.get("do") == "win" else str(form.get("stage", ""))
            asked = {"to": to, "seen": str(form.get("seen", ""))}
            return await gates.refused(request, interest_id, asked, error)
        problem = refusal(request, error)
        is_access = isinstance(error, Conflict) and error.what == "no_access"
        ask = str(form.get("user", "")) if is_access else ""
        return await _shown(request, interest_id, 422, problem=problem, ask_access=ask)
    return RedirectResponse(f"/interests/{interest_id}", 303)


def routes() -> list[BaseRoute]:
    """Give the routes of interests."""
    return [
        Route("/interests", add, methods=["POST"]),
        Route("/interests/list", listing, methods=["GET"]),
        Route("/interests/{interest_id:int}", interest, methods=["GET", "POST"]),
        Route("/interests/{interest_id:int}/act", act, methods=["POST"]),
        *gates.routes(),
    ]
