"""Short forms that make an object: its first fields, and those of one's own that it cannot be without.

Files that a short form brings are kept first (`card_files`). Where something in it is refused, the
form stands above the list again, with what was typed and the files that were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from hub.errors import Invalid
from hub.kinds import Kind
from hub.properties import PropertyType
from hub.web.card_files import uploaded
from hub.web.object_lists import Screen
from hub.web.objects import form_values

TAKEN_ALONG = ("dialog", "client_id", "title")
"""What a form that asks too little hands on to the whole one."""


def asks_too_little(screen: Screen, kind: Kind, form: Mapping[str, Any]) -> RedirectResponse | None:
    """Give the way to the list's form where another, of one press, does not ask for what is needed.

    So a lead is made of a dialog by one press, until the organisation cannot do without a field.
    """
    needed = [
        one.name
        for one in kind.properties
        if one.is_custom and one.required and one.type not in (PropertyType.FLAG, PropertyType.TAGS)
    ]
    if all(one in form for one in needed):
        return None
    along = {name: str(form[name]) for name in TAKEN_ALONG if form.get(name)}
    path = screen.path or f"/{kind.path}"
    return RedirectResponse(f"{path}?{urlencode({'new': 'yes', **along})}", 303)


async def own_fields(
    request: Request, kind: Kind, form: Mapping[str, Any], values: dict[str, object]
) -> None:
    """Put into `values` what a short form says of fields of one's own.

    Raises Invalid for what is not filled; files that came with it are in `values` by then.
    """
    own = replace(kind, properties=tuple(one for one in kind.properties if one.is_custom))
    said = form_values(own, form, request.state.zone)
    values |= {name: value for name, value in said.items() if name in form}
    values |= await uploaded(request, own, form)
    for prop in own.properties:
        if prop.required and values.get(prop.name) == "":
            raise Invalid("this is needed", field=prop.name)
