"""Saving the form of a whole card: what was refused is shown again, with what was typed and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_store.nouns import Noun
from hub.commands import Command
from hub.errors import Conflict, Invalid
from hub.web.auth import checked_form
from hub.web.card_files import uploaded
from hub.web.numbers import number
from hub.web.objects import form_values, refusal, whole_of

Values = dict[str, object]
Shown = Callable[[Request, Any, int, Values, str, str], Awaitable[Response]]
"""Draws the card again: its id, the status, what was typed, why it was refused, at which field."""


async def save_card(
    request: Request,
    noun: Noun,
    object_id: int,
    shown: Shown,
    command: Callable[[Values, int], Command],
    more: Callable[[Values, Noun, Mapping[str, Any]], Awaitable[None]] | None = None,
) -> Response:
    """Carry out the command of the typed values and the version that was seen.

    `more` looks at the values first: it may change them, or raise Invalid.
    """
    form = await checked_form(request)
    whole = await whole_of(request, noun)
    values = form_values(whole.kind, form, request.state.zone)
    try:
        values |= await uploaded(request, whole.kind, form)
        if more is not None:
            await more(values, whole, form)
        await request.state.hub.do(command(values, number(form.get("version", "0"))))
    except (Invalid, Conflict) as error:
        field = error.field if isinstance(error, Invalid) else ""
        return await shown(request, object_id, 422, values, refusal(request, error), field)
    return RedirectResponse(f"/{noun.kind.path}/{object_id}", 303)
