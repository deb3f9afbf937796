"""Segments on screen: conditions in words, the live size per channel with its reasons, a sample."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from crm_store import segment_fields
from crm_store import segments as reads
from crm_store.segment_facts import EXTRA
from crm_store.segment_uses import segment_uses
from crm_store.viewer import Reader
from hub.commands import FillSegment, RemoveSegment, SaveSegment
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.extensions import UsedBy
from hub.filters import Choice, Fields
from hub.ids import ContactId
from hub.kinds import Kind
from hub.records.segments import Segment
from hub.uses import uses_by_plugins
from hub.web.auth import checked_form
from hub.web.filter_bar import chips as chips_of
from hub.web.filter_bar import joined, parts_of, read_condition, read_tree, written
from hub.web.numbers import number
from hub.web.object_lists import askable, asked_for, said_in
from hub.web.objects import page
from hub.web.ref_names import small_names
from hub.web.settings.channels import address_kinds, sending
from hub.web.settings.common import say

SAMPLE = 20
FEW = 30
"""An estimate of fewer people than so many that were asked only says that they are few."""
MADE_OF = ("any_of", "all_of", "not_in")
PAGE = 500
Tree = Mapping[str, object]


def _(text: str) -> str:
    return text


async def listed(request: Request) -> Response:
    """Show every segment, and how to bring back the one that was just removed."""
    removed = request.query_params.get("removed", "")
    return _page(
        request,
        "list",
        segments=await request.state.hub.read(reads.all_segments),
        removed=removed if removed.isdecimal() and len(removed) < 20 else "",
    )


async def shown(request: Request) -> Response:
    """Show one segment, or a new one."""
    number_text = request.path_params.get("segment_id")
    segment = Segment(id=0, name="", static=bool(request.query_params.get("static")))
    if number_text is not None:
        segment = await request.state.hub.read(reads.one, number(number_text))
    else:
        segment = replace(segment, **_parts(request.query_params))
    return await _form(request, segment)


async def _form(
    request: Request, segment: Segment, problem: str = "", status: int = 200
) -> Response:
    hub, language = request.state.hub, request.state.language
    kind, known = await hub.read(_known, request)
    others = [one for one in await hub.read(reads.all_segments) if one.id != segment.id]
    asked = segment.id or segment.filter or segment.made_of
    counted: dict[str, Any] = {}
    if asked:
        try:
            counted = await _counted(request, segment)
        except HubError as error:
            problem = problem or say(request, str(error))
    chips: list[str] = []
    try:
        chips = await hub.read(_in_words, kind, known, segment.filter, language)
    except HubError as error:
        # A field that it asks for is gone: the page says so, and still lets it be changed.
        chips = [written(one) for one in parts_of(segment.filter)]
        problem = problem or say(request, str(error))
    words = [(one.name, one.translations.get(language, one.label)) for one in askable(kind, known)]
    own, ours = {one.name for one in kind.fields}, set(EXTRA)
    may_remove = segment.id and "mailings.send" in request.state.may
    return _page(
        request,
        "one",
        status,
        segment=segment,
        others=others,
        chips=chips,
        filter=written(segment.filter or None),
        fields=[
            (title, sorted(part, key=lambda one: one[1].lower()))
            for title, part in (
                (_("The person's card"), [one for one in words if one[0] in own]),
                (_("Client, channels and mailings"), [one for one in words if one[0] in ours]),
                (_("Plugins"), [one for one in words if one[0] not in own | ours]),
            )
            if part
        ],
        asked=asked,
        problem=problem,
        uses=await _uses(request, segment.id) if may_remove else [],
        **counted,
    )


async def _counted(request: Request, segment: Segment) -> dict[str, Any]:
    """Count a segment over all channels, with some of its people.

    Where there are very many people it is an estimate, and the page that counts (`exact`) is named.
    """
    hub, topic = request.state.hub, request.query_params.get("topic", "")[:100]
    kinds = sorted({one.address_kind for one in sending(request).values()})
    exact = request.query_params.get("exact") == "1"
    found = await hub.reaches(segment, channels=kinds, topic=topic, exact=exact)
    told = zip(kinds, found.each, strict=True)
    return {
        "total": found.total,
        "sizes": [(kind, one) for kind, one in told if one.reached or kind in ("email", "phone")],
        "sample": []
        if found.estimated
        else await hub.audience(segment, channel="email", limit=SAMPLE),
        "estimated": found.estimated,
        "least": reads.PART * FEW,
        "exact": _exact(request, segment, topic),
    }


def _exact(request: Request, segment: Segment, topic: str) -> str:
    """Give the page on which a segment is counted, as it stands in the form."""
    given: dict[str, Any] = {"exact": "1", "topic": topic}
    if request.method == "GET" and segment.id:
        return f"/segments/{segment.id}?{urlencode(given)}"
    given |= {name: getattr(segment, name) for name in MADE_OF}
    return f"/segments/new?{urlencode({**given, 'filter': written(segment.filter)}, doseq=True)}"


async def _uses(request: Request, segment_id: int) -> list[UsedBy]:
    """Give what makes use of a segment: ours, and what plugins know of."""
    hub = request.state.hub
    found: list[UsedBy] = await hub.read(segment_uses, segment_id)
    return found + await uses_by_plugins(hub, "segment", segment_id)


def _known(reader: Reader, request: Request) -> tuple[Kind, Fields]:
    """Give the card and the fields that can be asked for, with what can be chosen from."""
    choices = tuple(Choice(*one) for one in sorted(address_kinds(request).items()))
    known = {
        name: replace(one, choices=choices) if name == "contact.channel" else one
        for name, one in segment_fields.with_choices(reader).items()
    }
    return segment_fields.card(reader.conn).kind, Fields(known.values())


def _in_words(reader: Reader, kind: Kind, known: Fields, tree: Tree, language: str) -> list[str]:
    said = said_in(reader, kind, reader.nouns)
    return [one.text for one in chips_of(kind, tree, language, said, known)]


async def condition(request: Request) -> Response:
    """Give the operators and the value's field of one property."""
    hub = request.state.hub
    if "contacts.view" not in request.state.may:
        raise NotFound("there is no such list")
    kind, known = await hub.read(_known, request)
    names = await hub.read(small_names, kind)
    return page(request, "condition", act="add", **asked_for(request, kind, known, names))


async def save(request: Request) -> Response:
    """Take the form: add or drop a condition, or save."""
    form = await checked_form(request)
    text = request.path_params.get("segment_id")
    segment_id = number(text) if text is not None else 0
    typed = _typed(form, segment_id)
    what = str(form.get("do", "save"))
    try:
        if form.get("field") and what in ("add", "save"):
            kind, known = await request.state.hub.read(_known, request)
            part = read_condition(kind, form, form.getlist, known)
            typed = _with(typed, [*parts_of(typed.filter), part])
        if what == "add":
            return await _form(request, typed)
        if what.startswith("drop-"):
            at = number(what.removeprefix("drop-"))
            parts = parts_of(typed.filter)
            return await _form(request, _with(typed, [*parts[:at], *parts[at + 1 :]]))
        if what == "fill":
            return await _fill(request, form, segment_id)
        if what.startswith("out-"):
            out = ContactId(number(what.removeprefix("out-")))
            await request.state.hub.do(FillSegment(segment_id=segment_id, remove=(out,)))
            return RedirectResponse(f"/segments/{segment_id}", 303)
        command = SaveSegment(
            segment_id=segment_id,
            name=typed.name,
            static=typed.static,
            filter=typed.filter,
            any_of=typed.any_of,
            all_of=typed.all_of,
            not_in=typed.not_in,
            watched=typed.watched,
            version=typed.version if segment_id else None,
        )
        (saved,) = await request.state.hub.do(command)
    except (Invalid, Conflict) as error:
        if what == "fill":
            # The small form holds nothing of the segment.
            typed = await request.state.hub.read(reads.one, segment_id)
        return await _form(request, typed, say(request, str(error)), 422)
    return RedirectResponse(f"/segments/{saved}?saved=1", 303)


def _with(segment: Segment, parts: list[Tree]) -> Segment:
    return Segment(
        id=segment.id,
        name=segment.name,
        static=segment.static,
        filter=joined(parts) or {},
        any_of=segment.any_of,
        all_of=segment.all_of,
        not_in=segment.not_in,
        watched=segment.watched,
        version=segment.version,
    )


def _parts(given: Any) -> dict[str, Any]:
    """Read what a segment is made of out of a form or an address."""
    made_of = {name: tuple(number(one) for one in given.getlist(name) if one) for name in MADE_OF}
    return {"filter": read_tree(str(given.get("filter", ""))) or {}, **made_of}


def _typed(form: Any, segment_id: int) -> Segment:
    return Segment(
        id=segment_id,
        name=str(form.get("name", ""))[:200],
        static=form.get("static") == "yes",
        **_parts(form),
        watched=form.get("watched") == "yes",
        version=number(form.get("version") or 1),
    )


async def _fill(request: Request, form: Mapping[str, Any], segment_id: int) -> Response:
    """Put the people of another segment, or one person, into a static one."""
    hub = request.state.hub
    source = number(form.get("source") or 0)
    one = str(form.get("contact", "")).strip().rstrip("/").rpartition("/")[2]
    if not source and not one:
        raise Invalid(_("choose a segment or a person first"), field="source")
    if one:
        await _one_in(request, segment_id, one)
    after = 0
    if source:
        other = await hub.read(reads.one, source)
        while people := await hub.audience(other, channel="email", after=after, limit=PAGE):
            ids = tuple(one.contact_id for one in people)
            await hub.do(FillSegment(segment_id=segment_id, add=ids))
            after = people[-1].contact_id
    return RedirectResponse(f"/segments/{segment_id}", 303)


async def _one_in(request: Request, segment_id: int, text: str) -> None:
    hub = request.state.hub
    try:
        contact = await hub.contact(ContactId(number(text)))
    except (Invalid, NotFound) as error:
        raise Invalid(_("no person here has this address or number"), field="contact") from error
    await hub.do(FillSegment(segment_id=segment_id, add=(contact.id,)))


async def remove(request: Request) -> Response:
    """Put a segment away, or (`do` is back) bring it back."""
    form = await checked_form(request)
    segment_id = number(request.path_params["segment_id"])
    back = form.get("do") == "back"
    try:
        await request.state.hub.do(RemoveSegment(segment_id=segment_id, restore=back))
    except Conflict as error:
        if back:
            raise
        segment = await request.state.hub.read(reads.one, segment_id)
        return await _form(request, segment, say(request, str(error)), 409)
    return RedirectResponse(
        f"/segments/{segment_id}" if back else f"/segments?removed={segment_id}", 303
    )


async def export(request: Request) -> Response:
    """Give everybody of a segment as CSV, page by page."""
    if "lists.export" not in request.state.may:
        raise NotAllowed("this needs the right 'lists.export'")
    hub = request.state.hub
    segment = await hub.read(reads.one, number(request.path_params["segment_id"]))

    async def rows() -> AsyncIterator[str]:
        yield "\ufeffid,name,email,phone,time_zone\r\n"
        after = 0
        while people := await hub.audience(segment, channel="email", after=after, limit=PAGE):
            # Who came in or left between the two questions is at most without his phone.
            also = await hub.audience(segment, channel="phone", after=after, limit=PAGE)
            phones = {one.contact_id: one.address for one in also}
            text = io.StringIO()
            writer = csv.writer(text)
            for one in people:
                phone = phones.get(one.contact_id, "")
                cells = [str(one.contact_id), one.name, one.address, phone, one.time_zone]
                writer.writerow(
                    [f"'{cell}" if cell[:1] in "=@+-\t" and cell else cell for cell in cells]
                )
            yield text.getvalue()
            after = people[-1].contact_id

    headers = {"content-disposition": f'attachment; filename="segment-{segment.id}.csv"'}
    return StreamingResponse(rows(), headers=headers, media_type="text/csv; charset=utf-8")


def _page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    response: Response = request.app.state.renderer.page(
        request, f"segments/{name}.html", status, **values
    )
    return response


def routes() -> list[Route]:
    """Give the routes."""
    return [
        Route("/segments", listed),
        Route("/segments/new", shown),
        Route("/segments/new", save, methods=["POST"]),
        Route("/segments/condition", condition),
        Route("/segments/{segment_id:int}", shown),
        Route("/segments/{segment_id:int}", save, methods=["POST"]),
        Route("/segments/{segment_id:int}/remove", remove, methods=["POST"]),
        Route("/segments/{segment_id:int}/export", export),
    ]
