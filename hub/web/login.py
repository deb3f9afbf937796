"""Logging in and out; the same words for an unknown user and a wrong password."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from functools import cache
from typing import TYPE_CHECKING

import pyotp
from pwdlib import PasswordHash
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_store import sessions as session_reads
from crm_store import users as user_reads
from hub.catalogues import LANGUAGES
from hub.commands import OpenSession, RevokeSessions
from hub.ids import Micros, UserId
from hub.objects import SYSTEM
from hub.terms import fold
from hub.web import relying_party
from hub.web.auth import (
    COOKIE,
    LANGUAGE_COOKIE,
    SESSION_DAYS,
    checked_form,
    new_token,
    set_session,
    token_hash,
)
from hub.web.i18n import translate

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

WINDOW_US = 900_000_000
MAX_PER_PAIR = 8
"""Attempts from one network address at one user: what a guesser sits at."""
MAX_PER_USER = 100
"""From everywhere at one user: high, so that a stranger cannot lock a colleague out cheaply."""
MAX_PER_ADDRESS = 40
TOTP_SECONDS = 30
DAY_US = 86_400_000_000
MIN_PASSWORD = 10


def _(text: str) -> str:
    return text


@cache
def hasher() -> PasswordHash:
    """The password hash: argon2 with the library's recommended parameters."""
    return PasswordHash.recommended()


@cache
def _decoy() -> str:
    return hasher().hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Hash a password in a worker thread; it takes a tenth of a second on purpose."""
    return await asyncio.to_thread(hasher().hash, password)


def weak(password: str, *about: str) -> str:
    """Say (in English, to be translated) why a password is too weak, "" where it is fine."""
    if len(password) < MIN_PASSWORD:
        return _("The password needs at least 10 characters.")
    lowered = password.lower()
    if any(one and len(one) > 3 and one.lower() in lowered for one in about):
        return _("The password must not contain your name or address.")
    if len(set(password)) < 5:
        return _("The password has too few different characters.")
    return ""


def safe_next(target: str) -> str:
    """Give a target inside the hub; anything else leads to the inbox."""
    # Browsers drop tabs and line breaks of an address, which could make one slash two.
    is_plain = target.isprintable() and target.startswith("/")
    if is_plain and not target.startswith(("//", "/\\", "/login")):
        return target
    return "/inbox"


async def login(request: Request) -> Response:
    """Show the form, or try to log in."""
    runtime: Runtime = request.app.state.runtime
    renderer: Renderer = request.app.state.renderer
    if getattr(request.state, "user", None) is not None and request.method == "GET":
        return RedirectResponse("/inbox", 303)
    if request.method == "GET":
        system = runtime.handle(SYSTEM)
        if await system.read(user_reads.count_users) == 0:
            return renderer.page(request, "auth/not_set_up.html")
        return login_page(request, target=request.query_params.get("next", ""))
    form = await request.form(max_files=0, max_fields=10)
    email, password = str(form.get("email", "")), str(form.get("password", ""))[:1000]
    target = safe_next(str(form.get("next", "")))

    def again(text: str, status: int = 401, *, need_code: bool = False) -> Response:
        return login_page(request, status, text, target=target, email=email, need_code=need_code)

    buckets = _buckets(email, request.state.client)
    for bucket, limit in buckets.items():
        number = await runtime.database.write(session_reads.count_attempts, (bucket, WINDOW_US))
        if number > limit:
            return again(_("Too many attempts. Try again in 15 minutes."), 429)
    known = await runtime.handle(SYSTEM).read(user_reads.credentials, email)
    hashed = known[1] if known is not None and known[1] else _decoy()
    # The decoy makes an unknown user cost the same time.
    good = await asyncio.to_thread(hasher().verify, password, hashed)
    if known is None or not good or not known[3] or not known[1]:
        return again(_("This e-mail and password do not go together."))
    user_id, _hashed, sealed, _active = known
    if sealed:
        code = str(form.get("code", "")).replace(" ", "")
        if not code:
            return again("", 200, need_code=True)
        if not await is_fresh_code(runtime, user_id, runtime.keys.decrypt(sealed), code):
            return again(_("The code is wrong."), need_code=True)
    # The address's own count stays: one good login must not pay for guesses at others.
    await runtime.database.write(session_reads.forget_attempts, next(iter(buckets)))
    return await let_in(request, user_id, target)


def login_page(
    request: Request,
    status: int = 200,
    text: str = "",
    *,
    target: str,
    email: str = "",
    need_code: bool = False,
) -> Response:
    """Draw the form; `text` (in English) says what was wrong."""
    renderer: Renderer = request.app.state.renderer
    return renderer.page(
        request,
        "auth/login.html",
        status,
        email=email,
        error=translate(request.state.language, text) if text else "",
        next=target,
        need_code=need_code,
        passkeys=relying_party.is_here(request),
    )


async def let_in(request: Request, user_id: UserId, target: str) -> Response:
    """Open a session for somebody who has proved who he is, and lead him on."""
    runtime: Runtime = request.app.state.runtime
    response = RedirectResponse(target, 303)
    former = getattr(request.state, "user", None)
    if former is not None:
        # This browser forgets that login: nothing may be left of it, nor of its notices.
        command = RevokeSessions(user_id=former.id, token_hash=request.state.session)
        await runtime.handle(SYSTEM).do(command)
    await open_session(request, response, user_id)
    return response


def address_bucket(address: str) -> str:
    """Give where the attempts from a network address are counted."""
    return f"address:{address[:60]}"


def _buckets(email: str, address: str) -> dict[str, int]:
    who = hashlib.sha256(fold(email.strip()).encode()).hexdigest()[:32]
    return {
        f"pair:{who}:{address[:60]}": MAX_PER_PAIR,
        f"user:{who}": MAX_PER_USER,
        address_bucket(address): MAX_PER_ADDRESS,
    }


async def is_fresh_code(runtime: Runtime, user_id: UserId, secret: str, code: str) -> bool:
    """Check a second factor; a code that was used once is no code any more (RFC 6238, 5.2)."""
    now = runtime.now() // 1_000_000
    one = pyotp.TOTP(secret, interval=TOTP_SECONDS)
    for step in (-1, 0, 1):
        at = now + step * TOTP_SECONDS
        if hmac.compare_digest(one.at(at).encode(), code.encode()):
            bucket = f"totp:{user_id}:{at // TOTP_SECONDS}"
            uses: int = await runtime.database.write(
                session_reads.count_attempts, (bucket, WINDOW_US)
            )
            return uses == 1
    return False


async def open_session(request: Request, response: Response, user_id: UserId) -> None:
    """Log a user in: a new token, so that nobody can fix one beforehand."""
    runtime: Runtime = request.app.state.runtime
    token = new_token()
    command = OpenSession(
        user_id=user_id,
        token_hash=token_hash(token),
        expires_at=Micros(runtime.now() + SESSION_DAYS * DAY_US),
        ip=request.state.client,
        agent=request.headers.get("user-agent", "")[:300],
    )
    await runtime.handle(SYSTEM).do(command)
    set_session(response, token, request.state.secure)


async def logout(request: Request) -> Response:
    """End this session."""
    await checked_form(request)
    runtime: Runtime = request.app.state.runtime
    user = request.state.user
    command = RevokeSessions(user_id=user.id, token_hash=request.state.session)
    await runtime.handle(SYSTEM).do(command)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


async def language(request: Request) -> Response:
    """Remember the language of somebody who is not logged in."""
    code = request.path_params["code"]
    response = RedirectResponse(safe_next(request.query_params.get("next", "/login")), 303)
    if request.query_params.get("next", "").startswith(("/login", "/setup", "/invite")):
        response = RedirectResponse(request.query_params["next"], 303)
    if code in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, code, max_age=31_536_000, samesite="lax", path="/")
    return response


def routes() -> list[Route]:
    """Give the routes of logging in."""
    return [
        Route("/login", login, methods=["GET", "POST"]),
        Route("/login/language/{code}", language),
        Route("/logout", logout, methods=["POST"]),
    ]
