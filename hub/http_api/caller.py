"""Who calls: a program with a bearer token, or a browser with its session.

A token is known by the hash of its secret only. What it may do is what its user may do, less
what its scopes leave out.
"""

from __future__ import annotations

import hmac
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from crm_store import sessions as session_reads
from crm_store.api_requests import touch_tokens
from crm_store.viewer import Viewer
from hub.errors import NotAllowed
from hub.handle import BoundHub
from hub.http_api.errors import Refused, unauthorized
from hub.ids import UserId
from hub.limits import RateLimit
from hub.objects import SYSTEM, Actor, ActorKind
from hub.web import networks
from hub.web.auth import CSRF_HEADER, SAFE, token_hash

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.api")

TOUCH_US = 300_000_000
"""How often at most the use of a token is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, with what he may do."""

    hub: BoundHub
    viewer: Viewer
    user_id: UserId
    token_hash: str = ""
    scopes: frozenset[str] | None = None

    def need(self, permission: str) -> None:
        """Raise NotAllowed without the right."""
        self.viewer.need(permission)


class Callers:
    """Tells who calls; one per application."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._limit = RateLimit(runtime.settings.api_per_minute, 60, runtime.now)

    async def identify(self, request: Request) -> Caller:
        """Give the caller of a request; raises Refused (401, 403, 429)."""
        known = getattr(request.state, "caller", None)
        if known is not None:
            return cast(Caller, known)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            caller = await self.by_token(token_hash(secret.strip()))
            if caller is None:
                raise unauthorized("this token is not valid")
        elif getattr(request.state, "hub", None) is not None:
            caller = await self._by_session(request)
        else:
            raise unauthorized("send a bearer token")
        if request.state.away:
            await networks.note(self._runtime, caller.user_id, request.state.client)
            raise Refused(403, networks.CODE, networks.WORDS)
        wait = self._limit.wait(caller.token_hash or f"user:{caller.user_id}")
        if wait:
            seconds = str(max(1, math.ceil(wait)))
            raise Refused(
                429, "too_many_requests", "too many requests", headers={"Retry-After": seconds}
            )
        request.state.caller = caller
        return caller

    async def by_token(self, hashed: str) -> Caller | None:
        """Give the caller behind a token's hash, None where it opens nothing."""
        runtime = self._runtime
        system = runtime.handle(SYSTEM)
        token = await system.read(session_reads.token, hashed)
        if token is None:
            return None
        scopes = frozenset(token.scopes) if token.scopes else None
        actor = Actor(kind=ActorKind.TOKEN, id=token.user_id)
        hub = runtime.handle(actor, scopes)
        viewer: Viewer = await hub.read(lambda reader: reader.viewer)
        if viewer.is_nobody:
            return None
        if runtime.now() - token.last_used_at > TOUCH_US:
            await runtime.database.write(touch_tokens, token.id)
        return Caller(
            hub=hub, viewer=viewer, user_id=token.user_id, token_hash=hashed, scopes=scopes
        )

    async def _by_session(self, request: Request) -> Caller:
        if request.method not in SAFE:
            given = request.headers.get(CSRF_HEADER, "")
            expected = str(getattr(request.state, "csrf", ""))
            if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
                raise Refused(403, "csrf", f"a browser sends its page's {CSRF_HEADER} header")
        hub: BoundHub = request.state.hub
        viewer: Viewer = await hub.read(lambda reader: reader.viewer)
        return Caller(hub=hub, viewer=viewer, user_id=UserId(hub.actor.id))

    async def has_session(self, request: Request) -> bool:
        """Say whether the browser behind a long request is still logged in."""
        hashed = str(getattr(request.state, "session", ""))
        system = self._runtime.handle(SYSTEM)
        return await system.read(session_reads.session, hashed) is not None


bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer hub_...`")


async def _caller(request: Request, _: Annotated[object, Depends(bearer)] = None) -> Caller:
    callers: Callers = request.app.state.callers
    return await callers.identify(request)


AnyCaller = Annotated[Caller, Depends(_caller)]
"""A caller of whom no right is asked: for what is one's own."""


def needs(permission: str) -> Callable[[Request], Awaitable[Caller]]:
    """Give the dependency of an endpoint that asks for a right."""

    async def check(caller: AnyCaller) -> Caller:
        if not caller.viewer.may(permission):
            raise NotAllowed(f"this needs the right {permission!r}")
        return caller

    check.permission = permission  # type: ignore[attr-defined]
    return cast("Callable[[Request], Awaitable[Caller]]", check)


def runtime_of(request: Request) -> Runtime:
    """Give the hub behind an endpoint."""
    return cast("Runtime", request.app.state.runtime)
