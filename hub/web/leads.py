"""Leads: the list by status, the card, and its ways to a client or to a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import ClientId, DialogId, LeadId
from hub.objects import Ref
from hub.web.auth import checked_form
from hub.web.inbox import number
from hub.web.objects import (
    _,
    address_of,
    as_csv,
    colleagues,
    fields_of,
    form_values,
    groups_of,
    history_of,
    load_list,
    page,
    query_of,
    refusal,
    wants_csv,
)

LEAD, CLIENT = NOUNS["lead"], NOUNS["client"]
VIEWS = {
    "": _("All open"),
    "mine": _("Mine"),
    "new": _("New ones"),
    "in_work": _("In work"),
    "qualified": _("Converted"),
    "rejected": _("Rejected"),
    "bin": _("Bin"),
}


def _filter(view: str) -> dict[str, object] | None:
    is_open: dict[str, object] = {
        "field": "lead.status",
        "operator": "in",
        "value": ["new", "in_work"],
    }
    if view == "mine":
        mine = {"field": "lead.owner", "operator": "equals", "value": "me"}
        return {"all": [is_open, mine]}
    if view in ("new", "in_work", "qualified", "rejected"):
        return {"field": "lead.status", "operator": "equals", "value": view}
    return None if view == "bin" else is_open


async def leads(request: Request) -> Response:
    """List leads."""
    view = request.query_params.get("view", "")
    view = view if view in VIEWS else ""
    query = query_of(request, _filter(view))
    if wants_csv(request):
        return as_csv(request, LEAD, query)

    def load(reader: Reader) -> dict[str, Any]:
        by_status = reads.counts_by(reader, LEAD, "status")
        counts = {"": by_status.get("new", 0) + by_status.get("in_work", 0), **by_status}
        return {"counts": counts, **load_list(reader, LEAD, query)}

    values = await request.state.hub.read(load)
    return page(
        request,
        "leads",
        kind=LEAD.kind,
        views=VIEWS,
        view=view,
        query=query,
        address=lambda **changes: address_of(request, **changes),
        **values,
    )


async def _shown(
    request: Request,
    lead_id: int,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        lead = reads.one(reader, LEAD, lead_id)
        linked = reads.dialogs_of(reader, Ref(kind="lead", id=lead_id))
        may_talk = reader.viewer.may("dialogs.view")
        return {
            "lead": lead,
            "dialogs": dialog_reads.several(reader, linked) if may_talk else [],
            "client": reads.titles(reader, CLIENT, [lead.client_id]).get(lead.client_id, ""),
            "earlier": reads.titles(reader, LEAD, [lead.repeat_of]).get(lead.repeat_of, ""),
            "likely": _likely(reader, lead) if lead.status in ("new", "in_work") else [],
            "history": history_of(reader, LEAD, lead_id, request.state.language),
            **colleagues(reader),
        }

    values = await request.state.hub.read(load)
    return page(
        request,
        "lead",
        status,
        kind=LEAD.kind,
        groups=groups_of(LEAD.kind),
        fields=fields_of(LEAD.kind, values["lead"], given or {}),
        problem=problem,
        field=field,
        **values,
    )


def _likely(reader: Reader, lead: Any) -> list[Any]:
    """Give clients that this lead may belong to, by what is known of it."""
    if not reader.viewer.may(CLIENT.kind.read):
        return []
    found: dict[int, Any] = {}
    for text in (lead.phone, lead.email, lead.company, lead.name):
        if len(text) > 2 and len(found) < 5:
            query = ObjectQuery(text=text, limit=5)
            found |= {one.id: one for one in reads.page(reader, CLIENT, query).items}
    return list(found.values())[:5]


def _id(request: Request) -> LeadId:
    return LeadId(number(request.path_params["lead_id"]))


async def lead(request: Request) -> Response:
    """Show a lead, or save its form."""
    lead_id = _id(request)
    if request.method == "GET":
        return await _shown(request, lead_id)
    form = await checked_form(request)
    values = form_values(LEAD.kind, form)
    try:
        command = c.ChangeLead(
            lead_id=lead_id, values=values, version=number(form.get("version", "0"))
        )
        await request.state.hub.do(command)
    except (Invalid, Conflict) as error:
        field = error.field if isinstance(error, Invalid) else ""
        return await _shown(request, lead_id, 422, values, refusal(request, error), field)
    return RedirectResponse(f"/leads/{lead_id}", 303)


async def add(request: Request) -> Response:
    """Make a lead: by hand, or of the dialog that the form names."""
    form = await checked_form(request)
    dialog_id = DialogId(number(form.get("dialog", "0") or "0"))
    command = c.CreateLead(
        values=form_values(LEAD.kind, form), dialog_id=dialog_id, unless_open=bool(dialog_id)
    )
    try:
        lead_id = (await request.state.hub.do(command))[0]
    except Invalid:
        return RedirectResponse("/leads?new=1", 303)
    return RedirectResponse(f"/leads/{lead_id}", 303)


def _wish(lead_id: LeadId, form: Mapping[str, Any]) -> Command:
    match str(form.get("do", "")):
        case "take":
            return c.TakeLead(lead_id=lead_id)
        case "reject":
            return c.RejectLead(lead_id=lead_id, reason=str(form.get("reason", "")))
        case "reopen":
            return c.ReopenLead(lead_id=lead_id)
        case "convert":
            return c.ConvertLead(
                lead_id=lead_id,
                client_id=ClientId(number(form.get("client", "0") or "0")),
                name=str(form.get("client_name", "")),
                organisation=form.get("is_organisation") == "yes",
            )
        case "undo":
            return c.UndoConversion(lead_id=lead_id)
        case "remove":
            return c.RemoveLead(lead_id=lead_id)
        case "restore":
            return c.RemoveLead(lead_id=lead_id, restore=True)
    raise NotFound("there is no such action")


async def act(request: Request) -> Response:
    """Move a lead on its way."""
    lead_id = _id(request)
    form = await checked_form(request)
    try:
        await request.state.hub.do(_wish(lead_id, form))
    except (Invalid, Conflict) as error:
        return await _shown(request, lead_id, 422, problem=refusal(request, error))
    return RedirectResponse(f"/leads/{lead_id}", 303)


def routes() -> list[BaseRoute]:
    """Give the routes of leads."""
    return [
        Route("/leads", leads, methods=["GET"]),
        Route("/leads", add, methods=["POST"]),
        Route("/leads/{lead_id:int}", lead, methods=["GET", "POST"]),
        Route("/leads/{lead_id:int}/act", act, methods=["POST"]),
    ]
