"""The HTTP client of channels believes certificates, and an authority more where it is told one."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from hub import PermanentFailure, RejectReason, TemporaryFailure, http_client
from hub.errors import Invalid
from hub.http_client import HubHttpClient
from tests.servers.certificates import Authority


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()


async def test_an_authority_of_ones_own_counts_beside_the_usual_ones(authority: Authority) -> None:
    """An unknown certificate is no answer and nothing was sent; with its authority it is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate_file, authority.key_file)
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    stranger, friend = HubHttpClient(), HubHttpClient(authority.ca_file)
    try:
        with pytest.raises(TemporaryFailure, match="certificate"):
            await stranger.request("POST", url, json={})
        assert (await friend.request("POST", url, json={})).text == "ok"
    finally:
        await stranger.close()
        await friend.close()
        server.close()


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(Invalid, match="HUB_CA_FILE"):
        HubHttpClient(tmp_path / "ca.pem")


class Store:
    """A file store that answers by path, and remembers who showed it a token."""

    def __init__(self) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.elsewhere = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        token = next((one for one in head.lower().splitlines() if "authorization" in one), "")
        self.tokens.append((path, token))
        status, more, body = {
            "/file": ("200 OK", "", b"x" * 1000),
            "/moved": ("302 Found", "Location: /file\r\n", b""),
            "/away": ("302 Found", f"Location: {self.elsewhere}\r\n", b""),
            "/round": ("302 Found", "Location: /round\r\n", b""),
            "/busy": ("503 Busy", "", b""),
            "/gone": ("404 Not Found", "", b""),
        }[path]
        end = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(f"HTTP/1.1 {status}\r\n{more}{end}".encode() + body)
        await writer.drain()
        writer.close()


async def test_a_file_is_downloaded_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    server = await asyncio.start_server(store.answer, "127.0.0.1", 0)
    other = await asyncio.start_server(store.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    store.elsewhere = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/file"
    client = HubHttpClient()

    async def get(path: str) -> bytes:
        headers = {"authorization": "Bearer token"}
        return await client.download(f"{url}{path}", headers=headers, private=True)

    async def refused(path: str) -> RejectReason:
        with pytest.raises(PermanentFailure) as found:
            await get(path)
        return found.value.reason

    try:
        assert await get("/file") == await get("/moved") == await get("/away") == b"x" * 1000
        # A token is for the host that it was made for.
        assert [bool(token) for _, token in store.tokens] == [True, True, True, True, False]
        assert await refused("/gone") is RejectReason.EXPIRED
        assert await refused("/round") is RejectReason.OTHER
        with pytest.raises(TemporaryFailure):
            await get("/busy")
        monkeypatch.setattr(http_client, "MOST_BYTES", 999)
        assert await refused("/file") is RejectReason.TOO_LARGE
        # Whoever made the message up may name any address: ours are not called.
        count = len(store.tokens)
        for address in (f"{url}/file", "file:///etc/passwd", "http://169.254.169.254/"):
            with pytest.raises(PermanentFailure):
                await client.download(address)
        assert len(store.tokens) == count
    finally:
        await client.close()
        server.close()
        other.close()
