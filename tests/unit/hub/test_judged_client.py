"""Addresses that a stranger gave: what is judged is what is connected to, under the name's own
certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import httpx2 as httpx
import pytest

from hub import PermanentFailure, RejectReason
from hub.http_client import HubHttpClient
from hub.judged_client import judged_client
from hub.reach import IPAddress, NotCalled, Unreachable
from tests.servers.certificates import Authority

INSIDE = "169.254.169.254"
"""Is never called, so here, where the server is private, too."""


class Names:
    """A resolver: each name has its answers, one after the other; the last one stays."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def __call__(self, name: str, port: int) -> list[IPAddress]:
        self.asked.append(name)
        answers = self._answers.get(name.partition(".")[0])
        if not answers:
            raise OSError("no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(one) for one in found]


class Site:
    """A server that remembers the hosts it was asked for."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.hosts: list[str] = []
        self.port = 0
        self.away = ""
        self._keeps = keeps

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.lower().splitlines()
                self.hosts += [one[6:] for one in lines if one.startswith("host: ")]
                status = f"302 Found\r\nLocation: {self.away}" if self.away else "200 OK"
                end = "" if self._keeps else "Connection: close\r\n"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n{end}\r\nok".encode())
                await writer.drain()
                if not self._keeps:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def open_site(site: Site, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


async def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    names = Names(fickle=[["127.0.0.1"], [INSIDE]])
    async with (
        open_site(Site()) as site,
        judged_client(allow_private=True, seconds=5, resolve=names) as client,
    ):
        url = f"http://fickle.example:{site.port}/"
        # One question is asked, and its answer is connected to: nobody else knows this name.
        assert (await client.get(url)).text == "ok"
        assert names.asked == ["fickle.example"]
        assert site.hosts == [f"fickle.example:{site.port}"]
        with pytest.raises(NotCalled):
            await client.get(url)
        assert len(site.hosts) == 1


async def test_a_host_is_called_only_where_all_of_its_addresses_may_be() -> None:
    names = Names(mixed=[["127.0.0.1", INSIDE]], dead=[["127.0.0.2", "127.0.0.1"]])
    async with (
        open_site(Site()) as site,
        judged_client(allow_private=True, seconds=5, resolve=names) as client,
        judged_client(allow_private=False, seconds=5, resolve=names) as outside,
    ):
        for one, host in ((client, "mixed"), (outside, "dead")):
            with pytest.raises(NotCalled):
                await one.get(f"http://{host}.example:{site.port}/")
        with pytest.raises(Unreachable, match="not known"):
            await client.get("http://nobody.example/")
        assert site.hosts == []
        # Of two that are allowed the one that answers is called.
        assert (await client.get(f"http://dead.example:{site.port}/")).text == "ok"


async def test_a_certificate_is_the_names_own_even_at_one_address(authority: Authority) -> None:
    """A kept connection of one name is no way to speak for another at the same address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate_file, authority.key_file)
    names = Names(localhost=[["127.0.0.1"]], other=[["127.0.0.1"]])
    async with (
        open_site(Site(keeps=True), context) as site,
        judged_client(
            allow_private=True, seconds=5, ca_file=authority.ca_file, resolve=names
        ) as client,
    ):
        for _ in range(2):
            assert (await client.get(f"https://localhost:{site.port}/")).text == "ok"
        assert names.asked == ["localhost"], "the second call goes by the kept connection"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://other.example:{site.port}/")
        assert len(site.hosts) == 2


async def test_a_file_is_not_fetched_from_where_its_name_has_moved_to() -> None:
    names = Names(fickle=[["127.0.0.1"], [INSIDE]], steady=[["127.0.0.1"]], inside=[[INSIDE]])
    client = HubHttpClient(resolve=names)
    try:
        async with open_site(Site()) as site:
            fickle, steady = (f"http://{one}.example:{site.port}/" for one in ("fickle", "steady"))
            assert await client.download(fickle, private=True) == b"ok"
            site.away = "http://inside.example/"
            for url in (fickle, steady):
                with pytest.raises(PermanentFailure) as refused:
                    await client.download(url, private=True)
                assert refused.value.reason is RejectReason.OTHER
            assert site.hosts == [f"{one}.example:{site.port}" for one in ("fickle", "steady")]
            with pytest.raises(PermanentFailure):
                await client.download(steady)
            assert len(site.hosts) == 2
    finally:
        await client.close()
