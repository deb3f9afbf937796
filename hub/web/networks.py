"""Whoever comes from a network that is not let in is told so, and it is on record.

Customers never meet this: their pages, forms, links and chats, the webhooks of channels and the
health checks are open to every network.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crm_store import networks as store
from crm_store import sessions as session_reads
from hub.commands import NoteTurnedAway
from hub.events import Event, NetworksChanged
from hub.ids import UserId
from hub.objects import SYSTEM
from hub.web.i18n import translate

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

log = logging.getLogger("hub.web.networks")


def _(text: str) -> str:
    return text


WINDOW_US = 900_000_000
MOST_TOLD = 100
"""So many addresses of strangers are put on record in a window: they could have any number."""
CODE = "network"
WORDS = _(
    "people are not let in from this network: use that of the office, or ask an administrator"
)
DOORS = ("/login", "/invite/", "/exports/")
"""Open paths that lead people in, or hand out what is theirs by a link."""
ASIDE = "/login/language/"


async def follow(runtime: Runtime) -> None:
    """Obey the list from now on, also after it is changed on any process."""
    tasks: set[asyncio.Task[None]] = set()

    def changed(events: list[Event]) -> None:
        if any(isinstance(one, NetworksChanged) for one in events):
            task = asyncio.create_task(renew(runtime))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    runtime.feed.before_all(changed)
    await renew(runtime)


async def renew(runtime: Runtime) -> None:
    """Read the list anew."""
    runtime.networks = store.parsed(await runtime.handle(SYSTEM).read(store.networks))


def admits(runtime: Runtime, address: str) -> bool:
    """Say whether people at an address are let in."""
    return store.admits(runtime.networks, address)


def is_door(path: str) -> bool:
    """Say whether an open path leads people in."""
    return path.startswith(DOORS) and not path.startswith(ASIDE)


async def turned_away(request: Request, user_id: UserId) -> Response:
    """Answer whoever comes from elsewhere."""
    if user_id or request.method == "POST":
        await note(request.app.state.runtime, user_id, request.state.client)
    if "text/html" not in request.headers.get("accept", "*/*"):
        words = translate(request.state.language, WORDS)
        return JSONResponse({"error": {"code": CODE, "message": words}}, 403)
    renderer: Renderer = request.app.state.renderer
    return renderer.page(request, "auth/elsewhere.html", 403, seen_from=request.state.client)


async def note(runtime: Runtime, user_id: UserId, address: str) -> None:
    """Put on record that somebody was turned away, not more often than is of use."""
    log.warning("turned_away user=%d", user_id)
    buckets = [(f"away:{user_id}:{address[:60]}", 1)]
    if not user_id:
        buckets.append(("away:strangers", MOST_TOLD))
    for bucket, most in buckets:
        count = await runtime.database.write(session_reads.count_attempts, (bucket, WINDOW_US))
        if count > most:
            return
    await runtime.handle(SYSTEM).do(NoteTurnedAway(user_id=user_id, seen_from=address))
