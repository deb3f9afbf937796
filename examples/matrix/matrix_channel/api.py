"""One request to a homeserver, and its errors in the hub's words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from hub import (
    AccountRefused,
    HttpClient,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
)

_REASONS = {
    "M_FORBIDDEN": RejectReason.BLOCKED,
    "M_TOO_LARGE": RejectReason.TOO_LARGE,
    "M_NOT_FOUND": RejectReason.INVALID_ADDRESS,
    "M_INVALID_PARAM": RejectReason.INVALID_ADDRESS,
}


class Homeserver:
    """The client-server API of one user (specification: Client-Server API, "API Standards")."""

    def __init__(self, http: HttpClient, url: str, token: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self,
        method: str,
        *path: str,
        version: str = "v3",
        json: object = None,
        params: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Ask for one endpoint; each part of the path is quoted. Raises the hub's errors."""
        address = "/".join(quote(part, safe="") for part in path)
        answer = await self._http.request(
            method,
            f"{self._url}/_matrix/client/{version}/{address}",
            headers=self._headers,
            json=json,
            params=params,
            timeout=timeout,
        )
        return read_answer(answer)

    async def upload(self, name: str, media_type: str, content: bytes) -> str:
        """Put a file into the media repository; gives its mxc:// address."""
        answer = await self._http.request(
            "POST",
            f"{self._url}/_matrix/media/v3/upload",
            headers={**self._headers, "Content-Type": media_type},
            params={"filename": name},
            content=content,
        )
        return str(read_answer(answer)["content_uri"])

    async def download(self, mxc: str) -> bytes:
        """Get a file of the media repository (authenticated since version 1.11)."""
        server, _, media = mxc.removeprefix("mxc://").partition("/")
        path = f"download/{quote(server, safe='')}/{quote(media, safe='')}"
        answer = await self._http.request(
            "GET", f"{self._url}/_matrix/client/v1/media/{path}", headers=self._headers
        )
        if answer.status_code != 200:
            read_answer(answer)
        return answer.content


def read_answer(answer: Any) -> Any:
    """Give the JSON of a good answer; raise what a bad one means ("Standard error response")."""
    try:
        data = answer.json()
        code, words = str(data.get("errcode", "")), str(data.get("error", ""))[:200]
    except (ValueError, AttributeError):
        data, code, words = None, "", f"the homeserver answered {answer.status_code}"
    status = answer.status_code
    if status == 429:
        raise TemporaryFailure(words, retry_after=_wait(answer, data))
    if status == 401:
        raise AccountRefused(words or "the homeserver refuses the access token")
    if status >= 500:
        # A repeat is safe: the transaction id makes it the same event.
        raise TemporaryFailure(words)
    if status >= 400:
        raise PermanentFailure(_REASONS.get(code, RejectReason.PROVIDER_ERROR), words or code)
    if not isinstance(data, dict):
        raise OutcomeUnknown("the homeserver's answer is no JSON object")
    return data


def _wait(answer: Any, data: Any) -> timedelta | None:
    """The header says it in seconds since version 1.10, the body in milliseconds before."""
    header = answer.headers.get("retry-after", "")
    if header.isdigit():
        return timedelta(seconds=int(header))
    wait = data.get("retry_after_ms") if isinstance(data, dict) else None
    return timedelta(milliseconds=wait) if isinstance(wait, int) else None
