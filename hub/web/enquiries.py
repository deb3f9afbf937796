"""Enquiries without a verdict: one list, one key for each verdict, and a way back."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import dialogs as dialog_reads
from crm_store import enquiries as reads
from crm_store import objects as object_reads
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.viewer import Reader
from hub.errors import HubError, NotAllowed
from hub.ids import DialogId
from hub.objects import Ref
from hub.verdicts import Verdict, carried_out, taken_back
from hub.web.bodies import object_in
from hub.web.errors import as_json, status_of
from hub.web.numbers import number
from hub.web.objects import page

PATH = "/enquiries"
PAGE = 50
MOST_OFFERED = 8


async def listed(request: Request) -> Response:
    """Show what waits for a verdict, the oldest first."""
    after = number(request.query_params["after"]) if request.query_params.get("after") else 0

    def load(reader: Reader) -> dict[str, Any]:
        reader.viewer.need("dialogs.view")
        ids = reads.waiting(reader, after=after, limit=PAGE)
        found = {int(one.id): one for one in dialog_reads.several(reader, ids)}
        fitting = reads.fitting(reader, [one.contact_id for one in found.values()])
        return {
            "dialogs": [found[int(one)] for one in ids if int(one) in found],
            "several": {one for one, refs in fitting.items() if reads.of_several(refs)},
            "waiting": reads.count(reader),
            "following": str(ids[-1]) if len(ids) == PAGE else "",
        }

    values = await request.state.hub.read(load)
    return page(request, "enquiries", **values)


async def _asked(request: Request) -> tuple[DialogId, Verdict]:
    if not getattr(request.state, "csrf_checked", False):
        raise NotAllowed("reload the page")
    body = await object_in(request)
    given = body.get("to")
    to: dict[str, Any] = given if isinstance(given, dict) else {}
    kind = str(to.get("kind", ""))[:60]
    return DialogId(number(request.path_params["dialog"])), Verdict(
        what=str(body.get("verdict", "")),
        reason=str(body.get("reason", ""))[:400],
        remember=body.get("remember") is not False,
        to=Ref(kind=kind, id=number(to["id"]) if to.get("id") else 0),
    )


async def say(request: Request) -> Response:
    """Carry a verdict out; gives what undoes it."""
    hub = request.state.hub
    try:
        dialog_id, verdict = await _asked(request)
        made = (await hub.do(*carried_out(await hub.dialog(dialog_id), verdict)))[0]
    except HubError as error:
        return as_json(error, status_of(error), request.state.language)
    to = {"kind": verdict.to.kind, "id": str(verdict.to.id)}
    if verdict.what in ("lead", "request", "interest"):
        to = {"kind": verdict.what, "id": str(made)}
    return JSONResponse({"verdict": verdict.what, "remember": verdict.remember, "to": to})


async def unsay(request: Request) -> Response:
    """Take a verdict back."""
    hub = request.state.hub
    try:
        dialog_id, verdict = await _asked(request)
        await hub.do(*taken_back(await hub.dialog(dialog_id), verdict))
    except HubError as error:
        return as_json(error, status_of(error), request.state.language)
    return JSONResponse({})


async def candidates(request: Request) -> Response:
    """Give what an enquiry may belong to: what its person has open, then what is looked for."""
    text = request.query_params.get("q", "").strip()[:100]
    dialog = await request.state.hub.dialog(DialogId(number(request.path_params["dialog"])))

    def load(reader: Reader) -> list[dict[str, str]]:
        fitting = {} if text else reads.fitting(reader, [dialog.contact_id])
        own = fitting.get(dialog.contact_id, [])
        found = []
        for kind in (*reads.FITTING, "client"):
            noun = NOUNS[kind]
            if not reader.viewer.may(noun.kind.read):
                continue
            query = ObjectQuery(text=text or dialog.contact_name, limit=MOST_OFFERED)
            ids = [one.id for one in own if one.kind == kind]
            fits = object_reads.objects_by_id(reader, noun, ids)
            named = object_reads.page(reader, noun, query).items
            offered = {one: fits[one] for one in ids if one in fits} | {
                one.id: one for one in named
            }
            found += [
                {
                    "kind": kind,
                    "id": str(one.id),
                    "label": str(getattr(one, noun.kind.title)),
                    "group": noun.kind.translations.get(request.state.language, noun.kind.label),
                    "icon": noun.kind.icon,
                }
                for one in offered.values()
            ]
        return found

    return JSONResponse(await request.state.hub.read(load))


def routes() -> list[BaseRoute]:
    """Give the list's routes."""
    return [
        Route(PATH, listed),
        Route(PATH + "/{dialog}/verdict", say, methods=["POST"]),
        Route(PATH + "/{dialog}/back", unsay, methods=["POST"]),
        Route(PATH + "/{dialog}/candidates", candidates),
    ]
