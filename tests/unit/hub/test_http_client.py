"""The HTTP client of channels believes certificates, and an authority more where it is told one."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from hub import TemporaryFailure
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
