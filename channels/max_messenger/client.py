"""Calls to MAX's Bot API: plain HTTP, the token in a header, JSON both ways (dev.max.ru)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub import (
    AccountRefused,
    HttpClient,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Response,
    TemporaryFailure,
)

NOT_READY = "attachment.not.ready"
REASONS = {
    400: RejectReason.PROVIDER_ERROR,
    403: RejectReason.BLOCKED,
    404: RejectReason.INVALID_ADDRESS,
    413: RejectReason.TOO_LARGE,
}


class NotReady(TemporaryFailure):
    """MAX is still working on an uploaded file; the message was not taken."""


class MaxClient:
    """Calls the API in the name of one bot."""

    def __init__(self, http: HttpClient, token: str, base: str) -> None:
        self._http = http
        self._token = token
        self._base = base

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Make one call; raises what the answer means."""
        given = {name: str(value) for name, value in (params or {}).items() if value is not None}
        answer = await self._http.request(
            method,
            f"{self._base}{path}",
            headers={"Authorization": self._token},
            params=given,
            json=json,
            timeout=timeout,
        )
        found = _json(answer)
        if answer.status_code >= 400 or found is None:
            raise meaning(answer, found, asked=method == "GET")
        if found.get("success") is False:
            words = str(found.get("message") or "refused")
            raise PermanentFailure(RejectReason.PROVIDER_ERROR, f"MAX: {words}"[:400])
        return found


def _json(answer: Response) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def meaning(answer: Response, body: Mapping[str, Any] | None, *, asked: bool = False) -> HubError:
    """Say what an answer that is no success means; `asked`: nothing can have happened."""
    status = answer.status_code
    code = str((body or {}).get("code") or "")
    words = str((body or {}).get("message") or "")
    text = f"MAX {status} {code}: {words}".strip(": ")[:400]
    if status == 401:
        return AccountRefused(text)
    if status == 429 or code == "too.many.requests":
        after = answer.headers.get("retry-after", "")
        return TemporaryFailure(
            text, retry_after=timedelta(seconds=int(after) if after.isdecimal() else 1)
        )
    if code == NOT_READY:
        return NotReady(text, retry_after=timedelta(seconds=2))
    if 400 <= status < 500 and body is not None:
        return PermanentFailure(REASONS.get(status, RejectReason.PROVIDER_ERROR), text)
    if status < 400:
        text = "MAX answered with something that is not JSON"
    return TemporaryFailure(text) if asked or 400 <= status < 500 else OutcomeUnknown(text)
