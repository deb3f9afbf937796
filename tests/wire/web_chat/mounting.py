"""Puts plugins' public routes and channels' webhooks behind a real HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from hub import (
    Actor,
    ActorKind,
    File,
    HubError,
    Json,
    PluginRequest,
    Redirect,
    Stream,
    UntrustedRequest,
    WebhookAnswer,
    WebhookRequest,
)
from hub import Route as PluginRoute
from hub.runtime import Runtime

CORS = {"access-control-allow-origin": "*"}


def mounted(runtime: Runtime, down: asyncio.Event, requests: list[str]) -> Starlette:
    """The hub's public doors: /p/<plugin>/... and /hooks/<token>."""

    def guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Any:
        async def answer(request: Request) -> Response:
            requests.append(request.url.path)
            if down.is_set():
                return Response("<h1>Bad gateway</h1>", status_code=502)
            return await endpoint(request)

        return answer

    routes = [
        Route(
            f"/p/{plugin}/{route.path.lstrip('/')}",
            guarded(_endpoint(runtime, plugin, route)),
            methods=list(route.methods),
        )
        for plugin, route in runtime.plugins.collect("register_routes")
        if route.public
    ]
    hook = Route("/hooks/{token}", guarded(_hook(runtime)), methods=["POST"])
    return Starlette(routes=[*routes, hook])


def _endpoint(
    runtime: Runtime, plugin: str, route: PluginRoute
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        if len(body) > route.max_body:
            return Response(status_code=413, headers=CORS)
        hub = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin))
        given = PluginRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            query=dict(request.query_params),
            body=body,
            received_at=hub.now(),
            path={name: str(value) for name, value in request.path_params.items()},
            client=request.client.host if request.client else "",
        )
        found = await route.endpoint(hub, given)
        if isinstance(found, Json):
            return JSONResponse(found.value, found.status, headers={**CORS, **found.headers})
        if isinstance(found, File):
            headers = {**CORS, **found.headers}
            if found.name:
                headers["content-disposition"] = "attachment"
            return Response(found.content, found.status, headers, found.media_type)
        if isinstance(found, Redirect):
            return RedirectResponse(found.to, found.status)
        assert isinstance(found, Stream)
        return StreamingResponse(
            _events(found), media_type="text/event-stream", headers={**CORS, **found.headers}
        )

    return answer


async def _events(stream: Stream) -> AsyncIterator[str]:
    async for event in stream.events:
        yield f"event: {event.event}\r\ndata: {event.data}\r\n\r\n"


def _hook(runtime: Runtime) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        from crm_store.accounts import account_by_hook
        from hub import SYSTEM

        hub = runtime.handle(SYSTEM)
        account_id = await hub.read(account_by_hook, request.path_params["token"])
        if account_id is None:
            return Response(status_code=404)
        account, channel = await runtime.channel_host.get(account_id)
        given = WebhookRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            body=await request.body(),
            received_at=hub.now(),
        )
        try:
            found = channel.parse(given)
        except UntrustedRequest:
            return Response("forbidden", 403, CORS)
        except HubError:
            return Response("kept", 200, CORS)
        if isinstance(found, WebhookAnswer):
            return Response(found.body, found.status, CORS, found.media_type)
        await runtime.receive(account, list(found))
        return Response("ok", headers=CORS)

    return answer
