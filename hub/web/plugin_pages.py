"""Plugins' own endpoints under `/p/<plugin>/`: the roof does what no plugin should do itself.

Session, permission, CSRF, size, language and nonce are settled before an endpoint is called, and
what it raises stays with it: the caller sees a notice, the operator the plugin's name.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as WebRoute

from hub.errors import HubError, MalformedPayload, NotAllowed, NotFound
from hub.messages import Attachment
from hub.objects import Actor, ActorKind
from hub.pages import Answer, Fragment, PluginRequest, Route
from hub.web.auth import COOKIE, CSRF_HEADER, FORMS, forged
from hub.web.errors import status_of, wants_json
from hub.web.plugin_answers import PluginRenderer, media_type_of, respond
from hub.web.plugin_shapes import call
from hub.web.webhooks import TooLarge
from hub.webhook_request import WebhookRequest

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.plugin_host import Plugin
    from hub.runtime import Runtime

log = logging.getLogger("hub.plugin_pages")

DEADLINE = 30.0
SMALL_BODY = 65_536
STATIC_SECONDS = 600


class PluginPages:
    """Every plugin's endpoints, static files and account sections."""

    def __init__(self, runtime: Runtime, stopping: asyncio.Event) -> None:
        self._runtime = runtime
        self._stopping = stopping
        self._renderers: dict[str, PluginRenderer] = {}
        self._routes: dict[str, dict[str, list[Route]]] = {}
        for plugin, route in runtime.plugins.collect("register_routes"):
            path = "/" + route.path.lstrip("/")
            self._routes.setdefault(plugin, {}).setdefault(path, []).append(route)

    def routes(self) -> list[BaseRoute]:
        """Give what the application mounts."""
        found: list[BaseRoute] = []
        for plugin in self._runtime.plugins.alive():
            folder = _folder(plugin)
            if folder is not None and (folder / "static").is_dir():
                found.append(
                    WebRoute(f"/p/{plugin.name}/static/{{file:path}}", _static(folder / "static"))
                )
        for name, paths in self._routes.items():
            for path, routes in paths.items():
                methods = {method for one in routes for method in one.methods}
                if any(one.cors for one in routes):
                    methods.add("OPTIONS")
                found.append(
                    WebRoute(f"/p/{name}{path}", self._endpoint(name, routes), methods=methods)
                )
        return found

    def renderer(self, plugin: str) -> PluginRenderer:
        """Give the renderer of a plugin's templates."""
        found = self._renderers.get(plugin)
        if found is None:
            known = self._runtime.plugins.plugins.get(plugin)
            folder = (_folder(known) if known is not None else None) or Path("/nonexistent")
            found = self._renderers[plugin] = PluginRenderer(
                plugin, folder, self._runtime.settings.cache_folder
            )
        return found

    def channel_title(self, language: str, name: str) -> str:
        """Give what people call a channel: the words of its plugin's catalogue."""
        kind = self._runtime.channels.get(name)
        if kind is None or not kind.title:
            return name
        plugin = self._runtime.channel_plugin.get(name, "")
        return str(self.renderer(plugin).catalogue(language).gettext(kind.title))

    def _endpoint(
        self, plugin: str, routes: list[Route]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.method == "OPTIONS" and not any("OPTIONS" in one.methods for one in routes):
                return Response(status_code=204, headers=_cors(request))
            method = "GET" if request.method == "HEAD" else request.method
            route = next(one for one in routes if method in one.methods)
            try:
                response = await self._call(plugin, route, request)
            except (HTTPException, HubError, TooLarge) as error:
                response = self._refuse(request, route, error)
            except Exception as error:  # noqa: BLE001 - a plugin's mistake stays with the plugin
                response = self._failed(plugin, request, route, error)
            if route.public and route.cors:
                response.headers.update(_cors(request))
            return response

        return answer

    async def _call(self, plugin: str, route: Route, request: Request) -> Response:
        hub = self._handle(plugin, route, request)
        if isinstance(hub, Response):
            return hub
        body = await _read_body(request, route.max_body)
        given = await self._request(request, body)
        if not route.public and request.method not in ("GET", "HEAD"):
            self._check_origin(request, given)
        async with asyncio.timeout(DEADLINE):
            answer = await call(hub, route, given)
        return respond(request, answer, self.renderer(plugin), self._stopping)

    def _handle(self, plugin: str, route: Route, request: Request) -> BoundHub | Response:
        own = self._runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin))
        if route.public:
            return own
        user = getattr(request.state, "user", None)
        if user is None:
            if request.method == "GET" and not wants_json(request):
                target = quote(request.url.path, safe="/")
                return RedirectResponse(f"/login?next={target}", 303)
            return JSONResponse({"error": {"code": "login", "message": "log in"}}, 401)
        if route.permission and route.permission not in request.state.may:
            raise NotAllowed(f"this needs the right {route.permission!r}")
        eyes = getattr(request.state, "eyes", None)
        hub = own.as_user(user.id)
        return hub if eyes is None else hub.looking(eyes.viewer)

    async def _request(self, request: Request, body: bytes) -> PluginRequest:
        query = request.url.query
        address = self._runtime.public_url.rstrip("/") + quote(request.url.path)
        given = PluginRequest(
            method=request.method,
            url=f"{address}?{query}" if query else address,
            headers={name: value for name, value in request.headers.items() if name != "cookie"},
            query=dict(request.query_params),
            body=body,
            received_at=self._runtime.now(),
            path={name: str(value) for name, value in request.path_params.items()},
            cookies={name: one for name, one in request.cookies.items() if name != COOKIE},
            client=request.state.client,
            language=request.state.language,
            may=frozenset(getattr(request.state, "may", ())),
            channel_title=partial(self.channel_title, request.state.language),
        )
        if not body or not request.headers.get("content-type", "").startswith(FORMS):
            return given
        if len(body) > SMALL_BODY:
            fields, files = await asyncio.to_thread(_read_form, given)
        else:
            fields, files = _read_form(given)
        return replace(given, fields=fields, files=files)

    def _check_origin(self, request: Request, given: PluginRequest) -> None:
        """Take a form of our own pages only, and with the session's token."""
        if reason := forged(request.headers, self._runtime.public_url):
            log.warning("csrf_refused area=/p reason=%s", reason)
            raise NotAllowed("this request did not come from our own page")
        token = request.headers.get(CSRF_HEADER) or given.fields.get("_csrf", "")
        expected: str = request.state.csrf
        if not hmac.compare_digest(token.encode(), expected.encode()):
            raise NotAllowed("the form token is wrong: reload the page")

    def _refuse(self, request: Request, route: Route, error: Exception) -> Response:
        status = (
            413
            if isinstance(error, TooLarge)
            else error.status_code
            if isinstance(error, HTTPException)
            else status_of(error)
        )
        words = str(error) if isinstance(error, HubError) else ""
        if route.public or wants_json(request):
            body = {"error": {"code": type(error).__name__.lower(), "message": words}}
            return JSONResponse(body, status)
        raise HTTPException(status, words)

    def _failed(self, plugin: str, request: Request, route: Route, error: Exception) -> Response:
        number = secrets.token_hex(4)
        known = self._runtime.plugins.plugins[plugin]
        self._runtime.plugins.charge(known, f"route {route.path}", error)
        log.error("plugin_route_failed plugin=%s number=%s path=%s", plugin, number, route.path)
        status = 504 if isinstance(error, TimeoutError) else 500
        if route.public or wants_json(request):
            return JSONResponse({"error": {"code": "plugin", "message": number}}, status)
        response: Response = request.app.state.renderer.page(
            request, "settings/plugin_notice.html", status, plugin=plugin, number=number
        )
        return response

    # -- sections of accounts' pages -------------------------------------------------------

    async def section(
        self, request: Request, plugin: str, path: str, query: Mapping[str, str]
    ) -> str:
        """Render a plugin's section for a page of ours: HTML, or a small notice where it fails."""
        known = self._runtime.plugins.plugins.get(plugin)
        try:
            routes = self._routes.get(plugin, {}).get("/" + path.lstrip("/"), [])
            route = next((one for one in routes if "GET" in one.methods), None)
            if route is None or known is None:
                raise NotFound(f"{plugin} has no page {path}")
            if route.permission and route.permission not in request.state.may:
                return ""
            own = self._runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin))
            hub = own.as_user(request.state.user.id)
            eyes = getattr(request.state, "eyes", None)
            if eyes is not None:
                hub = hub.looking(eyes.viewer)
            address = self._runtime.public_url.rstrip("/")
            given = PluginRequest(
                method="GET",
                url=f"{address}/p/{plugin}/{path.lstrip('/')}?{urlencode(query)}",
                headers={"accept-language": request.state.language},
                query=dict(query),
                received_at=self._runtime.now(),
                client=request.state.client,
                language=request.state.language,
                may=frozenset(getattr(request.state, "may", ())),
            )
            async with asyncio.timeout(DEADLINE):
                answer: Answer = await route.endpoint(hub, given)
            if not isinstance(answer, Fragment):
                raise TypeError(f"a section gave {type(answer).__name__}")
            return bytes(self.renderer(plugin).answer(request, answer).body).decode()
        except Exception as error:  # noqa: BLE001 - one plugin's section must not hide the page
            if known is not None:
                self._runtime.plugins.charge(known, f"section {path}", error)
            template = "settings/section_notice.html"
            language = request.state.language
            text: str = request.app.state.renderer.text(template, language, plugin=plugin)
            return text


def _folder(plugin: Plugin) -> Path | None:
    """Give the folder of a plugin that is a package."""
    paths = list(getattr(plugin.module, "__path__", ()))
    return Path(paths[0]) if paths else None


async def _read_body(request: Request, limit: int) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > limit:
            raise TooLarge
    return bytes(parts)


def _read_form(request: WebhookRequest) -> tuple[Mapping[str, str], tuple[Attachment, ...]]:
    try:
        if request.headers["content-type"].startswith("multipart/"):
            return request.multipart()
        return request.form(), ()
    except MalformedPayload:
        return {}, ()


def _cors(request: Request) -> dict[str, str]:
    return {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
        "access-control-allow-headers": request.headers.get(
            "access-control-request-headers", "content-type"
        ),
        "access-control-max-age": "600",
    }


def _static(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    root = folder.resolve()

    async def answer(request: Request) -> Response:
        try:
            path = (root / request.path_params["file"]).resolve()
            found = path.is_relative_to(root) and path.is_file()
        except (OSError, ValueError):
            # No file has such a name: it is too long, or holds what no name holds.
            found = False
        if not found:
            raise HTTPException(404)
        content = await asyncio.to_thread(path.read_bytes)
        headers: dict[str, Any] = {
            "cache-control": f"public, max-age={STATIC_SECONDS}",
            "cross-origin-resource-policy": "cross-origin",
            "access-control-allow-origin": "*",
            "x-content-type-options": "nosniff",
        }
        return Response(content, 200, headers, media_type_of(path.name))

    return answer
