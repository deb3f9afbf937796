"""A server on loopback that takes webhooks, and a verifier written after the specification alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Posted:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = tuple[int, dict[str, str]] | None


@dataclass
class Receiver:
    """What came, and what is answered: a status with headers, None for never."""

    answer: Callable[[Posted], Answer] = lambda posted: (204, {})
    posted: list[Posted] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def wait(self, count: int, seconds: float = 40) -> list[Posted]:
        """Wait until so many have come."""
        async with asyncio.timeout(seconds):
            while len(self.posted) < count:
                await asyncio.sleep(0.02)
        return self.posted

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                line = (await reader.readline()).decode().split()
                if not line:
                    return
                headers = {}
                while (one := (await reader.readline()).decode().strip()) != "":
                    name, _, value = one.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                posted = Posted(path=line[1], headers=headers, body=body)
                self.posted.append(posted)
                answer = self.answer(posted)
                if answer is None:
                    await asyncio.sleep(3600)
                    return
                status, more = answer
                lines = [
                    f"{name}: {value}" for name, value in {"content-length": "0", **more}.items()
                ]
                writer.write("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(answer: Callable[[Posted], Answer] | None = None) -> AsyncIterator[Receiver]:
    """Open a receiver on a free port."""
    receiver = Receiver(**({"answer": answer} if answer else {}))
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def verify(secret: str, posted: Posted, now: float) -> None:
    """Standard Webhooks, symmetric: `v1,` + base64(HMAC-SHA256(key, "id.timestamp.payload"))."""
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret[len("whsec_") :], validate=True)
    assert 24 <= len(key) <= 64
    timestamp = posted.headers["webhook-timestamp"]
    assert abs(now - int(timestamp)) < 300
    content = posted.headers["webhook-id"] + "." + timestamp + "." + posted.body.decode("utf-8")
    wanted = base64.b64encode(hmac.digest(key, content.encode(), hashlib.sha256)).decode()
    given = posted.headers["webhook-signature"].split(" ")
    assert any(hmac.compare_digest(one, f"v1,{wanted}") for one in given), "the signature is wrong"
