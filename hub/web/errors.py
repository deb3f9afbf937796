"""Errors as people meet them: what happened, what to do, and a number for the administrator."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from crm_store.room import NO_ROOM, lacks_room
from hub.errors import (
    Conflict,
    HubError,
    Invalid,
    MalformedPayload,
    NotAllowed,
    NotFound,
    Unsupported,
    UntrustedRequest,
)
from hub.web.i18n import translate

log = logging.getLogger("hub.web")


def status_of(error: BaseException) -> int:
    """Give the HTTP status of an error of the tree."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, NotAllowed | UntrustedRequest | PermissionError):
        return 403
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, Invalid | Unsupported | MalformedPayload):
        return 422
    return 500


def wants_json(request: Request) -> bool:
    """Say whether the caller is a script of ours rather than a person's address bar."""
    return "application/json" in request.headers.get("accept", "") or request.headers.get(
        "content-type", ""
    ).startswith("application/json")


def as_json(
    error: HubError, status: int, language: str = "en", owner: tuple[int, str] | None = None
) -> JSONResponse:
    """Give an error as our modules read it, in the words of the person who sees it.

    `owner` is whose the thing is already, number and name, as far as this person may know it.
    """
    words = translate(language, str(error))
    body: dict[str, Any] = {"code": type(error).__name__.lower(), "message": words}
    if isinstance(error, Conflict):
        body |= {"what": error.what, "details": error.details}
    if owner is not None:
        body["details"] = {"id": str(owner[0]), "name": owner[1]}
    if isinstance(error, Invalid):
        body["field"] = error.field
    return JSONResponse({"error": body}, status)


async def hub_error(request: Request, error: Exception) -> Response:
    """Answer an error of the tree."""
    status = status_of(error)
    if wants_json(request) and isinstance(error, HubError):
        return as_json(error, status, getattr(request.state, "language", "en"))
    return page(request, status, translate(getattr(request.state, "language", "en"), str(error)))


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what the router refuses."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) and status not in (404, 405) else ""
    if wants_json(request):
        return JSONResponse({"error": {"code": str(status), "message": detail}}, status)
    return page(request, status, detail)


async def crash(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw, with a number that is also in the log."""
    number = secrets.token_hex(4)
    endpoint = getattr(request.scope.get("endpoint"), "__qualname__", "")
    if lacks_room(error):
        log.error("request_without_room endpoint=%s", endpoint)
        return no_room(request)
    log.exception("request_failed number=%s endpoint=%s", number, endpoint, exc_info=error)
    if wants_json(request):
        return JSONResponse({"error": {"code": "crash", "message": number}}, 500)
    return page(request, 500, "", number)


def no_room(request: Request) -> Response:
    """Say that nothing was written, because the disk is full."""
    language = getattr(request.state, "language", "en")
    if wants_json(request):
        return as_json(NO_ROOM, 507, language)
    return page(request, 507, translate(language, str(NO_ROOM)))


def page(request: Request, status: int, detail: str = "", number: str = "") -> Response:
    """Draw the error page."""
    renderer = getattr(request.app.state, "renderer", None)
    if renderer is None or not hasattr(request.state, "nonce"):
        return PlainTextResponse(detail or str(status), status)
    titles = {
        403: "You may not see this",
        404: "There is nothing here",
        409: "Somebody was faster",
        413: "This is too large",
        422: "Something is not right yet",
        500: "This went wrong on our side",
        507: "There is no room left",
    }
    language = getattr(request.state, "language", "en")
    response: Response = renderer.page(
        request,
        "hub/error.html",
        status,
        title=translate(language, titles.get(status, titles[500])),
        detail=detail,
        number=number,
    )
    return response


def error_handlers() -> dict[Any, Callable[[Request, Exception], Any]]:
    """Give the handlers of the application."""
    return {
        HubError: hub_error,
        PermissionError: hub_error,
        HTTPException: http_error,
        Exception: crash,
    }
