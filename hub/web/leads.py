"""Leads: the list by status, the card, and its ways to a client or to a reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import boards, merge_reading, survivors
from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.custom import whole_of
from crm_store.leads import begun_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, Invalid, NotFound
from hub.figures import minor_units
from hub.ids import ClientId, DialogId, LeadId
from hub.objects import Ref
from hub.records.objects import Lead, ObjectPage
from hub.rule_desk import RuleDesk
from hub.web.auth import checked_form
from hub.web.board import COLUMN, Card, Column, Zone, refused
from hub.web.board_views import Narrowed, narrowed, show_board
from hub.web.bodies import object_in
from hub.web.card_forms import Values, save_card
from hub.web.filter_bar import Tree
from hub.web.merges import undone_in
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
from hub.web.ref_names import names_by_id
from hub.web.settings.channels import titles_of
from hub.web.short_forms import asks_too_little, own_fields
from triggers import runs as rule_runs

LEAD, CLIENT = NOUNS["lead"], NOUNS["client"]
VIEWS = {
    "": _("All open"),
    "mine": _("Mine"),
    "unanswered": _("Unanswered"),
    "new": _("New ones"),
    "in_work": _("In work"),
    "qualified": _("Converted"),
    "rejected": _("Rejected"),
    "bin": _("Bin"),
}
BOARD = ("new", "in_work")
"""The columns of the board."""
SHOWN = ("title", "name", "phone", "email", "owner_id", "created_at", "source", "channel")
"""What a card of it shows of a lead."""


UNANSWERED: dict[str, object] = {
    "field": "lead.first_response_us",
    "operator": "equals",
    "value": 0,
}
"""Nobody has answered: as the index of response times knows it."""


def _filter(view: str) -> dict[str, object] | None:
    is_open: dict[str, object] = {
        "field": "lead.status",
        "operator": "in",
        "value": ["new", "in_work"],
    }
    if view == "mine":
        mine = {"field": "lead.owner", "operator": "equals", "value": "me"}
        return {"all": [is_open, mine]}
    if view == "unanswered":
        return {"all": [UNANSWERED, is_open]}
    if view in ("new", "in_work", "qualified", "rejected"):
        return {"field": "lead.status", "operator": "equals", "value": view}
    return None if view == "bin" else is_open


def _query(asked: Narrowed, *statuses: str, before: str = "") -> ObjectQuery:
    some: Tree = {"field": "lead.status", "operator": "in", "value": list(statuses)}
    return asked.query(some, sort="", before=before, limit=COLUMN)


async def board(request: Request) -> Response:
    """Show the leads that somebody works on as a board."""

    def fill(reader: Reader, asked: Narrowed) -> dict[str, Any]:
        heaps = boards.heaps_by(reader, LEAD, "status", _query(asked, *BOARD))
        users = {int(one.id): one.name for one in user_reads.all_users(reader)}
        found = reads.pages(reader, LEAD, [_query(asked, status) for status in BOARD], SHOWN)
        columns = [
            _column(status, heaps.get(status, boards.Heap()), users, each)
            for status, each in zip(BOARD, found, strict=True)
        ]
        return {"columns": columns}

    return await show_board(
        request, SCREEN, fill, by=("lead.status",), template="leadboard", zones=ZONES
    )


def _column(
    status: str, heap: boards.Heap, users: Mapping[int, str], found: ObjectPage[Lead]
) -> Column:
    cards = tuple(
        Card(
            id=str(one.id),
            title=one.title,
            href=f"/leads/{one.id}",
            who=" · ".join(part for part in (one.name, one.phone or one.email) if part),
            owner=users.get(one.owner_id, ""),
            owner_id=one.owner_id,
            since=one.created_at,
            label=one.source or one.channel,
        )
        for one in found.items
    )
    return Column(
        key=status,
        title=VIEWS[status],
        count=heap.count,
        cards=cards,
        next=found.next,
        takes=status != "new",
    )


ZONES = (
    Zone(
        key="qualified",
        title=_("Convert"),
        tone="good",
        icon="check",
        asks="open",
        combo="Shift+Q",
    ),
    Zone(
        key="rejected",
        title=_("Reject"),
        tone="bad",
        icon="x",
        asks="reason",
        combo="Shift+X",
    ),
)


async def column(request: Request) -> Response:
    """Give the following cards of one column."""
    params = request.query_params
    status = params.get("stage", "")
    if status not in ("new", "in_work"):
        raise NotFound("there is no such list")

    def load(reader: Reader) -> dict[str, Any]:
        users = {int(one.id): one.name for one in user_reads.all_users(reader)}
        query = _query(
            narrowed(reader, LEAD.kind, params), status, before=params.get("before", "")[:450]
        )
        return {"column": _column(status, boards.Heap(), users, reads.page(reader, LEAD, query))}

    return page(request, "cards", kind=LEAD.kind, **await request.state.hub.read(load))


async def move(request: Request) -> Response:
    """Put a card of the board somewhere else."""
    body = await object_in(request)
    lead_id = LeadId(number(body.get("card")))
    to = str(body.get("to", ""))
    if body.get("seen") == "rejected":
        command: Command = c.ReopenLead(lead_id=lead_id)
    elif to == "in_work":
        command = c.TakeLead(lead_id=lead_id)
    elif to == "rejected":
        command = c.RejectLead(lead_id=lead_id, reason=str(body.get("comment", "")))
    else:
        raise NotFound("there is no such action")
    try:
        await request.state.hub.do(command)
    except (Conflict, Invalid) as error:
        return refused(request, error)
    return JSONResponse({"ok": True, "id": str(lead_id)})


def _counts(reader: Reader, shown: Shown, found: ObjectPage[Any]) -> dict[str, Any]:
    by_status = reads.counts_by(reader, LEAD, "status")
    return {
        "counts": {"": by_status.get("new", 0) + by_status.get("in_work", 0), **by_status},
    }


SCREEN = Screen(
    noun=LEAD,
    section="leads",
    tabs=VIEWS,
    filters=_filter,
    template="leads",
    beside=True,
    more=_counts,
)


async def leads(request: Request) -> Response:
    """List leads."""
    return await show_list(request, SCREEN)


async def _shown(
    request: Request,
    lead_id: int,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    await seen(request, "lead", lead_id)

    def load(reader: Reader) -> dict[str, Any]:
        keep_plans(reader.conn)
        living = survivors.living_of(reader.conn, LEAD.kind.name, lead_id)
        # Whoever may not see the one hears nothing of the other.
        lead = reads.one(reader, LEAD, living)
        if living != lead_id:
            return {"living": living}
        linked = reads.dialogs_of(reader, Ref(kind="lead", id=lead_id))
        may_talk = reader.viewer.may("dialogs.view")
        return {
            "lead": lead,
            "dialogs": dialog_reads.several(reader, linked) if may_talk else [],
            "client": reads.titles(reader, CLIENT, [lead.client_id]).get(lead.client_id, ""),
            "begun": begun_of(reader, lead_id),
            "person": names_by_id(
                reader, request.app.state.runtime.nouns, "contact", [lead.contact_id]
            ).get(lead.contact_id, ""),
            "earlier": reads.titles(reader, LEAD, [lead.repeat_of]).get(lead.repeat_of, ""),
            "merges": merge_reading.merges_of(reader, "lead", lead_id),
            "undone": undone_in(request, reader, "lead"),
            "likely": _likely(reader, lead) if lead.status in ("new", "in_work") else [],
            "made_by": rule_runs.made_by(reader, "lead", [lead_id]).get(lead_id),
            "kind": whole_of(reader, LEAD).kind,
            **beside_card(request, reader, LEAD, lead_id),
        }

    values = await request.state.hub.read(load)
    if "living" in values:
        # Not for ever: a browser would keep it after the merge is undone.
        return RedirectResponse(f"/leads/{values['living']}", 303)
    kind = values["kind"]
    return page(
        request,
        "lead",
        status,
        groups=groups_of(kind),
        fields=fields_of(kind, values["lead"], given or {}, request.state.zone),
        problem=problem,
        field=field,
        rule_label=RuleDesk(request.app.state.runtime, request.state.hub).label(
            request.state.language
        ),
        channel_titles=titles_of(request),
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

    def command(values: Values, version: int) -> c.Command:
        return c.ChangeLead(lead_id=lead_id, values=values, version=version)

    return await save_card(request, LEAD, lead_id, _shown, command)


async def add(request: Request) -> Response:
    """Make a lead: by hand, or of the dialog that the form names."""
    form = await checked_form(request)
    kind = (await request.state.hub.read(whole_of, LEAD)).kind
    if further := asks_too_little(SCREEN, kind, form):
        return further
    dialog_id = DialogId(number(form.get("dialog", "0") or "0"))
    values = form_values(LEAD.kind, form, request.state.zone)
    try:
        await own_fields(request, kind, form, values)
        command = c.CreateLead(values=values, dialog_id=dialog_id, unless_open=bool(dialog_id))
        lead_id = (await request.state.hub.do(command))[0]
    except (Invalid, Conflict) as error:
        return await not_made(request, SCREEN, error, values)
    return RedirectResponse(f"/leads/{lead_id}", 303)


def _amount(given: str) -> int:
    try:
        return minor_units(given) if given.strip() else 0
    except ValueError as error:
        raise Invalid(str(error), field="amount") from error


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
                interest=str(form.get("interest", "")) if form.get("with_interest") else "",
                amount=_amount(str(form.get("amount", ""))),
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
        Route("/leads/board", board, methods=["GET"]),
        Route("/leads/column", column, methods=["GET"]),
        Route("/leads/move", move, methods=["POST"]),
        Route("/leads/{lead_id:int}", lead, methods=["GET", "POST"]),
        Route("/leads/{lead_id:int}/act", act, methods=["POST"]),
    ]
