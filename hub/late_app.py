"""An application that is made when it is first needed: a start waits for nothing it can do without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class LateApp:
    """Stands for an ASGI application until somebody asks for it.

    Making the API's models takes as long as everything else of a start together. The first
    request makes them, or `warm`, whichever comes first; meanwhile pages are answered.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def warm(self) -> ASGIApp:
        """Make it, once; gives it."""
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request."""
        await (self._app or await self.warm())(scope, receive, send)


def mounted(path: str, app: ASGIApp) -> Mount:
    """Mount an application at a path; whatever stands behind it is the application's to answer."""
    found = Mount(path, app=app)
    # A line break in it too.
    found.path_regex = re.compile(found.path_regex.pattern, re.DOTALL)
    return found
