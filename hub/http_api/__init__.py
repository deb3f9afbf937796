"""The API under /api/v1: everything that the inbox does, for programs.

An application of its own, mounted by the roof: FastAPI gives the reading of requests and the
OpenAPI, everything else is the same commands and reads that the screens use.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Mount

from hub.http_api import endpoints, errors, reference
from hub.http_api.caller import Callers
from hub.http_api.door import Door
from hub.http_api.openapi import describe

if TYPE_CHECKING:
    from fastapi import APIRouter

    from hub.runtime import Runtime

PATH = "/api/v1"


def app(runtime: Runtime, stopping: asyncio.Event | None = None) -> FastAPI:
    """Build the API over a runtime; `stopping` ends its streams when the server goes down."""
    api = _endpoints()
    api.state.runtime = runtime
    api.state.callers = Callers(runtime)
    api.state.stopping = stopping or asyncio.Event()
    errors.install(api)
    reference.install(api)
    return api


def description() -> dict[str, Any]:
    """Give the OpenAPI; it is made of the endpoints alone, without a running hub."""
    return _endpoints().openapi()


def _endpoints() -> FastAPI:
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
    found = list(routers())
    for router in found:
        api.include_router(router)
    describe(api, found)
    return api


def mount(runtime: Runtime, stopping: asyncio.Event | None = None) -> Mount:
    """Give the API as the roof mounts it."""
    found = Mount(PATH, app=app(runtime, stopping))
    # Whatever stands behind the path is ours to answer, a line break in it too.
    found.path_regex = re.compile(found.path_regex.pattern, re.DOTALL)
    return found


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
