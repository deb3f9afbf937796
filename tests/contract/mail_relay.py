"""A mail relay as the far side of the e-mail channel: real SMTP, with the faults of one."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP

from hub.testing import Request, Scene

ANSWERS = {
    Scene.ACCEPTED: "250 2.0.0 queued",
    Scene.REFUSED: "550 5.1.1 there is no such mailbox",
    Scene.OVERLOADED: "450 4.2.1 too many letters, try later",
    Scene.JUNK: "hello, this is not a mail server",
    Scene.BROKEN: "421 4.3.0 the proxy lost the server",
}


class MailRelay:
    """Takes letters over SMTP (RFC 5321) on a port of its own, in a thread of its own."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.waiting: list[bytes] = []
        self._scene = Scene.ACCEPTED
        # The relay's own lines are not the hub's: letters stand in them.
        logging.getLogger("mail.log").propagate = False
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._connections: set[Any] = set()
        self._controller = UnthreadedController(self, "127.0.0.1", 0, loop=self._loop)
        self._controller.begin()
        port = self._controller.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def play(self, scene: Scene) -> None:
        """Answer letters so."""
        self._scene = scene

    def deliver(self, body: bytes) -> None:
        """Letters come in over IMAP, which is another server."""
        self.waiting.append(body)

    def close(self) -> None:
        """Hang up on everybody."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _end(self) -> None:
        self._closing.set()
        self._controller.server.close()
        for transport in self._connections:
            transport.abort()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet."""
        self._connections.add(server.transport)
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take one letter, or what the scene makes of it."""
        letter = envelope.content
        self.requests.append(
            Request(method="DATA", path="", query={}, headers={}, body=bytes(letter))
        )
        if self._scene is Scene.RESET:
            server.transport.abort()
            return "250 never heard"
        if self._scene is Scene.SILENT:
            await self._closing.wait()
        return ANSWERS.get(self._scene, "451 4.3.0 gone")
