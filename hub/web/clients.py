"""Clients: the list, and one card for an organisation or a person with everybody who belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from babel.numbers import format_decimal
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import client_classes, merge_reading, survivors
from crm_store import clients as client_reads
from crm_store import duplicates as duplicate_reads
from crm_store import journey as ways
from crm_store import objects as reads
from crm_store import person_timeline as lines
from crm_store.belongings import belongings
from crm_store.completeness import COUNTED, POOR, missing_in
from crm_store.custom import whole_of
from crm_store.objects import NOUNS
from crm_store.segment_memberships import segments_of
from crm_store.sql import plan_for_all
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.ids import ClientId
from hub.web.addresses import kinds_offered
from hub.web.auth import checked_form
from hub.web.card_forms import Values, save_card
from hub.web.filter_bar import Tree
from hub.web.i18n import translate
from hub.web.merges import undone_in
from hub.web.numbers import number
from hub.web.object_lists import Screen, not_made, show_list
from hub.web.objects import (
    beside_card,
    fields_of,
    groups_of,
    page,
    refusal,
)
from hub.web.people import timeline_values
from hub.web.short_forms import asks_too_little, own_fields


def _(text: str) -> str:
    return text


CLIENT, INTEREST, LEAD = NOUNS["client"], NOUNS["interest"], NOUNS["lead"]


def _filter(view: str) -> Tree | None:
    if view != "poor":
        return None
    return {"field": "client.completeness", "operator": "less", "value": POOR}


SCREEN = Screen(
    noun=CLIENT,
    section="contacts",
    template="clients",
    tabs={"": _("All"), "poor": _("Poor cards")},
    filters=_filter,
)


async def clients(request: Request) -> Response:
    """List clients."""
    return await show_list(request, SCREEN)


async def _shown(
    request: Request,
    client_id: ClientId,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        # A card asks by its own keys: its two dozen questions would be planned longer than they run.
        plan_for_all(reader.conn)
        survivor = survivors.survivor_of(reader.conn, CLIENT.table, client_id)
        if survivor != client_id:
            return {"survivor": survivor}
        card = reads.one(reader, CLIENT, client_id)
        subject = lines.of_card(reader, client_id)
        people = client_reads.people_of(reader, client_id)
        last_at, bought_at = client_reads.last_dealings(reader, client_id)
        return {
            "client": card,
            "contacts": people,
            "segments": segments_of(reader, [one.id for one in people]),
            "interests": belongings(reader, INTEREST, client_id=client_id),
            "leads": belongings(reader, LEAD, client_id=client_id),
            "last_at": last_at,
            "bought_at": bought_at,
            "class_reason": client_classes.reason(reader, client_id) if card.abc else None,
            "steps": ways.way(reader, subject, card),
            "pairs": duplicate_reads.pairs_of(reader, "client", client_id),
            "undone": undone_in(request, reader, "client"),
            "merges": merge_reading.merges_of(reader, "client", client_id),
            **timeline_values(request, reader, subject),
            "kind": whole_of(reader, CLIENT).kind,
            **beside_card(request, reader, CLIENT, client_id),
        }

    values = await request.state.hub.read(load)
    if "survivor" in values:
        # Not for ever: a browser would keep it after the merge is undone.
        return RedirectResponse(f"/clients/{values['survivor']}", 303)
    kind = values["kind"]
    card = values["client"]
    why = values["class_reason"]
    lacks = missing_in({one: getattr(card, one) for one in COUNTED})
    return page(
        request,
        "client",
        status,
        groups=groups_of(kind),
        kinds=_kinds(request),
        fields=fields_of(kind, values["client"], given or {}, request.state.zone),
        lacks=[[kind.property(name) for name in one] for one in lacks],
        class_share=format_decimal(why.per_mille / 10, locale=request.state.language)
        if why
        else "",
        problem=problem,
        field=field,
        **values,
    )


def _kinds(request: Request) -> list[tuple[str, str]]:
    """Give the kinds of addresses that a client may have, and what they are called."""
    return [*kinds_offered(request), ("site", translate(request.state.language, _("Website")))]


def _id(request: Request) -> ClientId:
    return ClientId(number(request.path_params["client_id"]))


async def client(request: Request) -> Response:
    """Show a client, or save its form."""
    client_id = _id(request)
    if request.method == "GET":
        return await _shown(request, client_id)

    def command(values: Values, version: int) -> c.Command:
        return c.ChangeClient(client_id=client_id, values=values, version=version)

    return await save_card(request, CLIENT, client_id, _shown, command)


async def add(request: Request) -> Response:
    """Make a client by hand."""
    form = await checked_form(request)
    kind = (await request.state.hub.read(whole_of, CLIENT)).kind
    if further := asks_too_little(SCREEN, kind, form):
        return further
    values: dict[str, object] = {name: str(form.get(name, "")) for name in ("phone", "email")}
    try:
        await own_fields(request, kind, form, values)
        command = c.CreateClient(
            name=str(form.get("name", "")),
            organisation=form.get("organisation") == "yes",
            values=values,
        )
        client_id = (await request.state.hub.do(command))[0]
    except (Invalid, Conflict) as error:
        return await not_made(request, SCREEN, error, values)
    return RedirectResponse(f"/clients/{client_id}", 303)


async def act(request: Request) -> Response:
    """Put a client into the bin, or take it out; change one of its addresses."""
    client_id = _id(request)
    form = await checked_form(request)
    if form.get("do") in ADDRESS_ACTS:
        return await _address(request, client_id, form)
    restore = form.get("do") == "restore"
    await request.state.hub.do(c.RemoveClient(client_id=client_id, restore=restore))
    return RedirectResponse(f"/clients/{client_id}", 303)


ADDRESS_ACTS = ("add-address", "label-address", "main-address", "remove-address")


async def _address(request: Request, client_id: ClientId, form: Mapping[str, Any]) -> Response:
    card = await request.state.hub.read(client_reads.client, client_id)
    given = {name: str(form.get(name, "")).strip() for name in ("kind", "value", "label")}
    addresses = [asdict(one) for one in card.every_address]
    meant = next((one for one in addresses if _names(one, given)), None)
    match form["do"]:
        case "add-address":
            addresses.append(given)
        case _ if meant is None:
            # Somebody else has removed it.
            return RedirectResponse(f"/clients/{client_id}", 303)
        case "label-address":
            meant["label"] = given["label"]
        case "main-address":
            for one in addresses:
                one["main"] = one is meant if one["kind"] == meant["kind"] else one["main"]
        case "remove-address":
            addresses.remove(meant)
    command = c.ChangeClient(
        client_id=client_id, values={"addresses": addresses}, version=card.version
    )
    try:
        await request.state.hub.do(command)
    except (Invalid, Conflict) as error:
        return await _shown(request, client_id, 422, problem=refusal(request, error))
    return RedirectResponse(f"/clients/{client_id}", 303)


def _names(one: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    return (one["kind"], one["value"]) == (given["kind"], given["value"])


def routes() -> list[BaseRoute]:
    """Give the routes of clients."""
    return [
        Route("/clients", clients, methods=["GET"]),
        Route("/clients", add, methods=["POST"]),
        Route("/clients/{client_id:int}", client, methods=["GET", "POST"]),
        Route("/clients/{client_id:int}/act", act, methods=["POST"]),
    ]
