"""Links of a letter are looked at from outside only, redirects too, and machines are not believed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from hub import links
from hub.links import check_links
from hub.reach import IPAddress

PAGES = {
    "/here": "200 OK",
    "/gone": "410 Gone",
    "/missing": "404 Not Found",
    "/hidden": "403 Forbidden",
    "/broken": "500 Internal Server Error",
    "/moved": "302 Found\r\nLocation: /here",
    "/inside": "302 Found\r\nLocation: http://inside.example/secret",
    "/round": "302 Found\r\nLocation: /round",
}
asked: list[str] = []


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split("\r\n")[0].split(" ")
        asked.append(f"{method} {path}")
        if path == "/silent":
            await asyncio.sleep(30)
        status = PAGES.get(path, "200 OK")
        if path == "/get" and method == "HEAD":
            status = "405 Method Not Allowed"
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def site() -> AsyncIterator[int]:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_what_is_gone_is_dead_and_what_hides_is_unsure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "SECONDS", 0.5)
    asked.clear()
    async with site() as port:

        async def resolve(name: str, port: int) -> list[IPAddress]:
            # Private ones are allowed here; what is never called stays so.
            return [ip_address("169.254.0.1" if name == "inside.example" else "127.0.0.1")]

        names = (
            "here",
            "gone",
            "missing",
            "hidden",
            "broken",
            "moved",
            "inside",
            "get",
            "silent",
            "round",
        )
        urls = [f"http://site.example:{port}/{one}" for one in names]
        found = await check_links(urls, allow_private=True, resolve=resolve)
    assert {one.url.rpartition("/")[2]: (one.state, one.cause) for one in found} == {
        "here": ("alive", ""),
        "gone": ("dead", "gone"),
        "missing": ("dead", "gone"),
        "hidden": ("unsure", "refused"),
        "broken": ("unsure", "refused"),
        "moved": ("alive", ""),
        # A page outside that leads inside is no way to ask what stands there.
        "inside": ("dead", "private"),
        "get": ("alive", ""),
        "silent": ("unsure", "silent"),
        "round": ("unsure", "refused"),
    }
    assert "GET /here" not in asked, "a HEAD is enough where it is answered"


async def test_our_own_network_is_never_called() -> None:
    places = ("http://127.0.0.1:1/", "http://10.0.0.1/", "http://[::1]/", "http://localhost/")
    found = await check_links([*places, "http://169.254.169.254/latest", "ftp://x.example/"])
    assert [(one.state, one.cause, one.code) for one in found] == [
        *[("dead", "private", 0)] * 4,
        ("dead", "address", 0),
        ("dead", "address", 0),
    ]
