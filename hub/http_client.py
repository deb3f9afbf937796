"""The HTTP client that channels share: time limits set, and honest about what may have happened.

Where nothing can have happened at the provider (no connection was made, or it was only asked
for something) it raises TemporaryFailure; after every later failure the outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2 as httpx

from hub.errors import Invalid, OutcomeUnknown, PermanentFailure, RejectReason, TemporaryFailure
from hub.judged_client import certificates, judged_client
from hub.reach import NotCalled, Resolve, Unreachable, check_url, judged, resolved

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 25.0
DOWNLOAD_SECONDS = 100.0
REDIRECTS = 3
MOST_BYTES = 210_000_000
"""An answer is held in memory: a longer one is not read to its end. VK's largest files fit."""


class HubHttpClient:
    """See hub.channel.HttpClient; `ca_file` has authorities to trust beside the usual ones."""

    def __init__(self, ca_file: Path | None = None, resolve: Resolve = resolved) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            verify=certificates(ca_file),
            headers={"User-Agent": "DialogHub"},
        )
        # Connections are kept by name: what was made inside is no way out, and the other way round.
        self._judged = {
            private: judged_client(
                allow_private=private, seconds=DOWNLOAD_SECONDS, ca_file=ca_file, resolve=resolve
            )
            for private in (False, True)
        }

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
        return await _answer(self._client, request)

    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, private: bool = False
    ) -> bytes:
        """Give a file's bytes; follows a few redirects, headers go to the first host alone."""
        first = urlsplit(url).netloc
        for _ in range(REDIRECTS + 1):
            own = headers if urlsplit(url).netloc == first else None
            answer = await self._file(url, own, private=private)
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

    async def _file(
        self, url: str, headers: Mapping[str, str] | None, *, private: bool
    ) -> httpx.Response:
        """Ask an address that came from outside; raises PermanentFailure where it is not called."""
        client = self._judged[private]
        try:
            check_url(url)
            if _by_proxy(url):
                client = self._client
                await _judge(url, private=private)
            request = client.build_request("GET", url, headers=headers, timeout=DOWNLOAD_SECONDS)
            return await _answer(client, request)
        except (Invalid, NotCalled) as error:
            text = f"no file is at this address: {error}"
            raise PermanentFailure(RejectReason.OTHER, text) from error
        except Unreachable as error:
            raise TemporaryFailure(f"cannot reach {urlsplit(url).hostname}: {error}") from error

    async def close(self) -> None:
        """Let the connections go."""
        for client in (self._client, *self._judged.values()):
            await client.aclose()


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request and read its answer; raises what became of it."""
    try:
        answer = await client.send(request, stream=True)
        try:
            return await _whole(answer)
        finally:
            await answer.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise TemporaryFailure(f"cannot reach {request.url.host}: {error}") from error
    except httpx.TransportError as error:
        text = f"no answer from {request.url.host}: {type(error).__name__}"
        if request.method in ("GET", "HEAD"):
            raise TemporaryFailure(text) from error
        raise OutcomeUnknown(text) from error


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


def _by_proxy(url: str) -> bool:
    """Whether a proxy of the environment calls this address: then it looks the name up, not we."""
    proxies = getproxies()
    named = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    return bool(named) and not proxy_bypass(urlsplit(url).hostname or "")


async def _judge(url: str, *, private: bool) -> None:
    """Look an address up that a proxy will call; raises NotCalled."""
    parts = urlsplit(url)
    try:
        await judged(parts.hostname or "", parts.port or 443, allow_private=private)
    except NotCalled:
        raise
    except Unreachable:
        # The proxy may know a host that this machine does not; the request says what is.
        return
