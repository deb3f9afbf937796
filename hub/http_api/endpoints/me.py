"""The caller himself: his profile and his tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import passkeys as passkey_reads
from crm_store import sessions as session_reads
from hub import commands as c
from hub.errors import Invalid, NotAllowed, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.shapes import house as s
from hub.ids import NEVER, PasskeyId, UserId
from hub.roles import PERMISSIONS
from hub.shapes import GivenId
from hub.web.auth import new_api_token, token_hash

router = rights.router("Me")

"""So that a token published by mistake is recognised by those who look for such."""


async def _me(caller: Caller) -> s.Me:
    user = await caller.hub.user(caller.user_id)
    values = {name: getattr(user, name) for name in s.Me.model_fields if name != "permissions"}
    return s.Me(**values, permissions=sorted(caller.viewer.permissions))


@router.get("/me", summary="Who am I")
async def me(caller: rights.AnyCaller) -> s.Me:
    """Give your own profile, and what this very caller may do."""
    return await _me(caller)


@router.patch("/me", summary="Change the own profile")
async def change(caller: rights.MayEditProfile, body: s.UpdateMe) -> s.Me:
    """Change your name, language, theme, signature, time zone and preferences. Passwords are
    changed in a browser only, so that a stolen token cannot take an account over."""
    await caller.hub.do(
        c.UpdateProfile(
            name=body.name,
            language=body.language,
            theme=body.theme,
            signature=body.signature,
            time_zone=body.time_zone,
            preferences=body.preferences,
        )
    )
    return await _me(caller)


@router.get("/me/passkeys", summary="List the own passkeys")
async def passkeys(caller: rights.MayEditProfile) -> list[s.Passkey]:
    """Give the passkeys by which you sign in, the oldest first. They are added in a browser only."""
    found = await caller.hub.read(passkey_reads.passkeys_of, caller.user_id)
    return [s.Passkey.model_validate(one) for one in found]


@router.delete("/me/passkeys/{passkey_id}", status_code=204, summary="Remove an own passkey")
async def remove_passkey(
    caller: rights.MayEditProfile,
    passkey_id: Annotated[GivenId, Path(description="The passkey.")],
) -> Response:
    """End a passkey at once. The last way in is not taken away: 409 `last_way_in`."""
    owned = await caller.hub.read(passkey_reads.passkeys_of, caller.user_id)
    if passkey_id not in [one.id for one in owned]:
        raise NotFound("there is no such passkey")
    await caller.hub.do(c.RemovePasskey(passkey_id=PasskeyId(passkey_id)))
    return Response(status_code=204)


@router.get("/tokens", summary="List tokens")
async def tokens(
    caller: rights.MayManageTokens,
    all: Annotated[
        bool, Query(description="Those of every colleague; needs users.manage.")
    ] = False,
) -> list[s.Token]:
    """Give your tokens without their secrets, the newest first."""
    if all:
        caller.need("users.manage")
    found = await caller.hub.read(session_reads.tokens_of, None if all else caller.user_id)
    return [s.Token.model_validate(one) for one in found]


@router.post("/tokens", status_code=201, summary="Make a token")
async def create(caller: rights.MayManageTokens, body: s.CreateToken) -> s.NewToken:
    """Make a token; its secret is shown this once. A token never makes a mightier one."""
    wrong = [one for one in body.scopes if one not in PERMISSIONS]
    if wrong:
        raise Invalid(f"there is no right {wrong[0]!r}", field="scopes")
    beyond = sorted(set(body.scopes) - caller.viewer.permissions)
    if beyond:
        raise NotAllowed(f"you do not have the right {beyond[0]!r} yourself")
    if caller.scopes is not None and not body.scopes:
        raise NotAllowed("a token with scopes makes tokens with scopes only")
    if body.expires_at is not None and body.expires_at <= caller.hub.now():
        raise Invalid("the end of a token lies ahead", field="expires_at")
    secret = new_api_token()
    made = await caller.hub.do(
        c.CreateToken(
            user_id=UserId(body.user_id) if body.user_id else caller.user_id,
            name=body.name,
            token_hash=token_hash(secret),
            scopes=tuple(dict.fromkeys(body.scopes)),
            expires_at=body.expires_at or NEVER,
        )
    )
    found = await caller.hub.read(session_reads.tokens_of, None)
    record = next(one for one in found if one.id == made[0])
    return s.NewToken(**s.Token.model_validate(record).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=204, summary="Revoke a token")
async def revoke(
    caller: rights.MayManageTokens, token_id: Annotated[GivenId, Path(description="The token.")]
) -> Response:
    """End a token at once."""
    await caller.hub.do(c.RevokeToken(token_id=token_id))
    return Response(status_code=204)
