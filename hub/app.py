"""Bootstrap: the only wiring. Settings become one Starlette application with everything in it."""

from __future__ import annotations

import asyncio
import hmac
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial

from prometheus_client.exposition import generate_latest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

import hub.web
from hub.extensions import AccountSection, NavEntry
from hub.late_app import LateApp, mounted
from hub.metrics import MessageNumbers, metrics_page
from hub.objects import Actor, ActorKind
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.web import object_pages
from hub.web.auth import Gate
from hub.web.errors import error_handlers
from hub.web.live import Live
from hub.web.networks import follow as follow_networks
from hub.web.plugin_pages import PluginPages
from hub.web.public_address import follow as follow_public_address
from hub.web.rail import OWN_PLACES, places
from hub.web.render import Renderer
from hub.web.webhooks import WebhookDoor, WebhookNumbers
from hub.workers import Workers

log = logging.getLogger("hub.app")
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
LOOPBACK = ("127.0.0.1", "::1")
API = "/api/v1"
WARM_AFTER = 5.0


def build(settings: HubSettings, runtime: Runtime | None = None) -> Starlette:
    """Wire everything; the database must be up to date."""
    runtime = runtime or Runtime(settings)
    stopping = asyncio.Event()
    plugin_pages = PluginPages(runtime, stopping)
    numbers = WebhookNumbers()
    is_worker = settings.role == "worker"
    api = LateApp(partial(_api, runtime, stopping))
    app = Starlette(
        routes=[
            *health_routes(),
            *(
                ()
                if is_worker
                else (
                    *page_routes(),
                    *_kind_pages(runtime),
                    *plugin_pages.routes(),
                    mounted(API, api),
                )
            ),
        ],
        middleware=[
            *(() if is_worker else (Middleware(WebhookDoor, runtime=runtime, numbers=numbers),)),
            Middleware(Gate, runtime=runtime),
        ],
        exception_handlers=error_handlers(),
        lifespan=_lifespan,
    )
    app.state.api = api
    app.state.plugin_pages = plugin_pages
    app.state.webhook_numbers = numbers
    app.state.message_numbers = MessageNumbers(runtime)
    app.state.account_sections = sorted(
        (
            (plugin, part)
            for plugin, part in runtime.plugins.collect("register_ui")
            if isinstance(part, AccountSection)
        ),
        key=lambda one: one[1].order,
    )
    app.state.renderer = Renderer(settings.cache_folder, channels=runtime.channels)
    app.state.nav = places(
        [
            *OWN_PLACES,
            *(
                part
                for _, part in runtime.plugins.collect("register_ui")
                if isinstance(part, NavEntry)
            ),
        ]
    )
    app.state.live = Live(runtime, app.state.renderer)
    app.state.runtime = runtime
    app.state.settings = settings
    app.state.stopping = stopping
    app.state.start_demo = partial(_start_demo, settings)
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    runtime: Runtime = app.state.runtime
    await runtime.start()
    await follow_public_address(runtime)
    await follow_networks(runtime)
    workers = Workers(runtime)
    app.state.workers = workers
    await _tell_plugins(runtime, "startup")
    workers.start(app.state.settings.role)
    await app.state.live.start()
    app.state.ready = True
    log.info("ready role=%s epoch=%s", app.state.settings.role, runtime.epoch)
    warming = asyncio.create_task(_warm(app))
    try:
        yield
    finally:
        app.state.ready = False
        warming.cancel()
        app.state.stopping.set()
        await app.state.live.stop()
        await workers.stop()
        await _tell_plugins(runtime, "shutdown")
        await runtime.stop()
        log.info("stopped")


def _api(runtime: Runtime, stopping: asyncio.Event) -> ASGIApp:
    from hub import http_api

    return http_api.app(runtime, stopping)


async def _warm(app: Starlette) -> None:
    """Make the API before a program asks for it, once the first pages had their time."""
    if app.state.settings.role != "worker":
        await asyncio.sleep(WARM_AFTER)
        await app.state.api.warm()


async def _start_demo(settings: HubSettings, language: str) -> None:
    from hub.demo import start_demo

    await start_demo(settings, language)


async def _tell_plugins(runtime: Runtime, hook: str) -> None:
    for plugin in runtime.plugins.with_hook(hook):
        handle = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        try:
            await runtime.plugins.call(plugin, hook, hub=handle)
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            log.warning("plugin_hook_failed plugin=%s hook=%s", plugin.name, hook)


@cache
def page_routes() -> tuple[BaseRoute, ...]:
    """Give the routes of every module that has some; a second application shares them."""
    found: list[BaseRoute] = []
    names = sorted(one.name for one in pkgutil.iter_modules(hub.web.__path__, "hub.web."))
    for name in names:
        module = importlib.import_module(name)
        if hasattr(module, "routes"):
            found += module.routes()
    return tuple(found)


def _kind_pages(runtime: Runtime) -> list[BaseRoute]:
    """Give the lists and cards of the plugins' kinds."""
    return object_pages.routes_of(one for one in runtime.nouns.values() if one.plugin)


# -- health --------------------------------------------------------------------------------


def health_routes() -> list[BaseRoute]:
    """Give what a supervisor asks: am I alive, may I be sent requests, how am I."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


async def healthz(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """The database answers, the disk has room, the loops run, and nobody has asked to stop."""
    state = request.app.state
    problems = []
    if not getattr(state, "ready", False) or state.stopping.is_set():
        problems.append("starting or stopping")
    else:
        try:
            async with asyncio.timeout(5):
                await state.runtime.database.read(lambda conn: conn.execute(text("SELECT 1")).all())
                problems += [f"migration: {one}" for one in await _pending(state)]
                problems += [f"loop: {one}" for one in state.workers.ended()]
                if await asyncio.to_thread(state.runtime.lacks_room):
                    problems.append("disk: full")
        except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
            problems.append(f"database: {type(error).__name__}")
    return JSONResponse(
        {"ready": not problems, "problems": problems}, status_code=503 if problems else 200
    )


async def _pending(state: State) -> list[str]:
    """Give the steps that the schema lacks; once it has them all, nobody asks again."""
    if not getattr(state, "is_migrated", False):
        steps: list[str] = await asyncio.to_thread(state.runtime.pending)
        state.is_migrated = not steps
        return steps
    return []


async def metrics(request: Request) -> Response:
    """Numbers for Prometheus, for this machine itself or whoever has the token."""
    settings: HubSettings = request.app.state.settings
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    wanted = settings.metrics_token.get_secret_value()
    knows = bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
    # A proxy on this machine calls from here too, and says for whom.
    is_local = request.client is not None and request.client.host in LOOPBACK
    if not knows and (not is_local or any(one in request.headers for one in FORWARDED)):
        return PlainTextResponse("not allowed", status_code=403)
    page = await asyncio.to_thread(metrics_page, request.app.state.runtime)
    state = request.app.state
    for numbers in (state.webhook_numbers, state.message_numbers, state.workers.pushes):
        page += generate_latest(numbers.registry)
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")
