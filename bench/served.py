"""A house behind its real server in a process of its own, and colleagues who are logged in.

`python -m bench.served DATA URL PORT` serves until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.house import House, runtime_of
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import users
from hub import SYSTEM, AccountId, Micros, OpenSession, UserId
from hub.app import build
from hub.server import listen
from hub.server import serve as serve_app
from hub.web.auth import COOKIE, csrf_for, token_hash

DAY_US = 86_400_000_000


@dataclass
class Served:
    """The running hub, seen from outside."""

    port: int
    pid: int
    hooks: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    open_dialogs: list[int] = field(default_factory=list)


class Caller:
    """One keep-alive connection of one colleague's browser, or of a provider."""

    def __init__(self, served: Served, session: str = "") -> None:
        self._served, self._session = served, session
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def _connect(self) -> None:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._served.port, limit=1 << 24
            )

    def _head(self, method: str, path: str, body: bytes, more: dict[str, str]) -> bytes:
        lines = {"Host": f"127.0.0.1:{self._served.port}", **more}
        if self._session:
            lines |= {
                "Cookie": f"{COOKIE}={self._session}", "X-CSRF-Token": csrf_for(self._session),
                "Origin": f"http://127.0.0.1:{self._served.port}", "Sec-Fetch-Site": "same-origin",
            }  # fmt: skip
        if body:
            lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode() + body

    async def call(self, method: str, path: str, body: Any = None, **more: str) -> bytes:
        """Make one request; gives the body of a 200, raises for everything else."""
        await self._connect()
        assert self._reader is not None
        assert self._writer is not None
        payload = b"" if body is None else json.dumps(body).encode()
        self._writer.write(self._head(method, path, payload, more))
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        except (asyncio.IncompleteReadError, ConnectionError):
            # The server ends connections that were idle for some seconds.
            if method != "GET":
                raise
            self._writer = None
            return await self.call(method, path, body, **more)
        if b"transfer-encoding: chunked" in head:
            content = b""
            while size := int(await self._reader.readline(), 16):
                content += await self._reader.readexactly(size)
                await self._reader.readline()
            await self._reader.readline()
        else:
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            content = await self._reader.readexactly(length)
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{method} {path}: {head[:60]!r} {content[:200]!r}")
        return content

    async def stream(self, path: str) -> asyncio.StreamReader:
        """Open an event stream; gives what comes."""
        await self._connect()
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(self._head("GET", path, b"", {"Accept": "text/event-stream"}))
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise RuntimeError(head[:60].decode())
        return self._reader

    def close(self) -> None:
        """Let the connection go."""
        if self._writer is not None:
            self._writer.transport.abort()


async def webhook(caller: Caller, path: str, key: str, person: str, text: str) -> None:
    """Write as a customer, through the provider's door."""
    body = {"id": key, "from": person, "text": text}
    await caller.call("POST", path, body, **{"X-Secret": "bench"})


@contextmanager
def serve(one: House, sessions: int) -> Iterator[Served]:
    """Serve a house that may be changed, with so many open sessions of its agents."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    served = Served(port=port, pid=0)
    asyncio.run(_prepare(one, served, sessions))
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.served", str(one.data), one.url, str(port)]
    )
    served.pid = process.pid
    try:
        _wait(port)
        _warm(port)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _prepare(one: House, served: Served, sessions: int) -> None:
    runtime = one.runtime(served.port)
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    agents = await runtime.database.read(
        lambda conn: list(conn.execute(select(users.c.id).order_by(users.c.id)).scalars())
    )
    served.sessions = [secrets.token_urlsafe() for _ in range(sessions)]
    await hub.do(
        *(
            OpenSession(
                user_id=UserId(agents[n % len(agents)]),
                token_hash=token_hash(token),
                expires_at=Micros(hub.now() + DAY_US),
            )
            for n, token in enumerate(served.sessions)
        )
    )
    for account in await hub.accounts():
        found = await hub.account(AccountId(account.id))
        served.hooks.append(f"/hooks/{found.hook_token}")
    served.open_dialogs = await runtime.database.read(
        lambda conn: list(
            conn.execute(
                select(dialogs.c.id)
                .where(dialogs.c.is_open)
                .order_by(dialogs.c.last_at.desc())
                .limit(2000)
            ).scalars()
        )
    )
    await runtime.stop()


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in probe.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the hub did not start")


def _warm(port: int) -> None:
    """Have the API made, which a hub makes some seconds after its start: figures are of one at work."""
    with socket.create_connection(("127.0.0.1", port), 60) as probe:
        probe.sendall(b"GET /api/v1/dialogs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        if b" 401 " not in probe.recv(100):
            raise RuntimeError("the API does not ask who calls")


def main(data: Path, url: str, port: int) -> None:
    """Serve a house."""
    logging.basicConfig(level=logging.ERROR)
    os.environ.setdefault("HUB_LOG_LEVEL", "error")
    runtime = runtime_of(data, url, port)
    serve_app(
        build(runtime.settings, runtime), runtime.settings, listen(runtime.settings), lambda: None
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
