"""The link by which a colleague chooses a password: for a week, and once.

The link is bound to the password that was set when it was made, so it dies with the next one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store.tables.users import users
from hub.commands import SetPassword
from hub.errors import UntrustedRequest
from hub.ids import UserId
from hub.objects import SYSTEM
from hub.records.system import User
from hub.web.i18n import translate
from hub.web.login import hash_password, open_session, weak

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

PURPOSE = "invitation"
DAYS = 7


async def invitation_link(runtime: Runtime, user_id: UserId) -> str:
    """Make a colleague's link."""
    mark = await _mark(runtime, user_id)
    token = runtime.keys.sign(PURPOSE, f"{user_id}:{mark}")
    return f"{runtime.public_url.rstrip('/')}/invite/{token}"


async def _mark(runtime: Runtime, user_id: UserId) -> str:
    def read(conn: Connection) -> str:
        row = conn.execute(
            select(users.c.password_hash, users.c.email_folded).where(users.c.id == user_id)
        ).first()
        return (
            hashlib.sha256(f"{row.password_hash}|{row.email_folded}".encode()).hexdigest()[:24]
            if row is not None
            else ""
        )

    return await runtime.database.read(read)


async def _invited(runtime: Runtime, token: str) -> User | None:
    try:
        number, _, mark = runtime.keys.unsign(PURPOSE, token, DAYS).partition(":")
        user_id = UserId(int(number))
    except (UntrustedRequest, ValueError):
        return None
    if not mark or mark != await _mark(runtime, user_id):
        return None
    user = await runtime.handle(SYSTEM).user(user_id)
    return user if user.active else None


async def accept(request: Request) -> Response:
    """Let an invited colleague choose a password, and in."""
    runtime: Runtime = request.app.state.runtime
    renderer: Renderer = request.app.state.renderer
    user = await _invited(runtime, request.path_params["token"])
    if user is None:
        return renderer.page(request, "auth/invite_over.html", 410)
    if request.method == "GET":
        return renderer.page(request, "auth/invite.html", person=user, error="")
    form = await request.form(max_files=0, max_fields=10)
    password = str(form.get("password", ""))[:1000]
    reason = weak(password, user.name, user.email.split("@")[0])
    if reason:
        said = translate(request.state.language, reason)
        return renderer.page(request, "auth/invite.html", 422, person=user, error=said)
    hashed = await hash_password(password)
    await runtime.handle(SYSTEM).do(SetPassword(user_id=user.id, password_hash=hashed))
    response = RedirectResponse("/inbox", 303)
    await open_session(request, response, user.id)
    return response


def routes() -> list[BaseRoute]:
    """Give the route of the link."""
    return [Route("/invite/{token}", accept, methods=["GET", "POST"])]
