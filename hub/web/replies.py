"""What the `/` of the composer offers: replies that plugins suggest, filled in for the client."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.errors import Invalid
from hub.extensions import Suggestion
from hub.ids import DialogId
from hub.objects import Actor, ActorKind
from hub.web.numbers import number

MOST = 60
MAX_TEXT = 200


async def replies(request: Request) -> Response:
    """Ask every plugin; the text is in the body, so that no log sees it."""
    runtime, hub = request.app.state.runtime, request.state.hub
    dialog = await hub.dialog(DialogId(number(request.path_params["dialog_id"])))
    try:
        text = str((await request.json()).get("text", ""))[:MAX_TEXT]
    except (ValueError, AttributeError) as error:
        raise Invalid("this is not a text", field="text") from error
    found: list[tuple[str, Suggestion]] = []
    for plugin in runtime.plugins.with_hook("suggest_replies"):
        own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        handle = own.as_user(request.state.user.id)
        try:
            given = await runtime.plugins.call(
                plugin, "suggest_replies", hub=handle, dialog=dialog, text=text
            )
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            continue
        found += [(plugin.name, one) for one in given or () if isinstance(one, Suggestion)]
    found.sort(key=lambda one: -one[1].score)
    return JSONResponse({"replies": [_plain(*one) for one in found[:MOST]]})


def _plain(plugin: str, one: Suggestion) -> dict[str, Any]:
    return {
        "key": f"{plugin}:{one.key}" if one.key else "",
        "title": one.title or one.text[:60],
        "shortcut": one.shortcut,
        "folder": one.folder,
        "text": one.text,
        "html": one.html,
        "missing": list(one.missing),
        "reason": one.reason,
        "buttons": [{"label": each.label, "url": each.url} for each in one.buttons],
        "files": list(one.files),
        "attach": f"/p/{plugin}/{one.attach.lstrip('/')}" if one.attach else "",
        "template": one.template,
        "template_language": one.template_language,
        "slot": one.slot,
        "favourite": one.favourite,
    }


def routes() -> list[Route]:
    """Give the route."""
    return [Route("/inbox/dialog/{dialog_id:int}/replies", replies, methods=["POST"])]
