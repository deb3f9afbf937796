"""The hub's public doors behind a real HTTP server: plugins' pages and channels' webhooks."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.runtime import Runtime
from hub.web.auth import Gate
from hub.web.errors import error_handlers
from hub.web.plugin_pages import PluginPages
from hub.web.render import Renderer
from hub.web.webhooks import WebhookDoor, WebhookNumbers


class Watch:
    """Notes who asked for what, and stands for a broken proxy while `down` is set."""

    def __init__(self, app: ASGIApp, down: asyncio.Event, requests: list[str]) -> None:
        self._app = app
        self._down = down
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests.append(scope["path"])
        if self._down.is_set():
            await Response("<h1>Bad gateway</h1>", 502)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def mounted(
    runtime: Runtime, down: asyncio.Event, stopping: asyncio.Event, requests: list[str]
) -> Starlette:
    """The doors that the web chat and the web form use, with everything in front of them."""
    app = Starlette(
        routes=PluginPages(runtime, stopping).routes(),
        middleware=[
            Middleware(Watch, down=down, requests=requests),
            Middleware(WebhookDoor, runtime=runtime, numbers=WebhookNumbers()),
            Middleware(Gate, runtime=runtime),
        ],
        exception_handlers=error_handlers(),
    )
    app.state.renderer = Renderer()
    app.state.runtime = runtime
    app.state.nav = []
    return app
