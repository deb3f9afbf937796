"""People: the list, one contact person's card, merging cards, pairs that may be one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from crm_store import dialogs as dialog_reads
from crm_store import duplicates as duplicate_reads
from crm_store import journey as ways
from crm_store import merge_reading
from crm_store import objects as reads
from crm_store import people as person_reads
from crm_store import person_timeline as lines
from crm_store.custom import whole_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.segment_memberships import segments_of
from crm_store.sql import keep_plans, plan_for_all
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import AddressId, ClientId, ContactId
from hub.messages import Address
from hub.records.dialogs import DialogQuery
from hub.web.addresses import given_address, kinds_offered, problem_of
from hub.web.auth import checked_form
from hub.web.card_forms import Values, save_card
from hub.web.merges import undone_in
from hub.web.numbers import number
from hub.web.object_lists import Screen, show_list
from hub.web.objects import (
    beside_card,
    fields_of,
    groups_of,
    page,
)
from hub.web.settings.channels import address_kinds, opening_kinds, titles_of
from hub.web.short_forms import asks_too_little, own_fields

CONTACT, CLIENT = NOUNS["contact"], NOUNS["client"]
SCREEN = Screen(noun=CONTACT, section="contacts", template="people")
PER_PAGE = 30
LIKELY = 8


def _(text: str) -> str:
    return text


FILTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "": (_("Everything"), ()),
    "talk": (_("Messages"), ("message",)),
    "notes": (_("Notes"), ("note",)),
    "calls": (_("Calls and meetings"), ("call", "meeting")),
    "work": (_("Leads, requests, interests, tasks"), ("lead", "request", "interest", "task")),
    "mailings": (_("Mailings"), ("mailing",)),
    "moves": (_("Stages"), ("move",)),
    "acts": (_("Acts"), ("act",)),
}
"""What a timeline can be narrowed to."""


async def contacts(request: Request) -> Response:
    """List people."""
    return await show_list(request, SCREEN)


async def add(request: Request) -> Response:
    """Add a person by hand."""
    form = await checked_form(request)
    kind = (await request.state.hub.read(whole_of, CONTACT)).kind
    if further := asks_too_little(SCREEN, kind, form):
        return further
    addresses = []
    for network in ("email", "phone"):
        value = str(form.get(network, "")).strip().lower()
        if value:
            addresses.append(Address(kind=network, value=value))
    values: dict[str, object] = {}
    try:
        await own_fields(request, kind, form, values)
        command = c.CreateContact(
            name=str(form.get("name", "")), addresses=tuple(addresses), values=values
        )
        contact_id = (await request.state.hub.do(command))[0]
    except (Invalid, Conflict) as error:
        problem = await problem_of(request, error)
        return await show_list(request, SCREEN, problem, getattr(error, "field", ""), values)
    return RedirectResponse(f"/contacts/{contact_id}", 303)


def timeline_values(request: Request, reader: Reader, subject: lines.Subject) -> dict[str, Any]:
    """Read the part of a timeline that the address asks for."""
    chosen = request.query_params.get("only", "")
    chosen = chosen if chosen in FILTERS else ""
    before = request.query_params.get("until", "")[:50]
    found, following = lines.timeline(reader, subject, FILTERS[chosen][1], before, PER_PAGE)
    return {
        "timeline": found,
        "timeline_next": following,
        "timeline_only": chosen,
        "timeline_filters": FILTERS,
        "timeline_before": before,
        "channel_titles": titles_of(request),
    }


async def _shown(
    request: Request,
    contact_id: ContactId,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    asked = request.query_params.get("client_q", "")[:200]

    def load(reader: Reader) -> dict[str, Any]:
        # Whoever looks for a client by words is planned by them.
        (keep_plans if asked else plan_for_all)(reader.conn)
        reader.viewer.need("contacts.view")
        person = person_reads.contact(reader, contact_id)
        query = DialogQuery(view="everything", contact_id=person.id, limit=100)
        clients = ObjectQuery(text=asked, limit=LIKELY)
        named = reads.titles(reader, CLIENT, [person.client_id])
        subject = lines.of_contact(reader, person.id)
        return {
            "contact": person,
            "client": named.get(person.client_id, ""),
            "clients": reads.page(reader, CLIENT, clients).items if asked else (),
            "segments": segments_of(reader, [person.id]),
            "list": dialog_reads.page(reader, query),
            "merges": merge_reading.merges_of(reader, "contact", person.id),
            "undone": undone_in(request, reader, "contact"),
            "split": merge_reading.split_of(reader, person.id),
            "pairs": duplicate_reads.pairs_of(reader, "contact", person.id),
            "steps": ways.way(reader, subject),
            **timeline_values(request, reader, subject),
            "kind": whole_of(reader, CONTACT).kind,
            "accounts": account_reads.all_accounts(reader),
            **beside_card(request, reader, CONTACT, person.id),
        }

    values = await request.state.hub.read(load)
    clock = datetime.fromtimestamp(values["now_us"] / 1_000_000, UTC)
    kind = values["kind"]
    person = values["contact"]
    if person.id != contact_id:
        # Not for ever: a browser would keep it after the merge is undone.
        return RedirectResponse(f"/contacts/{person.id}", 303)
    # Where he can be written to first: by what he prefers before all.
    opens = opening_kinds(request, values.pop("accounts"))
    prefers = sorted(opens, key=lambda one: (one != person.preferred_channel, one != "email", one))
    groups = [
        (name, [one for one in props if one.name != "client_id"]) for name, props in groups_of(kind)
    ]
    return page(
        request,
        "person",
        status,
        groups=groups,
        fields=fields_of(kind, person, given or {}, request.state.zone),
        problem=problem,
        field=field,
        asked=asked,
        kinds=kinds_offered(request),
        # What people can be reached by, whether or not an address of theirs is known yet.
        offered={"preferred_channel": sorted(address_kinds(request).items())},
        writable=[one for kind in prefers for one in person.addresses if one.kind == kind],
        dialog=None,
        query=DialogQuery(),
        # Most calls are noted when they are over.
        just_now=f"{clock.astimezone(ZoneInfo(request.state.zone or 'UTC')):%Y-%m-%dT%H:%M}",
        **values,
    )


async def contact(request: Request) -> Response:
    """Show a person, or save the form."""
    contact_id = ContactId(number(request.path_params["contact_id"]))
    if request.method == "GET":
        return await _shown(request, contact_id)

    def command(values: Values, version: int) -> Command:
        return c.UpdateContact(contact_id=contact_id, values=values, version=version)

    return await save_card(request, CONTACT, contact_id, _shown, command)


def _meeting(request: Request, contact_id: ContactId, form: Mapping[str, Any]) -> Command:
    values: dict[str, object] = {
        name: str(form.get(name, ""))
        for name in ("title", "form", "participants", "result", "next_step")
    }
    values["contact_id"] = contact_id
    values["owner_id"] = request.state.hub.actor.id
    try:
        at = datetime.fromisoformat(str(form.get("at", "")))
    except ValueError:
        raise Invalid("say when", field="at") from None
    values["at"] = int(at.replace(tzinfo=ZoneInfo(request.state.zone)).timestamp() * 1_000_000)
    return c.CreateObject(kind="meeting", values=values)


def _command(request: Request, contact_id: ContactId, form: Mapping[str, Any]) -> Command:
    address = AddressId(number(form.get("address", "0") or "0"))
    match form.get("do"):
        case "verify":
            return c.VerifyAddress(address_id=address)
        case "unverify":
            return c.VerifyAddress(address_id=address, verified=False)
        case "split":
            return c.SplitContact(address_id=address)
        case "unsplit":
            return c.UndoSplit(contact_id=contact_id)
        case "remove-address":
            return c.RemoveAddress(address_id=address)
        case "add-address":
            given = given_address(str(form.get("kind", "phone")), str(form.get("value", "")))
            return c.AddAddress(contact_id=contact_id, address=given)
        case "client":
            client_id = ClientId(number(form.get("client", "0")))
            return c.UpdateContact(contact_id=contact_id, values={"client_id": client_id})
        case "new-client":
            return c.CreateClient(name=str(form.get("name", "")), contact_id=contact_id)
        case "meeting":
            return _meeting(request, contact_id, form)
    raise NotFound("there is no such action")


async def act(request: Request) -> Response:
    """Do what a button of the card says."""
    contact_id = ContactId(number(request.path_params["contact_id"]))
    form = await checked_form(request)
    try:
        result = (await request.state.hub.do(_command(request, contact_id, form)))[0]
    except (Invalid, Conflict) as error:
        return await _shown(request, contact_id, 422, problem=await problem_of(request, error))
    done = str(form.get("do"))
    if done in ("split", "unsplit"):
        return RedirectResponse(f"/contacts/{result}?done={done}", 303)
    return RedirectResponse(f"/contacts/{contact_id}", 303)


def routes() -> list[BaseRoute]:
    """Give the routes of people."""
    return [
        Route("/contacts", contacts, methods=["GET"]),
        Route("/contacts/new", add, methods=["POST"]),
        Route("/contacts", add, methods=["POST"]),
        Route("/contacts/{contact_id:int}", contact, methods=["GET", "POST"]),
        Route("/contacts/{contact_id:int}/act", act, methods=["POST"]),
    ]
