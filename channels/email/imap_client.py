"""The one module that speaks to aioimaplib (GPL-3.0): connecting, STARTTLS, login, its faults fenced.

Its parser recurses once per line of what came in one piece, so pieces are kept small here. It
cannot upgrade a connection, so that is done before it sees one. It puts no quotes around a user
name, and does not tell of a lost connection while it idles.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aioimaplib import aioimaplib

PIECE = 4096
MAX_LINES = 50
"""Lines that a server may say between our STARTTLS and its answer."""
GREETING = b"* OK ready\r\n"

LibraryError = aioimaplib.AioImapException


class Answer(NamedTuple):
    """The server's answer to a command: OK, NO or BAD, and its lines (literals: bytearray)."""

    result: str
    lines: Sequence[bytes | bytearray]


class _Protocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]
    def data_received(self, data: bytes) -> None:
        # A thousand short lines at once (somebody marked everything as read) would overflow
        # the stack of the parser.
        for start in range(0, len(data), PIECE):
            super().data_received(data[start : start + PIECE])


class Client(aioimaplib.IMAP4):  # type: ignore[misc]
    """A connection to an IMAP server; `on_lost` is called once when it is gone."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: str,
        context: ssl.SSLContext | None,
        seconds: float,
        on_lost: Callable[[], None],
    ) -> None:
        self._security = security
        self._context = context
        self._plain: asyncio.StreamWriter | None = None
        super().__init__(host, port, timeout=seconds, conn_lost_cb=lambda _: on_lost())

    def create_client(
        self, host: str, port: int, loop: Any, conn_lost_cb: Any = None, ssl_context: Any = None
    ) -> None:
        """Begin to connect; `wait_hello_from_server` tells how it went."""
        self.protocol = _Protocol(asyncio.get_running_loop(), conn_lost_cb)
        self._client_task = asyncio.ensure_future(self._connect(host, port))

    async def _connect(self, host: str, port: int) -> None:
        if self._security == "starttls":
            await self._connect_and_upgrade(host, port)
            return
        context = self._context if self._security == "tls" else None
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.protocol, host, port, ssl=context)

    async def _connect_and_upgrade(self, host: str, port: int) -> None:
        """Connect in the clear, ask for STARTTLS, hand the encrypted connection over.

        Nothing but STARTTLS is ever said in the clear (RFC 9051 section 6.2.1, RFC 8314).
        """
        reader, writer = await asyncio.open_connection(host, port)
        try:
            greeting = await reader.readline()
            if not greeting.upper().startswith(b"* OK"):
                raise ConnectionError(_words(greeting) or "no greeting")
            writer.write(b"h1 STARTTLS\r\n")
            await _upgrade_answer(reader)
            # Whatever came in the clear behind the answer was put there by somebody else.
            if reader._buffer:  # type: ignore[attr-defined]
                raise ConnectionError("the server spoke in the clear after STARTTLS")
            transport = await asyncio.get_running_loop().start_tls(
                writer.transport,
                self.protocol,
                self._context or ssl.create_default_context(),
                server_hostname=host,
            )
        except BaseException:
            writer.transport.abort()
            raise
        # A writer that nobody holds any more would close the connection below.
        self._plain = writer
        self.protocol.connection_made(transport)
        # There is no second greeting after STARTTLS.
        self.protocol.data_received(GREETING)

    async def log_in(self, user: str, password: str) -> Answer:
        """Log in, in the way that also takes letters outside ASCII where the server offers it."""
        offers = {one.upper() for one in self.protocol.capabilities}
        if {"AUTH=PLAIN", "SASL-IR"} <= offers:
            token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            answer = await self._command("AUTHENTICATE", "PLAIN", token, secret=token)
            if answer.result == "OK":
                self.protocol.state = aioimaplib.AUTH
        else:
            answer = Answer(*await self.login(aioimaplib.quoted(user), password))
        if answer.result == "OK":
            # Many servers say what they can do only to whom they know.
            await self.protocol.capability()
        return answer

    async def _command(self, name: str, *arguments: str, secret: str | None = None) -> Answer:
        command = aioimaplib.Command(
            name, self.protocol.new_tag(), *arguments, loop=self.protocol.loop
        )
        return Answer(*await self.protocol.execute(command, scrub=secret))

    def abort(self) -> None:
        """Drop the connection at once; the library leaves its socket open after a logout."""
        self._client_task.cancel()
        if self._idle_waiter is not None:
            self._idle_waiter.cancel()
        if self.protocol.transport is not None:
            self.protocol.transport.abort()


async def _upgrade_answer(reader: asyncio.StreamReader) -> None:
    for _ in range(MAX_LINES):
        line = await reader.readline()
        if line.upper().startswith(b"H1 "):
            if not line.upper().startswith(b"H1 OK"):
                raise ConnectionError("the server offers no STARTTLS")
            return
        if not line:
            break
    raise ConnectionError("the server closed the connection before TLS")


def _words(line: bytes) -> str:
    return " ".join(line[:200].decode("utf-8", "replace").split())
