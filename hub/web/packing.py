"""Smaller answers: pages, fragments and static files are compressed for whoever understands it."""

from __future__ import annotations

import gzip

from starlette.requests import Request
from starlette.responses import Response

SMALLEST = 1_000
LEVEL = 5


def understands(request: Request) -> bool:
    """Say whether the caller takes compressed answers."""
    return "gzip" in request.headers.get("accept-encoding", "")


def packed(request: Request, response: Response) -> Response:
    """Compress an answer whose body is known."""
    response.headers["vary"] = "Accept-Encoding"
    body = bytes(response.body)
    if len(body) >= SMALLEST and understands(request):
        response.body = gzip.compress(body, LEVEL, mtime=0)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response
