"""Who is at the other end of a request: sessions, CSRF, security headers, language.

Pure ASGI, so that event streams flow and stop with the server. The cookie holds a random
token; only its hash is stored, so a stolen database opens nothing and a session can be ended
at once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_store import sessions as session_reads
from crm_store.desks import chosen
from crm_store.viewer import Reader, Viewer, load_viewer
from hub.catalogues import choose
from hub.ids import UserId
from hub.objects import Actor, ActorKind
from hub.web.errors import crash
from hub.web.eyes import COOKIE as EYES_COOKIE
from hub.web.eyes import Eyes, borrow, refusal
from hub.web.networks import admits, is_door, turned_away
from hub.web.proxies import client_address, is_https, trusted_networks

if TYPE_CHECKING:
    from hub.records.system import User
    from hub.runtime import Runtime

log = logging.getLogger("hub.web")

COOKIE = "hub_session"
LANGUAGE_COOKIE = "hub_language"
CSRF_HEADER = "x-csrf-token"
SESSION_DAYS = 30
SEEN_US = 300_000_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Paths that prove their caller by themselves, or need no proof.
OPEN_PREFIXES = (
    "/static/",
    "/hooks/",
    "/p/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/login",
    "/setup",
    "/manifest.webmanifest",
    "/favicon.ico",
    "/texts/",
    "/worker.js",
    "/api/",
    "/invite/",
    "/shared/",
    "/exports/",
    "/ical/",
    "/u/",
    "/s/",
    "/c/",
    "/o/",
)
FOR_ANYBODY = (
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/favicon.ico",
    "/manifest.",
    "/u/",
    "/s/",
    "/c/",
    "/o/",
)
"""What is the same for everybody: nobody's session is looked up for it."""
UNLOGGED = (*FOR_ANYBODY, "/live")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
NO_CSRF_PREFIXES = ("/hooks/", "/p/", "/api/", "/u/", "/s/", "/c/", "/o/")


def token_hash(token: str) -> str:
    """Give what is stored of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """Make a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def new_api_token() -> str:
    """Make a bearer token; its beginning lets it be recognised where it was published."""
    return f"hub_{secrets.token_urlsafe(32)}"


def csrf_for(token: str) -> str:
    """Give the form token of a session: bound to it, useless without it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def forged(headers: Headers, public_url: str) -> str:
    """Say why an unsafe request is not from our own pages, "" where it is.

    Every browser of today says where a request comes from. One that says nothing at all
    must bring the session's token: in the header, or in a form, where its reader checks it.
    """
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    if site and site not in ("same-origin", "none"):
        return f"sec-fetch-site {site}"
    if origin == "null":
        return "origin null"
    if origin:
        allowed = {headers.get("host", ""), urlsplit(public_url).netloc}
        return "" if urlsplit(origin).netloc in allowed else "origin"
    is_form = headers.get("content-type", "").startswith(FORMS)
    if not site and not is_form and not headers.get(CSRF_HEADER):
        return "nothing says where it comes from"
    return ""


def area_of(path: str) -> str:
    """Give the beginning of an address for the log: what follows may hold a secret."""
    return "/".join(path.split("/")[:2])


def content_policy(nonce: str) -> str:
    """Give the policy of our own pages: nothing from outside, no script without the nonce."""
    return (
        "default-src 'self'; "
        f"script-src 'self' 'nonce-{nonce}'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; connect-src 'self'"
    )


class Gate:
    """The middleware in front of everything."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime
        self._trusted = trusted_networks(runtime.settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its user, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith("/hooks/"):
            # The hot path: a webhook proves itself, and nothing here concerns it.
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        state = scope.setdefault("state", {})
        nonce = secrets.token_urlsafe(16)
        state["nonce"] = nonce
        secure = is_https(scope, self._trusted)
        state["secure"] = secure
        state["client"] = client_address(scope, self._trusted)
        cookie_language = connection.cookies.get(LANGUAGE_COOKIE, "")
        state["language"] = choose(cookie_language, connection.headers.get("accept-language", ""))
        answer = await self._admit(scope, connection, state)
        wrapped = self._with_headers(scope, send, nonce)
        started = time.perf_counter()
        try:
            await (answer or self._app)(scope, receive, wrapped)
        except Exception as error:
            if "status" in state:
                raise
            # Answered here, so that an error's page carries the same headers as every other.
            await (await crash(Request(scope), error))(scope, receive, wrapped)
        finally:
            if not path.startswith(UNLOGGED):
                _note(scope, time.perf_counter() - started)

    async def _admit(self, scope: Scope, connection: HTTPConnection, state: Any) -> Response | None:
        path, method = scope["path"], scope["method"]
        state["away"] = not admits(self._runtime, state["client"])
        token = "" if path.startswith(FOR_ANYBODY) else connection.cookies.get(COOKIE, "")
        wish = connection.cookies.get(EYES_COOKIE, "")
        # A whole page has a frame, where one's status stands.
        state["framed"] = (
            method == "GET"
            and "text/html" in connection.headers.get("accept", "")
            and "x-fragment" not in connection.headers
        )
        user, may, zone, eyes = (
            await self._user(token, state, wish) if token else (None, frozenset(), "", None)
        )
        is_open = path.startswith(OPEN_PREFIXES)
        if state["away"] and (is_door(path) or (user is not None and not is_open)):
            return await turned_away(Request(scope), user.id if user else UserId(0))
        if state["away"] and not path.startswith("/api/"):
            # On open pages he is whoever comes; the API says no by itself.
            user = None
        if user is not None:
            state["user"] = user
            state["session"] = token_hash(token)
            state["hub"] = self._runtime.handle(Actor(kind=ActorKind.USER, id=user.id))
            state["csrf"] = csrf_for(token)
            state["language"] = user.language
            state["zone"] = zone
            state["may"] = may
            if eyes is not None:
                state["eyes"] = eyes
                state["may"] = eyes.viewer.permissions
                state["hub"] = state["hub"].looking(eyes.viewer)
            host = (connection.headers.get("host") or "").split(":")[0]
            state["plain_http"] = not state["secure"] and host not in (
                "localhost",
                "127.0.0.1",
                "[",
                "::1",
            )
        elif not is_open:
            if method in SAFE and "text/html" in connection.headers.get("accept", "*/*"):
                query = scope.get("query_string", b"").decode("latin-1")
                target = quote(f"{path}?{query}" if query else path, safe="/")
                return RedirectResponse(f"/login?next={target}", 303)
            return JSONResponse({"error": {"code": "login", "message": "log in"}}, 401)
        if method not in SAFE and not path.startswith(NO_CSRF_PREFIXES):
            refused = forged(connection.headers, self._runtime.public_url)
            if refused:
                log.warning("csrf_refused area=%s reason=%s", area_of(path), refused)
                return PlainTextResponse("this request did not come from our own page", 403)
            if user is not None and connection.headers.get(CSRF_HEADER) is not None:
                given = connection.headers.get(CSRF_HEADER, "")
                if not hmac.compare_digest(given.encode(), state["csrf"].encode()):
                    return PlainTextResponse("the form token is wrong: reload the page", 403)
                state["csrf_checked"] = True
        bearer = connection.headers.get("authorization")
        if eyes is not None and method not in SAFE and not bearer:
            return refusal(path)
        return None

    async def _user(
        self, token: str, state: Any, wish: str
    ) -> tuple[User | None, frozenset[str], str, Eyes | None]:
        """Give who is behind a cookie, what he may do now, his time zone, and whose eyes he has.

        A revoked one is nobody at once; who has no zone of his own lives in the organisation's.
        """
        hashed = token_hash(token)
        framed = bool(state.get("framed"))

        def load(
            conn: Connection,
        ) -> tuple[User | None, frozenset[str], int, str, Eyes | None]:
            reader = Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now())
            found = session_reads.admitted(reader, hashed)
            if found is None:
                return None, frozenset(), 0, "", None
            user, seen_at, zone = found
            actor = Actor(kind=ActorKind.USER, id=user.id)
            viewer = self._runtime.rights.known(actor) or load_viewer(conn, actor)
            known = user if user.active else None
            if framed:
                state["desk"] = chosen(reader, user.id)
            eyes = borrow(conn, reader.now, viewer, wish) if wish and known is not None else None
            return known, viewer.permissions, seen_at, user.time_zone or zone or "UTC", eyes

        user, may, seen_at, zone, eyes = await self._runtime.database.read(load)
        if user is not None and not state["away"] and self._runtime.now() - seen_at > SEEN_US:
            lifetime = SESSION_DAYS * 86_400_000_000
            await self._runtime.database.write(
                session_reads.touch_sessions, (hashed, user.id, lifetime)
            )
            state["renewed"] = token
        return user, may, zone, eyes

    def _with_headers(self, scope: Scope, send: Send, nonce: str) -> Send:
        path, state = scope["path"], scope["state"]
        policy = content_policy(nonce)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                state["status"] = message["status"]
                if "content-security-policy" not in headers and not path.startswith("/p/"):
                    headers["content-security-policy"] = policy
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cross-origin-opener-policy", "same-origin")
                if "renewed" in state and "set-cookie" not in headers:
                    renewed = Response()
                    set_session(renewed, state["renewed"], state["secure"])
                    headers.append("set-cookie", renewed.headers["set-cookie"])
                if state["secure"]:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        return with_headers


def _note(scope: Scope, seconds: float) -> None:
    """Log a request by the name of its endpoint: an address may hold a secret."""
    endpoint = scope.get("endpoint")
    name = f"{getattr(endpoint, '__module__', '')}.{getattr(endpoint, '__name__', '')}"
    state = scope["state"]
    status = state.get("status", 0)
    user = state.get("user")
    level = logging.WARNING if status >= 500 else logging.INFO
    log.log(
        level,
        "request method=%s endpoint=%s status=%d ms=%.1f user=%d",
        scope["method"],
        name,
        status,
        seconds * 1000,
        user.id if user is not None else 0,
    )


async def checked_form(request: Request) -> Any:
    """Read a form and check its token; raises PermissionError where it is forged."""
    form = await request.form(max_files=20, max_fields=400)
    if not getattr(request.state, "csrf_checked", False):
        expected = getattr(request.state, "csrf", "")
        given = str(form.get("_csrf", ""))
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            raise PermissionError("the form token is wrong: reload the page")
    return form


def set_session(response: Response, token: str, secure: bool) -> None:
    """Put the session cookie on an answer."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/",
    )
