"""Every endpoint asks first who calls; POSTs may be repeated: one key, one effect, one answer.

`Idempotency-Key` is the caller's own. The same key with the same request gives the answer that
was kept; with another request it is refused (422); while the first one runs it is refused too
(409). A refused request has changed nothing, so it does not use its key up.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from crm_store.api_requests import RUNNING, Claim, Kept, claim_keys, free_keys, keep_answers
from hub.errors import Invalid
from hub.http_api.errors import Refused

if TYPE_CHECKING:
    from hub.http_api.caller import Callers
    from hub.runtime import Runtime

log = logging.getLogger("hub.api")

HEADER = "idempotency-key"
MAX_KEY = 150
_KEPT_HEADERS = ("content-type", "location", "etag")
_NOT_KEPT = frozenset({401, 403, 404, 409, 413, 422, 429})


class KeyedRoute(APIRoute):
    """An endpoint that reads no body of a stranger, and whose POST obeys `Idempotency-Key`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        plain = super().get_route_handler()
        is_post = "POST" in (self.methods or ())

        async def handle(request: Request) -> Response:
            callers: Callers = request.app.state.callers
            await callers.identify(request)
            key = request.headers.get(HEADER, "") if is_post else ""
            if not key:
                return await plain(request)
            if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
                raise Invalid(f"a key is up to {MAX_KEY} printable characters", field=HEADER)
            return await once(request, key, plain)

        return handle


async def once(
    request: Request, key: str, plain: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """Answer a keyed request once; its repeats get what was kept."""
    callers: Callers = request.app.state.callers
    runtime: Runtime = request.app.state.runtime
    caller = await callers.identify(request)
    fingerprint = await _fingerprint(request, caller.scopes)
    claim = Claim(user_id=caller.user_id, key=key, fingerprint=fingerprint)
    kept: Kept = await runtime.database.write(claim_keys, claim)
    if not kept.claimed:
        return _again(kept, claim)
    try:
        response = await plain(request)
    except BaseException:
        await runtime.database.write(free_keys, claim)
        raise
    if response.status_code >= 500 or response.status_code in _NOT_KEPT:
        await runtime.database.write(free_keys, claim)
        return response
    await runtime.database.write(keep_answers, (claim, response.status_code, _packed(response)))
    return response


async def _fingerprint(request: Request, scopes: frozenset[str] | None) -> str:
    """Give what makes two requests the same: verb, address and body, not the form's boundary.

    Also what its token is limited to: one that may less is not told what one that may more was.
    """
    body = await request.body()
    _, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    if boundary:
        body = body.replace(boundary.strip('"').encode("latin-1"), b"")
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(body)
    if scopes is not None:
        digest.update("\n".join(("", *sorted(scopes))).encode())
    return digest.hexdigest()


def _packed(response: Response) -> str:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return json.dumps({"headers": headers, "body": bytes(response.body).decode()})


def _again(kept: Kept, claim: Claim) -> Response:
    if kept.fingerprint != claim.fingerprint:
        raise Refused(422, "key_reused", "this key was used for another request")
    if kept.status == RUNNING:
        raise Refused(
            409, "running", "a request with this key is running", headers={"Retry-After": "1"}
        )
    packed = cast("dict[str, Any]", json.loads(kept.answer))
    headers = {**packed["headers"], "idempotency-replayed": "true"}
    return Response(packed["body"], kept.status, headers=headers)
