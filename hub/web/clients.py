"""Clients: the list, and one card for an organisation or a person with everybody who belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import objects as reads
from crm_store import people
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.ids import ClientId
from hub.web.auth import checked_form
from hub.web.inbox import number
from hub.web.objects import (
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

CLIENT, LEAD = NOUNS["client"], NOUNS["lead"]


async def clients(request: Request) -> Response:
    """List clients."""
    query = query_of(request, None)
    if wants_csv(request):
        return as_csv(request, CLIENT, query)
    values = await request.state.hub.read(load_list, CLIENT, query)
    return page(
        request,
        "clients",
        kind=CLIENT.kind,
        query=query,
        address=lambda **changes: address_of(request, **changes),
        **values,
    )


async def _shown(
    request: Request,
    client_id: ClientId,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        own = {"field": "lead.client", "operator": "equals", "value": str(client_id)}
        may_see = reader.viewer.may(LEAD.kind.read)
        return {
            "client": reads.one(reader, CLIENT, client_id),
            "contacts": people.people_of(reader, client_id),
            "leads": reads.page(reader, LEAD, ObjectQuery(filter=own)).items if may_see else (),
            "history": history_of(reader, CLIENT, client_id, request.state.language),
            **colleagues(reader),
        }

    values = await request.state.hub.read(load)
    return page(
        request,
        "client",
        status,
        kind=CLIENT.kind,
        groups=groups_of(CLIENT.kind),
        fields=fields_of(CLIENT.kind, values["client"], given or {}),
        problem=problem,
        field=field,
        **values,
    )


def _id(request: Request) -> ClientId:
    return ClientId(number(request.path_params["client_id"]))


async def client(request: Request) -> Response:
    """Show a client, or save its form."""
    client_id = _id(request)
    if request.method == "GET":
        return await _shown(request, client_id)
    form = await checked_form(request)
    values = form_values(CLIENT.kind, form)
    try:
        command = c.ChangeClient(
            client_id=client_id, values=values, version=number(form.get("version", "0"))
        )
        await request.state.hub.do(command)
    except (Invalid, Conflict) as error:
        field = error.field if isinstance(error, Invalid) else ""
        return await _shown(request, client_id, 422, values, refusal(request, error), field)
    return RedirectResponse(f"/clients/{client_id}", 303)


async def add(request: Request) -> Response:
    """Make a client by hand."""
    form = await checked_form(request)
    given = {name: str(form.get(name, "")) for name in ("phone", "email")}
    command = c.CreateClient(
        name=str(form.get("name", "")),
        organisation=form.get("organisation") == "yes",
        values=given,
    )
    try:
        client_id = (await request.state.hub.do(command))[0]
    except Invalid:
        return RedirectResponse("/clients?new=1", 303)
    return RedirectResponse(f"/clients/{client_id}", 303)


async def act(request: Request) -> Response:
    """Put a client into the bin, or take it out."""
    client_id = _id(request)
    form = await checked_form(request)
    restore = form.get("do") == "restore"
    await request.state.hub.do(c.RemoveClient(client_id=client_id, restore=restore))
    return RedirectResponse(f"/clients/{client_id}", 303)


def routes() -> list[BaseRoute]:
    """Give the routes of clients."""
    return [
        Route("/clients", clients, methods=["GET"]),
        Route("/clients", add, methods=["POST"]),
        Route("/clients/{client_id:int}", client, methods=["GET", "POST"]),
        Route("/clients/{client_id:int}/act", act, methods=["POST"]),
    ]
