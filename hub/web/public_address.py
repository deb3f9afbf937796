"""The public address: every outside link is built from it, so the hub calls itself to try it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import users as user_reads
from hub.channel import Check
from hub.errors import HubError, UntrustedRequest
from hub.events import BrandChanged, Event
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.web.public_address")
PURPOSE = "probe"
SECONDS = 8.0


async def reach(runtime: Runtime, address: str) -> Check:
    """Call the hub under an address; only this very hub can give the answer."""
    word = secrets.token_hex(8)
    url = f"{address.rstrip('/')}/healthz/{word}"
    try:
        async with asyncio.timeout(SECONDS + 2):
            answer = await runtime.channel_host.http.request("GET", url, timeout=SECONDS)
        runtime.keys.unsign(f"{PURPOSE}:{word}", answer.text[:500])
    except UntrustedRequest:
        return Check(name=address, ok=False, text="somebody else answers there")
    except HubError as error:
        return Check(name=address, ok=False, text=str(error)[:300])
    except Exception as error:  # noqa: BLE001 - shown to the administrator in words
        log.info("public_address_unreachable error=%s", type(error).__name__)
        return Check(name=address, ok=False, text=f"no answer ({type(error).__name__})")
    return Check(name=address, ok=True)


async def probe(request: Request) -> Response:
    """Prove to ourselves that it is we who answer."""
    word = request.path_params["word"][:64]
    runtime: Runtime = request.app.state.runtime
    return PlainTextResponse(runtime.keys.sign(f"{PURPOSE}:{word}", "here"))


async def follow(runtime: Runtime) -> None:
    """Use the organisation's address from now on, also after it is changed on any process.

    An address given to the process itself stands above it.
    """
    if runtime.settings.public_url:
        return
    fallback = runtime.public_url

    async def take() -> None:
        brand = await runtime.handle(SYSTEM).read(user_reads.brand)
        address = brand.public_url or fallback
        if address != runtime.public_url:
            runtime.public_url = address
            for account in await runtime.handle(SYSTEM).accounts():
                # Its channel was told the old address of its webhook.
                await runtime.channel_host.forget(account.id)

    tasks: set[asyncio.Task[None]] = set()

    def changed(events: list[Event]) -> None:
        if any(isinstance(one, BrandChanged) for one in events):
            task = asyncio.create_task(take())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    runtime.feed.before_all(changed)
    await take()


def routes() -> list[BaseRoute]:
    """Give the route by which the hub knows itself."""
    return [Route("/healthz/{word}", probe)]
