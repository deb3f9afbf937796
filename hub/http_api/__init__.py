"""The API under /api/v1: everything that the inbox does, for programs.

An application of its own, mounted by the roof: FastAPI gives the reading of requests and the
OpenAPI, everything else is the same commands and reads that the screens use.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from hub.http_api import endpoints, errors, plugins, reference
from hub.http_api.caller import Callers
from hub.http_api.door import Door
from hub.http_api.openapi import describe
from hub.http_api.resource import of_plugin

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.routing import BaseRoute

    from crm_store.nouns import Noun
    from hub.pages import Route
    from hub.runtime import Runtime


def app(runtime: Runtime, stopping: asyncio.Event | None = None) -> FastAPI:
    """Build the API over a runtime; `stopping` ends its streams when the server goes down."""
    api = _endpoints(
        [one for one in runtime.nouns.values() if one.plugin],
        runtime.plugins.collect("register_routes"),
    )
    api.state.runtime = runtime
    api.state.callers = Callers(runtime)
    api.state.stopping = stopping or asyncio.Event()
    errors.install(api)
    reference.install(api)
    plugins.install(api, runtime)
    return api


def description() -> dict[str, Any]:
    """Give the OpenAPI; it is made of the endpoints alone, without a running hub."""
    return _endpoints().openapi()


def _endpoints(nouns: Iterable[Noun] = (), brought: Iterable[tuple[str, Route]] = ()) -> FastAPI:
    api = FastAPI(
        title="Dialog Hub",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Door)],
        responses=errors.EVERYWHERE,
        # An address with a slash too many is not there; a redirect would lose the body.
        redirect_slashes=False,
    )
    own = list(routers())
    brought_kinds = [of_plugin(one) for one in nouns]
    api.router.routes += _taken_in()
    for router in brought_kinds:
        api.include_router(router)
    describe(api, [*own, *brought_kinds], list(brought))
    return api


@functools.cache
def _taken_in() -> tuple[BaseRoute, ...]:
    """Give the endpoints of every noun as an application has them. They keep what FastAPI works
    out about them at the first request, over a second of it, for every further application."""
    api = FastAPI(responses=errors.EVERYWHERE, redirect_slashes=False, openapi_url=None)
    for router in routers():
        api.include_router(router)
    return tuple(api.router.routes)


def routers() -> Iterable[APIRouter]:
    """Give the endpoints of every noun."""
    for found in sorted(
        pkgutil.iter_modules(endpoints.__path__, f"{endpoints.__name__}."), key=_name
    ):
        module = importlib.import_module(found.name)
        router: APIRouter = module.router
        yield router


def _name(found: pkgutil.ModuleInfo) -> str:
    return found.name
