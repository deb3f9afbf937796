"""Colleagues: who works here, as what, and how a new one gets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import absences as away
from crm_store import passkeys as passkey_reads
from crm_store import roles as role_reads
from crm_store import sessions as session_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.catalogues import LANGUAGES
from hub.commands import (
    CreateUser,
    RemovePasskey,
    RevokeSessions,
    SetPassword,
    SetSecondFactor,
    UpdateUser,
)
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.ids import PasskeyId, TeamId, UserId
from hub.web.invitations import invitation_link
from hub.web.login import hash_password, weak
from hub.web.settings.common import (
    form_of,
    go,
    hub_of,
    many,
    needs,
    number,
    runtime_of,
    say,
    show,
)

PATH = "/settings/users"


def _load(reader: Reader) -> dict[str, Any]:
    return {
        "users": user_reads.all_users(reader),
        "teams": user_reads.all_teams(reader),
        "roles": [one.name for one in role_reads.all_roles(reader)],
    }


async def _list(
    request: Request,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    problem: str = "",
) -> Response:
    form = {"email": "", "name": "", "role": "agent", "language": request.state.language}
    return show(
        request,
        "users",
        "users",
        status,
        form={**form, **(given or {})},
        problem=problem,
        **await hub_of(request).read(_load),
    )


@needs("users.view")
async def users(request: Request) -> Response:
    """Show every colleague."""
    return await _list(request)


@needs("users.manage")
async def add(request: Request) -> Response:
    """Add a colleague: with a password, or with a link by which he chooses his own."""
    form = await form_of(request)
    given = {name: str(form.get(name, "")).strip() for name in ("email", "name", "role")}
    given["language"] = str(form.get("language", ""))
    password = str(form.get("password", ""))
    reason = weak(password, given["name"], given["email"].split("@")[0]) if password else ""
    if reason:
        return await _list(request, 422, given, say(request, reason))
    try:
        command = CreateUser(
            email=given["email"],
            name=given["name"],
            role=given["role"],
            language=given["language"] if given["language"] in LANGUAGES else "en",
            password_hash=await hash_password(password) if password else "",
        )
        user_id = (await hub_of(request).do(command))[0]
    except (Invalid, Conflict, NotAllowed) as error:
        return await _list(request, 422, given, _words(request, error))
    if password:
        return go(f"{PATH}/{user_id}", "created")
    return await _one(request, user_id, invite=True)


async def _one(
    request: Request,
    user_id: UserId,
    status: int = 200,
    *,
    invite: bool = False,
    problem: str = "",
) -> Response:
    may_hand_over = "work.handover" in request.state.may

    def load(reader: Reader) -> dict[str, Any]:
        person = user_reads.user(reader, user_id)
        left: dict[str, int] = {}
        if may_hand_over and not person.active:
            kinds = [away.DIALOGS, *away.movable(reader.nouns)]
            left = away.preview(reader, user_id, kinds, {})
        return {
            "person": person,
            "left": sum(left.values()),
            "roles": [one.name for one in role_reads.all_roles(reader)],
            "teams": user_reads.all_teams(reader),
            "sessions": session_reads.sessions_of(reader, user_id),
            "passkeys": passkey_reads.passkeys_of(reader, user_id),
        }

    link = await invitation_link(runtime_of(request), user_id) if invite else ""
    return show(
        request,
        "user",
        "users",
        status,
        link=link,
        problem=problem,
        **await hub_of(request).read(load),
    )


def _id(request: Request) -> UserId:
    return UserId(number(request.path_params["user_id"]))


@needs("users.manage")
async def user(request: Request) -> Response:
    """Show a colleague, or change him."""
    user_id = _id(request)
    if request.method == "GET":
        return await _one(request, user_id)
    form = await form_of(request)
    try:
        command = UpdateUser(
            user_id=user_id,
            name=str(form.get("name", "")),
            email=str(form.get("email", "")).strip(),
            role=str(form.get("role", "")),
            teams=tuple(TeamId(number(one)) for one in many(form, "teams")),
        )
        await hub_of(request).do(command)
    except (Invalid, Conflict, NotAllowed) as error:
        return await _one(request, user_id, 422, problem=_words(request, error))
    return go(f"{PATH}/{user_id}", "saved")


def _words(request: Request, error: HubError) -> str:
    if isinstance(error, Conflict) and error.what == "last_administrator":
        return say(request, "The last administrator must stay one: make somebody else one first.")
    return say(request, str(error))


@needs("users.manage")
async def act(request: Request) -> Response:
    """Keep a colleague out or let him in, log him out, or give him a new way in."""
    user_id = _id(request)
    form = await form_of(request)
    hub = hub_of(request)
    wish = str(form.get("do", ""))
    try:
        if wish in ("off", "on"):
            await hub.do(UpdateUser(user_id=user_id, active=wish == "on"))
            return go(f"{PATH}/{user_id}", "saved")
        if wish == "logout":
            await hub.do(RevokeSessions(user_id=user_id))
            return go(f"{PATH}/{user_id}", "revoked")
        if wish == "second":
            await hub.do(SetSecondFactor(user_id=user_id))
            return go(f"{PATH}/{user_id}", "second_off")
        if wish.startswith("passkey:"):
            passkey_id = PasskeyId(number(wish.partition(":")[2]))
            await hub.do(RemovePasskey(passkey_id=passkey_id))
            return go(f"{PATH}/{user_id}", "passkey_removed")
        if wish == "invite":
            # The old password ends with the new link: whoever had it is out.
            await hub.do(SetPassword(user_id=user_id, password_hash=""))
            return await _one(request, user_id, invite=True)
    except (Invalid, Conflict, NotAllowed) as error:
        return await _one(request, user_id, 422, problem=_words(request, error))
    raise NotFound("there is no such action")


def routes() -> list[BaseRoute]:
    """Give the routes of colleagues."""
    return [
        Route(PATH, users, methods=["GET"]),
        Route(PATH, add, methods=["POST"]),
        Route(f"{PATH}/{{user_id:int}}", user, methods=["GET", "POST"]),
        Route(f"{PATH}/{{user_id:int}}/act", act, methods=["POST"]),
    ]
