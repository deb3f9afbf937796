"""Plugins' endpoints for programs: those marked `api`, under /api/v1/<plugin>/, by bearer token.

The endpoint is the same function that answers a browser under /p/<plugin>/. Who calls, the limit,
`Idempotency-Key` and the shape of errors are the API's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.routing import Route as WebRoute

from hub.errors import Conflict, Invalid
from hub.handle import BoundHub
from hub.http_api.errors import Refused
from hub.http_api.keyed import HEADER, MAX_KEY, once
from hub.pages import File, Json, PluginRequest, Redirect, Route
from hub.web.plugin_answers import PluginRenderer, respond
from hub.web.plugin_shapes import WrongBody, call

if TYPE_CHECKING:
    from fastapi import FastAPI

    from hub.http_api.caller import Callers
    from hub.runtime import Runtime

DEADLINE = 30.0


def install(api: FastAPI, runtime: Runtime) -> None:
    """Mount them; the API's own paths come first."""
    for plugin, route in runtime.plugins.collect("register_routes"):
        if not route.api:
            continue
        path = f"/{plugin}/{route.path.lstrip('/')}"
        api.router.routes.append(
            WebRoute(path, _answering(runtime, plugin, route), methods=list(route.methods))
        )


def _answering(
    runtime: Runtime, plugin: str, route: Route
) -> Callable[[Request], Awaitable[Response]]:
    async def plain(request: Request) -> Response:
        callers: Callers = request.app.state.callers
        caller = await callers.identify(request)
        if route.permission:
            caller.need(route.permission)
        hub = BoundHub(runtime, caller.hub.actor, caller.scopes, plugin=plugin)
        given = await _read(runtime, request, caller.viewer.permissions)
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await call(hub, route, given)
        except WrongBody as error:
            raise RequestValidationError(
                [{**one, "loc": ("body", *one["loc"])} for one in error.problems]
            ) from error
        except Conflict as error:
            if "if-match" in request.headers and error.what == "version":
                raise Refused(412, "version", str(error), details=error.details) from error
            raise
        if not isinstance(answer, Json | File | Redirect):
            raise TypeError(f"an endpoint for programs gave {type(answer).__name__}")
        return respond(request, answer, _NO_PAGES, request.app.state.stopping)

    async def answer(request: Request) -> Response:
        key = request.headers.get(HEADER, "") if request.method == "POST" else ""
        if not key:
            return await plain(request)
        if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
            raise Invalid(f"a key is up to {MAX_KEY} printable characters", field=HEADER)
        return await once(request, key, plain)

    return answer


async def _read(runtime: Runtime, request: Request, may: frozenset[str]) -> PluginRequest:
    query = request.url.query
    address = runtime.public_url.rstrip("/") + quote(request.url.path)
    return PluginRequest(
        method=request.method,
        url=f"{address}?{query}" if query else address,
        headers={
            name: value
            for name, value in request.headers.items()
            if name not in ("cookie", "authorization")
        },
        query=dict(request.query_params),
        body=await request.body(),
        received_at=runtime.now(),
        path={name: str(value) for name, value in request.path_params.items()},
        language=getattr(request.state, "language", "en"),
        may=may,
    )


class _NoPages:
    """Programs get no pages."""


_NO_PAGES: PluginRenderer = _NoPages()  # type: ignore[assignment]
