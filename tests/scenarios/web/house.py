"""A whole hub behind its real application, and browsers that talk to it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette

from hub import SYSTEM, CreateUser, UserId
from hub.app import build
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.web.login import hasher

ADDRESS = "http://hub.example"
PASSWORD = "pigeons fly at 7"
_HASH = hasher().hash(PASSWORD)


class Browser(httpx2.AsyncClient):
    """Sends what a browser sends: where a request comes from, and a page's form with its token."""

    def __init__(self, app: Any, *, client: str = "198.51.100.7", **more: Any) -> None:
        super().__init__(
            transport=httpx2.ASGITransport(app=app, client=(client, 5000)),
            base_url=ADDRESS,
            headers={"accept": "text/html", "origin": ADDRESS, "sec-fetch-site": "same-origin"},
            **more,
        )

    async def log_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
        return await self.post("/login", data={"email": email, "password": password, **more})

    async def csrf(self, path: str = "/settings/profile") -> str:
        return csrf_of((await self.get(path)).text)

    async def submit(
        self, path: str, page: str = "", data: dict[str, Any] | None = None
    ) -> httpx2.Response:
        """Open a page, then send its form with its token."""
        return await self.post(path, data={**(data or {}), "_csrf": await self.csrf(page or path)})


def csrf_of(html: str) -> str:
    found = re.search(r'name="_csrf" value="([0-9a-f]+)"', html)
    assert found, "the page has no form token"
    return found[1]


@dataclass
class House:
    """The running hub."""

    app: Starlette
    runtime: Runtime
    browsers: list[Browser] = field(default_factory=list)

    @property
    def system(self) -> BoundHub:
        return self.runtime.handle(SYSTEM)

    async def user(self, role: str = "administrator", email: str = "") -> UserId:
        """Hire a colleague; everybody has the same password."""
        email = email or f"{role}@example.org"
        command = CreateUser(email=email, name=role.title(), role=role, password_hash=_HASH)
        return UserId((await self.system.do(command))[0])

    def browser(self, client: str = "198.51.100.7") -> Browser:
        browser = Browser(self.app, client=client)
        self.browsers.append(browser)
        return browser

    async def logged_in(self, role: str = "administrator") -> Browser:
        """A browser of a new colleague."""
        await self.user(role)
        browser = self.browser()
        answer = await browser.log_in(f"{role}@example.org")
        assert answer.status_code == 303, answer.text
        return browser


@asynccontextmanager
async def open_house(
    folder: Path, database_url: str, *plugins: tuple[str, Any], **more: Any
) -> AsyncIterator[House]:
    """Build and start a hub with these plugins only."""
    host = PluginHost()
    for name, module in plugins:
        host.add(name, module)
    values = {"public_url": ADDRESS, **more}
    settings = HubSettings(data=folder / "data", database_url=database_url, **values)
    runtime = Runtime(settings, plugins=host)
    runtime.migrate()
    app = build(settings, runtime)
    async with app.router.lifespan_context(app):
        house = House(app, runtime)
        try:
            yield house
        finally:
            for browser in house.browsers:
                await browser.aclose()


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Put an application that runs already behind a real port; gives its address."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
