"""The first run: a one-time link leads from nothing to the first dialog in a few small steps."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import update
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_store import users as user_reads
from crm_store.journal import get_meta, set_meta
from crm_store.tables.journal import meta
from crm_store.tables.users import users
from crm_store.unit_of_work import Transaction
from hub.catalogues import LANGUAGES
from hub.commands import CreateAccount, CreateUser, UpdateBrand
from hub.errors import HubError
from hub.objects import SYSTEM
from hub.web.auth import LANGUAGE_COOKIE, token_hash
from hub.web.i18n import translate
from hub.web.login import hash_password, open_session, weak
from hub.web.public_address import reach
from hub.zones import zone_names

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

META = "setup_token"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def new_setup_link(runtime: Runtime) -> str:
    """Make the one-time link, valid until the first administrator exists; "" when one does."""
    with runtime.database.administer() as conn:
        if conn.execute(users.select().limit(1)).first() is not None:
            return ""
        token = secrets.token_urlsafe(16)
        set_meta(conn, META, token_hash(token))
    return f"{runtime.public_url.rstrip('/')}/setup/{token}"


async def _is_open(runtime: Runtime, token: str) -> bool:
    expected = await runtime.database.read(lambda conn: get_meta(conn, META))
    if not expected or not hmac.compare_digest(expected, token_hash(token)):
        return False
    return await runtime.handle(SYSTEM).read(user_reads.count_users) == 0


def _claim(tx: Transaction, hashes: list[str]) -> list[bool]:
    """Use the link up, for one of those who press at the same moment."""
    return [
        tx.conn.execute(
            update(meta).where(meta.c.key == META, meta.c.value == one).values(value="")
        ).rowcount
        == 1
        for one in hashes
    ]


def _give_back(tx: Transaction, hashes: list[str]) -> list[None]:
    for one in hashes:
        tx.conn.execute(
            update(meta).where(meta.c.key == META, meta.c.value == "").values(value=one)
        )
    return [None] * len(hashes)


def _own_address(request: Request) -> str:
    """Guess the public address: where the administrator's browser found us, unless only it can."""
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] or host
    if not host or name in LOOPBACK or host in LOOPBACK:
        return ""
    return f"{'https' if request.state.secure else 'http'}://{host}"


async def setup(request: Request) -> Response:
    """Ask for the organisation and its first administrator, all on one page."""
    runtime: Runtime = request.app.state.runtime
    renderer: Renderer = request.app.state.renderer
    token = request.path_params["token"]
    if not await _is_open(runtime, token):
        return renderer.page(request, "auth/setup_over.html", 410)
    language = request.query_params.get("language", "")
    if language in LANGUAGES:
        request.state.language = language
    values = {
        "organisation": "",
        "zone_name": "",
        "public_url": runtime.settings.public_url or _own_address(request),
        "present_url": runtime.public_url,
        "name": "",
        "email": "",
        "demo": False,
        "errors": {},
        "token": token,
        "zones": zone_names(),
    }
    if request.method == "GET":
        response = renderer.page(request, "auth/setup.html", **values)
        if language in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, samesite="lax")
        return response
    form = {key: str(value) for key, value in (await request.form(max_files=0)).items()}
    values |= {
        "organisation": form.get("organisation", "").strip(),
        "zone_name": form.get("zone", "").strip(),
        "public_url": form.get("public_url", "").strip(),
        "name": form.get("name", "").strip(),
        "email": form.get("email", "").strip(),
        "demo": form.get("demo") == "yes",
    }
    errors = _check(values, form.get("password", ""))
    if errors:
        said = {key: translate(request.state.language, text) for key, text in errors.items()}
        return renderer.page(request, "auth/setup.html", 422, **{**values, "errors": said})
    if not await runtime.database.write(_claim, token_hash(token)):
        return renderer.page(request, "auth/setup_over.html", 410)
    try:
        return await _finish(request, values, form.get("password", ""))
    except HubError as error:
        await runtime.database.write(_give_back, token_hash(token))
        return renderer.page(
            request,
            "auth/setup.html",
            422,
            **{**values, "errors": {"email": translate(request.state.language, str(error))}},
        )


def _check(values: dict[str, object], password: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not values["organisation"]:
        errors["organisation"] = "Say what customers call you."
    if not values["name"]:
        errors["name"] = "A name is needed."
    try:
        validate_email(str(values["email"]), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        errors["email"] = "This is not an e-mail address."
    zone = str(values["zone_name"])
    if zone and zone not in zone_names():
        errors["zone"] = "There is no such time zone."
    url = str(values["public_url"])
    if url and not url.startswith(("http://", "https://")):
        errors["public_url"] = "The address starts with https:// or http://."
    reason = weak(password, str(values["name"]), str(values["email"]).split("@")[0])
    if reason:
        errors["password"] = reason
    return errors


async def _finish(request: Request, values: dict[str, object], password: str) -> Response:
    runtime: Runtime = request.app.state.runtime
    system = runtime.handle(SYSTEM)
    language = request.state.language
    hashed = await hash_password(password)
    brand = await system.brand()
    commands = [
        UpdateBrand(
            brand_id=brand.id,
            name=str(values["organisation"]),
            public_url=str(values["public_url"]),
            language=language,
            time_zone=str(values["zone_name"]) or "UTC",
        ),
        CreateUser(
            email=str(values["email"]),
            name=str(values["name"]),
            role="administrator",
            password_hash=hashed,
            language=language,
        ),
    ]
    if "web_chat" in runtime.channels:
        # A channel that works at once: nothing to sign up for.
        commands.append(
            CreateAccount(
                channel="web_chat",
                title=f"{values['organisation']} · {translate(language, 'Web chat')}",
            )
        )
    results = await system.do(*commands)
    if values["public_url"] and not runtime.settings.public_url:
        runtime.public_url = str(values["public_url"])
    if values["demo"]:
        start_demo = getattr(request.app.state, "start_demo", None)
        if start_demo is not None:
            await start_demo(language)
    response = RedirectResponse("/welcome", 303)
    await open_session(request, response, results[1])
    return response


async def welcome(request: Request) -> Response:
    """Offer the first channel: the web chat that is there already, or a mailbox."""
    runtime: Runtime = request.app.state.runtime
    brand = await request.state.hub.brand()
    reached = await reach(runtime, brand.public_url) if brand.public_url else None
    accounts = await request.state.hub.accounts()
    chat = next((one for one in accounts if one.channel == "web_chat"), None)
    renderer: Renderer = request.app.state.renderer
    return renderer.page(
        request,
        "auth/welcome.html",
        chat=chat,
        has_mail="email" in runtime.channels,
        public_url=runtime.public_url,
        unreached=reached if reached is not None and not reached.ok else None,
    )


def routes() -> list[Route]:
    """Give the routes of the first run."""
    return [
        Route("/setup/{token}", setup, methods=["GET", "POST"]),
        Route("/welcome", welcome),
    ]
