"""Security: from which networks people may come in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import networks as store
from hub.commands import LimitNetworks
from hub.errors import Conflict, Invalid
from hub.web.networks import renew
from hub.web.settings.common import form_of, go, hub_of, needs, runtime_of, say, show

PATH = "/settings/security"


@needs("system.manage")
async def security(request: Request) -> Response:
    """Show the networks, or change them; nobody locks himself out."""
    hub = hub_of(request)
    error = ""
    if request.method == "POST":
        text = str((await form_of(request)).get("networks", ""))
        wanted = tuple(text.replace(",", " ").replace(";", " ").split())
        try:
            await hub.do(LimitNetworks(networks=wanted, seen_from=request.state.client))
            # Before the page is drawn again, and not when the fact comes round.
            await renew(runtime_of(request))
            return go(PATH, "saved")
        except (Invalid, Conflict) as refusal:
            error = say(request, str(refusal))
    else:
        text = "\n".join(await hub.read(store.networks))
    return show(
        request,
        "security",
        "security",
        422 if error else 200,
        networks=text,
        error=error,
        seen_from=request.state.client,
        # Then everybody seems to come from the proxy.
        hidden="x-forwarded-for" in request.headers and _is_peer(request),
    )


def _is_peer(request: Request) -> bool:
    return request.client is not None and request.client.host == request.state.client


def routes() -> list[BaseRoute]:
    """Give the route of security."""
    return [Route(PATH, security, methods=["GET", "POST"])]
