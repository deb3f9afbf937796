"""Finding what a field of a card refers to, while one types: a client, a person, another object."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import objects as reads
from crm_store.objects import ObjectQuery
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.properties import value_of

MOST = 8
HINTS = ("number", "phone", "email", "company")
"""What tells two of one name apart, where their kind has it."""


async def found(request: Request) -> Response:
    """Give what of a kind is called as somebody types, or what has an id."""
    noun = request.app.state.runtime.nouns.get(request.path_params["kind"])
    if noun is None:
        raise NotFound("there is no such kind")
    text = request.query_params.get("q", "").strip()[:200]
    given = request.query_params.get("id", "")
    object_id = int(given) if given.isdecimal() and len(given) < 19 else 0

    def load(reader: Reader) -> list[dict[str, str]]:
        reader.viewer.need(noun.kind.read)
        if given:
            items = list(reads.objects_by_id(reader, noun, [object_id]).values())
        else:
            items = list(reads.page(reader, noun, ObjectQuery(text=text, limit=MOST)).items)
        known = {one.name for one in noun.kind.properties}
        hint = next((one for one in HINTS if one in known), "")
        return [
            {
                "id": str(one.id),
                "name": str(value_of(one, noun.kind.title)),
                "hint": str(value_of(one, hint) or "") if hint else "",
            }
            for one in items
        ]

    return JSONResponse(await request.state.hub.read(load))


def routes() -> list[BaseRoute]:
    """Give the route."""
    return [Route("/objects/{kind}/find", found, methods=["GET"])]
