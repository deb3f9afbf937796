"""Two cards that are one: what is alike, the preview with its choice of fields, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import duplicates as duplicate_reads
from crm_store import merge_reading
from crm_store import objects as reads
from crm_store import people as person_reads
from crm_store.custom import whole
from crm_store.objects import NOUNS, Noun, ObjectQuery
from crm_store.search import search_contacts
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, HubError, Invalid
from hub.ids import ClientId, ContactId, LeadId, MergeId
from hub.properties import PropertyType
from hub.records.people import MergeField, MergePreview
from hub.web.auth import checked_form
from hub.web.filter_bar import Tree
from hub.web.i18n import translate
from hub.web.numbers import number
from hub.web.objects import (
    colleagues,
    page,
    refusal,
    said_value,
)
from hub.web.ref_names import names_by_id

LEAD = NOUNS["lead"]
KINDS = {"/contacts": "contact", "/clients": "client", "/leads": "lead"}
"""Kinds whose cards are merged, by the path of their pages."""
PER_PAGE = 30
LIKELY = 8


def _(text: str) -> str:
    return text


def _fields_shown(
    preview: MergePreview, noun: Noun, known: Mapping[str, Any], language: str, zone: str
) -> list[dict[str, Any]]:
    def said(field: MergeField, value: object) -> str:
        prop = noun.kind.property(field.name)
        if prop.type is PropertyType.FLAG:
            return translate(language, _("yes") if value else _("no"))
        if prop.type is PropertyType.FILE:
            files = {**preview.survivor.custom.files, **preview.merged.custom.files}
            return files[value].name if value in files else ""
        words = said_value(prop, value, known, language, zone)
        if not words and prop.type is PropertyType.REF and value:
            return f"№ {value}"
        return words

    return [
        {
            "name": one.name,
            "label": noun.kind.property(one.name).translations.get(
                language, noun.kind.property(one.name).label
            ),
            "mine": said(one, one.survivor),
            "theirs": said(one, one.merged),
            "fills": one.fills,
        }
        for one in preview.fields
    ]


def _found(reader: Reader, kind: str, asked: str, but: int) -> Sequence[Any]:
    if not asked:
        return ()
    if kind == "contact":
        found: Sequence[Any] = search_contacts(reader, asked, LIKELY)
    else:
        found = reads.page(reader, NOUNS[kind], ObjectQuery(text=asked, limit=LIKELY)).items
    return [one for one in found if one.id != but]


def _repeats(reader: Reader, lead_id: int) -> Sequence[Any]:
    """Give the lead that one repeats, and those that repeat it."""
    repeats: Tree = {"field": "lead.repeat_of", "operator": "equals", "value": lead_id}
    found = list(reads.page(reader, LEAD, ObjectQuery(filter=repeats, limit=LIKELY)).items)
    earlier = reads.one(reader, LEAD, lead_id).repeat_of
    if earlier and reads.has(reader, LEAD, earlier, none_of=("deleted_at",)):
        found.insert(0, reads.one(reader, LEAD, earlier))
    return found


async def merge(request: Request) -> Response:
    """Choose with whom, look at what will happen, and merge."""
    path = f"/{request.url.path.split('/')[1]}"
    kind = KINDS[path]
    mine = number(request.path_params["object_id"])
    other = number(request.query_params.get("with", "0") or "0")
    asked = request.query_params.get("q", "")[:200]
    language = request.state.language
    problem = ""
    if request.method == "POST":
        form = await checked_form(request)
        other = number(form.get("with", "0"))
        take = tuple(
            str(name).removeprefix("take-")
            for name, value in form.items()
            if str(name).startswith("take-") and value == "theirs"
        )
        try:
            merged = (await request.state.hub.do(_merging(kind, mine, other, take)))[0]
        except (Invalid, Conflict) as error:
            problem = refusal(request, error)
        else:
            return RedirectResponse(f"{path}/{mine}?merged={merged}", 303)

    def load(reader: Reader) -> dict[str, Any]:
        reader.viewer.need(NOUNS[kind].kind.write)
        noun = whole(reader.conn, NOUNS[kind])
        preview = merge_reading.merge_preview(reader, kind, mine, other) if other else None
        return {
            "card": reads.one(reader, NOUNS[kind], mine),
            "preview": preview,
            "differs": _fields_shown(
                preview, noun, colleagues(reader), language, request.state.zone
            )
            if preview
            else [],
            # By these namesakes are told apart.
            "reached": {
                one: person_reads.contact(reader, ContactId(one)).addresses
                for one in (mine, other)
                if preview and kind == "contact"
            },
            "pairs": duplicate_reads.pairs_of(reader, kind, mine)
            if kind != "lead" and not other
            else [],
            "found": _found(reader, kind, asked, mine) if not other else (),
            "repeats": _repeats(reader, mine) if kind == "lead" and not other else (),
        }

    values = await request.state.hub.read(load)
    status = 422 if problem else 200
    return page(
        request,
        "merge",
        status,
        kind=NOUNS[kind].kind,
        path=path,
        asked=asked,
        problem=problem,
        **values,
    )


def _merging(kind: str, mine: int, other: int, take: tuple[str, ...]) -> Command:
    if kind == "lead":
        return c.MergeLeads(survivor_id=LeadId(mine), merged_id=LeadId(other), take=take)
    if kind == "client":
        return c.MergeClients(survivor_id=ClientId(mine), merged_id=ClientId(other), take=take)
    return c.MergeContacts(survivor_id=ContactId(mine), merged_id=ContactId(other), take=take)


def undone_in(request: Request, reader: Reader, kind: str) -> tuple[int, str] | None:
    """Give the card that an undone merge brought back, where the address names it."""
    back = number(request.query_params.get("undone", "0") or "0")
    names = names_by_id(reader, request.app.state.runtime.nouns, kind, [back])
    return (back, names[back]) if names.get(back) else None


async def undo(request: Request) -> Response:
    """Make one card two again."""
    form = await checked_form(request)
    back = str(form.get("back", "/contacts"))
    if not back.startswith(tuple(f"{one}/" for one in KINDS)):
        back = "/contacts"
    merge_id = MergeId(number(form.get("merge", "0")))
    leads = form.get("kind") == "lead"
    command = c.UndoMergeLeads(merge_id=merge_id) if leads else c.UndoMerge(merge_id=merge_id)
    try:
        restored = (await request.state.hub.do(command))[0]
    except HubError as error:
        return page(
            request,
            "refused",
            409,
            problem=translate(request.state.language, str(error)),
            back=back,
        )
    return RedirectResponse(f"{back}?undone={restored}", 303)


async def pairs(request: Request) -> Response:
    """Show pairs that may be one, or remember that two are not."""
    kind = "client" if request.query_params.get("kind") == "client" else "contact"
    if request.method == "POST":
        form = await checked_form(request)
        kind = "client" if form.get("kind") == "client" else "contact"
        one, other = number(form.get("a", "0")), number(form.get("b", "0"))
        await request.state.hub.do(c.RejectDuplicate(kind=kind, a_id=one, b_id=other))
        back = str(form.get("back", ""))
        safe = back.startswith(("/contacts/", "/clients/"))
        return RedirectResponse(back if safe else f"/duplicates?kind={kind}", 303)
    before = request.query_params.get("before", "")[:60]
    found, following = await request.state.hub.read(duplicate_reads.pairs, kind, before, PER_PAGE)
    return page(
        request, "duplicates", kind=NOUNS[kind].kind, pairs=found, next=following, which=kind
    )


async def like(request: Request) -> Response:
    """Say which cards are like one that is being typed."""
    params = request.query_params
    kind = "client" if params.get("kind") == "client" else "contact"
    values = {name: params.get(name, "")[:200] for name in ("name", "phone", "email", "inn")}
    found = await request.state.hub.read(duplicate_reads.alike, kind, values)
    path = "/clients" if kind == "client" else "/contacts"
    return page(request, "like", found=found, path=path)


def routes() -> list[BaseRoute]:
    """Give the routes of merging."""
    return [
        Route("/contacts/{object_id:int}/merge", merge, methods=["GET", "POST"]),
        Route("/clients/{object_id:int}/merge", merge, methods=["GET", "POST"]),
        Route("/leads/{object_id:int}/merge", merge, methods=["GET", "POST"]),
        Route("/merges/undo", undo, methods=["POST"]),
        Route("/duplicates", pairs, methods=["GET", "POST"]),
        Route("/duplicates/like", like, methods=["GET"]),
    ]
