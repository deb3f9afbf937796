"""The client for addresses that somebody else may have given: it connects only where it may.

The judging stands where connections are made (hub/reach.py says what is allowed): a name is
looked up there, once, and that very address is connected to, so a name that changes its mind
gains nothing, and no request goes around it. The name stays the request's: it is said to the
server, its certificate is checked against it, and connections are kept by it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx

from hub.errors import Invalid
from hub.reach import Resolve, judged, resolved

CONNECTIONS = 100
KEPT = 20
KEPT_SECONDS = 5.0


@cache
def certificates(ca_file: Path | None = None) -> ssl.SSLContext:
    """Read the certificates of the authorities once in a process; it takes a while."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Invalid(f"HUB_CA_FILE: {ca_file} cannot be read as PEM: {error}") from error
    return context


def judged_client(
    *,
    allow_private: bool,
    seconds: float,
    ca_file: Path | None = None,
    resolve: Resolve = resolved,
) -> httpx.AsyncClient:
    """Give a client; its calls raise hub.reach.Unreachable where they may not go, or know no host.

    `seconds` bounds each step of a call. Redirects are answers like others, and no proxy of the
    environment is asked.
    """
    return httpx.AsyncClient(
        transport=_Transport(_Backend(allow_private, resolve), certificates(ca_file)),
        timeout=seconds,
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": "DialogHub"},
    )


class _Transport(httpx.AsyncHTTPTransport):
    """The usual transport over a pool whose connections are judged."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=CONNECTIONS,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=backend,
        )


class _Backend(httpcore.AsyncNetworkBackend):
    """Makes connections to judged addresses."""

    def __init__(self, allow_private: bool, resolve: Resolve) -> None:
        self._allow_private, self._resolve = allow_private, resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers; all of them must be allowed."""
        now = asyncio.get_running_loop().time
        until = None if timeout is None else now() + timeout
        addresses = await judged(
            host, port, allow_private=self._allow_private, resolve=self._resolve
        )
        for left in range(len(addresses), 0, -1):
            # One that is dead leaves time for the others.
            share = None if until is None else max(0.0, until - now()) / left
            try:
                return await self._inner.connect_tcp(
                    str(addresses[-left]),
                    port,
                    timeout=share,
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("a judged host has an address")
