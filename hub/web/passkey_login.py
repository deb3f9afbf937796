"""Signing in with a passkey: instead of the password, and of the code after it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import passkeys as passkey_reads
from crm_store import sessions as session_reads
from hub.commands import UsePasskey
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import UserId
from hub.objects import SYSTEM
from hub.web import relying_party
from hub.web.i18n import translate
from hub.web.login import (
    MAX_PER_ADDRESS,
    WINDOW_US,
    address_bucket,
    let_in,
    login_page,
    safe_next,
)

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.web.passkeys")


def _(text: str) -> str:
    return text


PATH = "/login/passkey"
PURPOSE = "login"
COPIED = _(
    "This passkey may have been copied: it was not accepted. Sign in with the password, remove the"
    " passkey and add a new one."
)


async def options(request: Request) -> Response:
    """Tell a browser to show a passkey; it is the same for everybody, and names nobody."""
    try:
        return relying_party.ask(request, PURPOSE, PATH, relying_party.assertion)
    except Invalid as error:
        return relying_party.refused(translate(request.state.language, str(error)))


async def sign_in(request: Request) -> Response:
    """Let whoever shows a passkey in."""
    runtime: Runtime = request.app.state.runtime
    form = await request.form(max_files=0, max_fields=10)
    target = safe_next(str(form.get("next", "")))
    bucket = address_bucket(request.state.client)
    tries = await runtime.database.write(session_reads.count_attempts, (bucket, WINDOW_US))
    if tries > MAX_PER_ADDRESS:
        text = _("Too many attempts. Try again in 15 minutes.")
        return login_page(request, 429, text, target=target)
    try:
        user_id = await _user_of(request, str(form.get("credential", "")))
    except Invalid as error:
        response = login_page(request, 401, str(error), target=target)
    else:
        response = await let_in(request, user_id, target)
    response.delete_cookie(relying_party.COOKIE, path=PATH)
    return response


async def _user_of(request: Request, answer: str) -> UserId:
    """Give whose passkey was shown; raises Invalid with the words for him."""
    runtime: Runtime = request.app.state.runtime
    system = runtime.handle(SYSTEM)
    challenge = await relying_party.asked(request, PURPOSE)
    party = relying_party.of(request)
    credential = relying_party.credential_of(answer)
    passkey = await system.read(passkey_reads.by_credential, credential)
    if party is None or passkey is None:
        raise Invalid(relying_party.UNTRUE)
    count = relying_party.shown(party, challenge, answer, passkey)
    try:
        await system.do(UsePasskey(passkey_id=passkey.id, sign_count=count))
    except (Conflict, NotFound) as error:
        log.warning("passkey_refused passkey=%d user=%d", passkey.id, passkey.user_id)
        if isinstance(error, Conflict):
            raise Invalid(COPIED) from None
        raise Invalid(relying_party.UNTRUE) from None
    return passkey.user_id


def routes() -> list[BaseRoute]:
    """Give the routes of passkeys at the login."""
    return [
        Route(f"{PATH}/options", options, methods=["POST"]),
        Route(PATH, sign_in, methods=["POST"]),
    ]
