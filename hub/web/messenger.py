"""What the composer and the bubbles need of messengers: templates, earlier texts, a text's cost."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_store import messages as message_reads
from crm_store import templates as template_reads
from hub.errors import HubError, Invalid
from hub.ids import DialogId, MessageId
from hub.measuring import measure
from hub.web.numbers import number

MAX_TEXT = 20_000


def _dialog(request: Request) -> DialogId:
    return DialogId(number(request.path_params["dialog_id"]))


async def templates(request: Request) -> Response:
    """Give what can be sent by template in a dialog: a form for each."""
    dialog = await request.state.hub.dialog(_dialog(request))
    found = await request.state.hub.read(
        lambda reader: template_reads.all_templates(reader, dialog.account_id, approved=True)
    )
    response: Response = request.app.state.renderer.page(
        request, "inbox/templates.html", templates=found, dialog=dialog
    )
    return response


async def measured(request: Request) -> Response:
    """Say what a text would cost; the text is in the body, so that no log sees it."""
    dialog = await request.state.hub.dialog(_dialog(request))
    try:
        text = str((await request.json())["text"])[:MAX_TEXT]
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("this is not a text", field="text") from error
    try:
        found = await measure(request.app.state.runtime, dialog.account_id, text)
    except HubError:
        return JSONResponse({})
    return JSONResponse(
        {
            "messages": found.messages,
            "parts": found.parts,
            "units": found.units,
            "limit": found.unit_limit,
            "encoding": found.encoding,
            "cost": found.cost,
        }
    )


async def versions(request: Request) -> Response:
    """Give what an edited message said before, and what it says now."""
    message_id = MessageId(number(request.path_params["message_id"]))
    hub = request.state.hub
    found = await hub.read(message_reads.versions, message_id)
    message = await hub.read(message_reads.one, message_id, False)
    response: Response = request.app.state.renderer.page(
        request, "inbox/versions.html", versions=found, message=message
    )
    return response


def routes() -> list[Route]:
    """Give the routes."""
    dialog = "/inbox/dialog/{dialog_id:int}"
    return [
        Route(f"{dialog}/templates", templates),
        Route(f"{dialog}/measure", measured, methods=["POST"]),
        Route("/inbox/message/{message_id:int}/versions", versions),
    ]
