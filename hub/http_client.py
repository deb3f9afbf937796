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
from urllib.parse import urljoin, urlsplit

import httpx2 as httpx

from hub.errors import Invalid, OutcomeUnknown, PermanentFailure, RejectReason, TemporaryFailure
from hub.reach import NotCalled, Unreachable, check_url, find_target

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 25.0
DOWNLOAD_SECONDS = 100.0
REDIRECTS = 3
MOST_BYTES = 210_000_000
"""An answer is held in memory: a longer one is not read to its end. VK's largest files fit."""


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
        """Send one request and read the whole answer, of at most MOST_BYTES."""
        request = self._client.build_request(
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
        try:
            answer = await self._client.send(request, stream=True)
            try:
                return await _whole(answer)
            finally:
                await answer.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TemporaryFailure(f"cannot reach {httpx.URL(url).host}: {error}") from error
        except httpx.TransportError as error:
            text = f"no answer from {httpx.URL(url).host}: {type(error).__name__}"
            if method in ("GET", "HEAD"):
                raise TemporaryFailure(text) from error
            raise OutcomeUnknown(text) from error

    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, private: bool = False
    ) -> bytes:
        """Give a file's bytes; follows a few redirects, headers go to the first host alone."""
        first = urlsplit(url).netloc
        for _ in range(REDIRECTS + 1):
            await _may_call(url, private=private)
            own = headers if urlsplit(url).netloc == first else None
            answer = await self.request("GET", url, headers=own, timeout=DOWNLOAD_SECONDS)
            if answer.is_redirect:
                url = urljoin(url, answer.headers.get("location", ""))
                continue
            if answer.status_code == 200:
                content: bytes = answer.content
                return content
            text = f"{urlsplit(url).hostname} answered {answer.status_code} for a file"
            if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
                raise TemporaryFailure(text)
            raise PermanentFailure(RejectReason.EXPIRED, text)
        raise PermanentFailure(RejectReason.OTHER, f"{first} sends us round in circles for a file")

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


async def _whole(answer: httpx.Response) -> httpx.Response:
    """Read an answer, unpacked, up to the bound; what an answer says of its own length is a claim."""
    pieces: list[bytes] = []
    room = MOST_BYTES
    async for piece in answer.aiter_bytes():
        room -= len(piece)
        if room < 0:
            text = f"{answer.url.host} sends more than {MOST_BYTES // 1_000_000} MB"
            raise PermanentFailure(RejectReason.TOO_LARGE, text)
        pieces.append(piece)
    headers = [one for one in answer.headers.multi_items() if one[0].lower() != "content-encoding"]
    return httpx.Response(
        answer.status_code,
        headers=headers,
        content=b"".join(pieces),
        request=answer.request,
        extensions=answer.extensions,
    )


async def _may_call(url: str, *, private: bool) -> None:
    """Look at an address that came from outside; raises PermanentFailure."""
    try:
        check_url(url)
        await find_target(url, allow_private=private)
    except (Invalid, NotCalled) as error:
        raise PermanentFailure(
            RejectReason.OTHER, f"no file is at this address: {error}"
        ) from error
    except Unreachable:
        # A proxy may know a host that this machine does not; the request says what is.
        return
