"""One's own passkeys in the profile: added with the password at hand, named, removed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import passkeys as passkey_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.commands import RemovePasskey, RenamePasskey
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import PasskeyId
from hub.records.passkeys import Passkey
from hub.web import relying_party
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, say
from hub.web.settings.profile import PATH as PROFILE
from hub.web.settings.profile import draw, knows_password

PATH = f"{PROFILE}/passkeys"
WRONG = _("This is not your present password.")


def _purpose(request: Request) -> str:
    """Bind what is asked to this colleague and this session."""
    return f"add:{request.state.user.id}:{request.state.session}"


@needs("profile.edit")
async def options(request: Request) -> Response:
    """Tell the browser to make a passkey, for whoever knows the password."""
    form = await form_of(request)
    if not str(form.get("name", "")).strip():
        return relying_party.refused(say(request, "a name is needed"))
    if not await knows_password(request, str(form.get("current", ""))):
        return relying_party.refused(say(request, WRONG))
    user = request.state.user

    def load(reader: Reader) -> tuple[str, list[Passkey]]:
        return user_reads.brand(reader).name, passkey_reads.passkeys_of(reader, user.id)

    name, known = await hub_of(request).read(load)
    try:
        return relying_party.ask(
            request,
            _purpose(request),
            PATH,
            lambda party, challenge: relying_party.creation(party, challenge, user, name, known),
        )
    except Invalid as error:
        return relying_party.refused(say(request, str(error)))


@needs("profile.edit")
async def add(request: Request) -> Response:
    """Keep the passkey that the browser made."""
    form = await form_of(request)
    party = relying_party.of(request)
    try:
        challenge = await relying_party.asked(request, _purpose(request))
        if party is None:
            raise Invalid(relying_party.EXPIRED)
        answer, name = str(form.get("credential", "")), str(form.get("name", ""))
        await hub_of(request).do(relying_party.made(party, challenge, answer, name))
    except (Invalid, Conflict) as error:
        return await draw(request, 422, errors={"passkey": str(error)})
    response = go(PROFILE, "passkey_added")
    response.delete_cookie(relying_party.COOKIE, path=PATH)
    return response


@needs("profile.edit")
async def act(request: Request) -> Response:
    """Rename a passkey, or remove it for whoever knows the password."""
    form = await form_of(request)
    passkey_id = PasskeyId(number(request.path_params["passkey_id"]))
    hub = hub_of(request)
    owned = await hub.read(passkey_reads.passkeys_of, request.state.user.id)
    if passkey_id not in [one.id for one in owned]:
        raise NotFound("there is no such passkey")
    try:
        match str(form.get("do", "")):
            case "rename":
                await hub.do(RenamePasskey(passkey_id=passkey_id, name=str(form.get("name", ""))))
                return go(PROFILE, "saved")
            case "remove":
                if not await knows_password(request, str(form.get("current", ""))):
                    raise Invalid(WRONG)
                await hub.do(RemovePasskey(passkey_id=passkey_id))
                return go(PROFILE, "passkey_removed")
    except (Invalid, Conflict) as error:
        return await draw(request, 422, errors={"passkey": str(error)})
    raise NotFound("there is no such action")


def routes() -> list[BaseRoute]:
    """Give the routes of one's own passkeys."""
    return [
        Route(PATH, add, methods=["POST"]),
        Route(f"{PATH}/options", options, methods=["POST"]),
        Route(f"{PATH}/{{passkey_id:int}}", act, methods=["POST"]),
    ]
