"""Errors as programs meet them: one shape, one place where the tree becomes a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from crm_store.room import NO_ROOM, lacks_room
from hub.errors import (
    Conflict,
    HubError,
    Invalid,
    MalformedPayload,
    NotAllowed,
    NotFound,
    PermanentFailure,
    TemporaryFailure,
    Unsupported,
    UntrustedRequest,
)
from hub.http_api.shapes.failures import Failure

log = logging.getLogger("hub.api")


class Refused(HubError):
    """A request that ends at the door: it has a status of its own."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details
        self.headers = dict(headers or {})


def unauthorized(message: str) -> Refused:
    """Nobody is known to ask."""
    return Refused(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})


def moved(path: str) -> Refused:
    """It is another thing now."""
    return Refused(
        308, "merged", "this card was merged into another one", headers={"Location": path}
    )


def too_large(limit: int) -> Refused:
    """The body is over its limit."""
    return Refused(413, "too_large", f"at most {limit} bytes are taken", details={"limit": limit})


def status_and_code(error: HubError) -> tuple[int, str]:
    """Give the status and the code of an error of the tree."""
    if isinstance(error, Refused):
        return error.status, error.code
    if isinstance(error, NotFound):
        return 404, "not_found"
    if isinstance(error, NotAllowed | UntrustedRequest):
        return 403, "not_allowed"
    if isinstance(error, Conflict):
        return 409, error.what
    if isinstance(error, Unsupported):
        return 422, "unsupported"
    if isinstance(error, Invalid | MalformedPayload | PermanentFailure):
        return 422, "invalid"
    if isinstance(error, TemporaryFailure):
        return 503, "temporary"
    return 500, "internal"


def answer_error(error: HubError, request_id: str) -> JSONResponse:
    """Answer an error of the tree."""
    status, code = status_and_code(error)
    details = error.details if isinstance(error, Conflict | Refused) else None
    field = error.field if isinstance(error, Invalid) else ""
    headers = error.headers if isinstance(error, Refused) else {}
    return failure(
        status, code, str(error), request_id, field=field, details=details, headers=headers
    )


def failure(
    status: int,
    code: str,
    message: str,
    request_id: str,
    *,
    field: str = "",
    details: object = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make an answer in the one shape."""
    body = {
        "code": code,
        "message": message or HTTPStatus(status).phrase,
        "field": field,
        "details": details,
        "request_id": request_id,
    }
    return JSONResponse({"error": body}, status, headers=dict(headers or {}))


def request_id_of(request: Request) -> str:
    """Give the number of a request."""
    return str(getattr(request.state, "request_id", ""))


async def _hub_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HubError)
    return answer_error(error, request_id_of(request))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # What was sent is not given back: it may hold a secret.
    found = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
        for one in error.errors()
    ]
    first = found[0] if found else {"field": "", "message": "this cannot be read"}
    return failure(
        422,
        "invalid",
        first["message"],
        request_id_of(request),
        field=first["field"],
        details=found[:50],
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {400: "invalid", 404: "not_found", 405: "wrong_method", 413: "too_large"}
    code = codes.get(error.status_code, "refused")
    headers = dict(error.headers or {})
    return failure(
        error.status_code, code, str(error.detail), request_id_of(request), headers=headers
    )


async def _unwritten(request: Request, error: Exception) -> JSONResponse:
    if not lacks_room(error):
        raise error
    return failure(507, "no_room", str(NO_ROOM), request_id_of(request))


def install(api: FastAPI) -> None:
    """Teach an application to answer in our shape."""
    api.add_exception_handler(HubError, _hub_error)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(DBAPIError, _unwritten)
    api.add_exception_handler(OSError, _unwritten)


_MEANINGS = {
    308: "It was merged into another one; `Location` is the card now.",
    400: "The request cannot be read.",
    401: "Nobody is known to ask: no token, or one that is not valid (any more).",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not see it.",
    409: "The world moved on since the caller looked; `code` says in which way.",
    412: "It has another version than `If-Match` says.",
    413: "The body is too large.",
    422: "Something in the request is wrong; `field` names it.",
    429: "Too many requests: come back after `Retry-After` seconds.",
    503: "Not now: try again later.",
}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the documentation of failures."""
    return {status: {"model": Failure, "description": _MEANINGS[status]} for status in statuses}


EVERYWHERE = failures(400, 401, 403, 404, 413, 422, 429)
