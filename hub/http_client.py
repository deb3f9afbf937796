"""The HTTP client that channels share: time limits set, and honest about what may have happened.

Where nothing can have happened at the provider (no connection was made, or it was only asked
for something) it raises TemporaryFailure; after every later failure the outcome is unknown.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx2 as httpx

from hub.errors import Invalid, OutcomeUnknown, TemporaryFailure

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 25.0


@cache
def _tls(ca_file: Path | None = None) -> ssl.SSLContext:
    """Read the certificates of the authorities once in a process; it takes a while."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Invalid(f"HUB_CA_FILE: {ca_file} cannot be read as PEM: {error}") from error
    return context


class HubHttpClient:
    """See hub.channel.HttpClient; `ca_file` has authorities to trust beside the usual ones."""

    def __init__(self, ca_file: Path | None = None) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            verify=_tls(ca_file),
            headers={"User-Agent": "DialogHub"},
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: Mapping[str, object] | None = None,
        content: bytes | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send one request and read the whole answer."""
        try:
            return await self._client.request(
                method,
                url,
                headers=dict(headers) if headers else None,
                params=dict(params) if params else None,
                json=json,
                data=dict(data) if data else None,
                content=content,
                files=dict(files) if files else None,
                timeout=timeout if timeout is not None else TOTAL_SECONDS,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TemporaryFailure(f"cannot reach {httpx.URL(url).host}: {error}") from error
        except httpx.TransportError as error:
            text = f"no answer from {httpx.URL(url).host}: {type(error).__name__}"
            if method in ("GET", "HEAD"):
                raise TemporaryFailure(text) from error
            raise OutcomeUnknown(text) from error

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()
