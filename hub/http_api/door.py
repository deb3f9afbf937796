"""The door of the API: a number for each request, a limit for each body, an answer to each crash."""

from __future__ import annotations

import logging
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.http_api.errors import answer_error, failure, too_large
from hub.import_files import MAX_FILE as MAX_IMPORT

log = logging.getLogger("hub.api")

MAX_BODY = 2_500_000
FORM_EXTRA = 100_000
"""What a form adds to the file in it."""


class Door:
    """The middleware in front of the API; pure ASGI, so that streams flow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def numbered(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        limit = _limit_of(scope)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            await answer_error(too_large(limit), request_id)(scope, receive, numbered)
            return
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            answer = failure(400, "invalid", "the address has a zero in it", request_id)
            await answer(scope, receive, numbered)
            return
        try:
            await self._app(scope, _limited(receive, limit), numbered)
        except Exception as error:
            if started:
                raise
            log.exception(
                "request_failed request=%s method=%s route=%s error=%s",
                request_id,
                scope["method"],
                getattr(scope.get("route"), "path", ""),
                type(error).__name__,
            )
            answer = failure(500, "internal", "this went wrong on our side", request_id)
            await answer(scope, receive, numbered)


def _limit_of(scope: Scope) -> int:
    path: str = scope["path"].rstrip("/")
    if path.endswith("/attachments"):
        most: int = scope["app"].state.runtime.settings.max_file
        return most + FORM_EXTRA
    return MAX_IMPORT + FORM_EXTRA if path.endswith("/imports") else MAX_BODY


def _limited(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                # Of all errors, only this one passes the reader of the body unchanged.
                raise HTTPException(413, f"at most {limit} bytes are taken")
        return message

    return counted
