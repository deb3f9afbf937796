"""The server: one process that listens, and stops gracefully with streams still open."""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from hub.errors import Conflict
from hub.request_line import HubProtocol
from hub.settings import HubSettings

log = logging.getLogger("hub.server")
BACKLOG = 2048


class HubServer(uvicorn.Server):
    """Tells the application that it stops before it waits for its streams to end."""

    def __init__(
        self, config: uvicorn.Config, app: Starlette, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            _spare_the_collector()
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Open streams end by themselves when they see the event; others within the limit."""
        for server in self.servers:
            # First of all: a browser whose stream ends comes back at once, and must not get in.
            server.close()
        self._app.state.stopping.set()
        await self._app.state.live.stop()
        await super().shutdown(sockets=sockets)
        # A stop that was asked for is a good end: exit code 0, not death by signal.
        self._captured_signals.clear()


def _spare_the_collector() -> None:
    """Take what was made at the start out of the garbage collector's sight.

    It stays until the end; to look through it again and again halts every request for a tenth
    of a second, which is the p99 that bench/intake.py measured before.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def listen(settings: HubSettings) -> socket.socket:
    """Take the port before anything else is started; raises Conflict where it is taken."""
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and settings.host in ("::", ""):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        raise Conflict(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; "
            "another program may use the port (choose one with --port)",
            what="port",
        ) from None
    sock.setblocking(False)
    return sock


def serve(
    app: Starlette, settings: HubSettings, sock: socket.socket, on_ready: Callable[[], None]
) -> None:
    """Serve until SIGINT or SIGTERM; a second one does not wait."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=HubProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Forwarded headers are read by the roof, from trusted proxies only.
        proxy_headers=False,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    HubServer(config, app, on_ready).run(sockets=[sock])
