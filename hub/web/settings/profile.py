"""One's own profile: name, looks, keys, password, second factor, where one is logged in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pyotp
from cryptography.fernet import InvalidToken
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import passkeys as passkey_reads
from crm_store import sessions as session_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.commands import RevokeSessions, SetPassword, SetSecondFactor, UpdateProfile
from hub.errors import Invalid, NotFound
from hub.web import relying_party
from hub.web.login import hash_password, hasher, is_fresh_code, weak
from hub.web.settings.common import _, form_of, go, hub_of, needs, runtime_of, say, show
from hub.zones import zone_names

PATH = "/settings/profile"
DENSITIES = ("normal", "comfortable", "compact")
SEND_KEYS = ("ctrl_enter", "enter")
SETUP_SECONDS = 1800


async def first(request: Request) -> Response:
    """Lead to the first screen."""
    return RedirectResponse(PATH, 303)


async def draw(
    request: Request,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """Draw the profile with what was given and what is wrong with it, in English."""
    user = request.state.user

    def load(reader: Reader) -> tuple[Any, str, bool, Any]:
        known = user_reads.credentials(reader, user.email)
        return (
            session_reads.sessions_of(reader, user.id),
            user_reads.brand(reader).time_zone,
            bool(known and known[2]),
            passkey_reads.passkeys_of(reader, user.id),
        )

    sessions, zone, has_totp, passkeys = await hub_of(request).read(load)
    form = {
        "name": user.name,
        "language": user.language,
        "time_zone": user.time_zone,
        "theme": user.theme,
        "signature": user.signature,
        "density": user.preferences.get("density", "normal"),
        "send_key": user.preferences.get("send_key", "ctrl_enter"),
        "undo_seconds": user.preferences.get("undo_seconds", 5),
        "single_keys": user.preferences.get("single_keys", "on"),
        "sound": user.preferences.get("sound", "on"),
        **(given or {}),
    }
    said = {name: say(request, text) for name, text in (errors or {}).items()}
    return show(
        request,
        "profile",
        "profile",
        status,
        form=form,
        errors=said,
        sessions=sessions,
        own=request.state.session,
        brand_zone=zone,
        has_totp=has_totp,
        passkeys=passkeys,
        party=relying_party.of(request),
        is_here=relying_party.is_here(request),
        public_url=runtime_of(request).public_url,
        zones=zone_names(),
    )


@needs("profile.edit")
async def profile(request: Request) -> Response:
    """Show the profile, or change it."""
    if request.method == "GET":
        return await draw(request)
    form = await form_of(request)
    given = {
        name: str(form.get(name, "")).strip()
        for name in ("name", "language", "time_zone", "theme", "density", "send_key")
    }
    given["signature"] = str(form.get("signature", "")).replace("\r\n", "\n")
    given["single_keys"] = "on" if "single_keys" in form else "off"
    given["sound"] = "on" if "sound" in form else "off"
    seconds = str(form.get("undo_seconds", "5"))
    given["undo_seconds"] = seconds
    errors: dict[str, str] = {}
    if given["time_zone"] and given["time_zone"] not in zone_names():
        errors["time_zone"] = _("There is no such time zone.")
    preferences: dict[str, object] = {
        "density": given["density"] if given["density"] in DENSITIES else "normal",
        "send_key": given["send_key"] if given["send_key"] in SEND_KEYS else "ctrl_enter",
        "undo_seconds": min(60, int(seconds)) if seconds.isdecimal() else 5,
        "single_keys": given["single_keys"],
        "sound": given["sound"],
    }
    if not errors:
        try:
            await hub_of(request).do(
                UpdateProfile(
                    name=given["name"],
                    language=given["language"],
                    theme=given["theme"],
                    signature=given["signature"],
                    time_zone=given["time_zone"],
                    preferences=preferences,
                )
            )
        except Invalid as error:
            errors[error.field] = str(error)
    if errors:
        return await draw(request, 422, given, errors)
    return go(PATH, "saved")


async def knows_password(request: Request, given: str) -> bool:
    """Ask for the password again before what would keep its owner out; guesses are counted."""
    runtime = runtime_of(request)
    user = request.state.user
    bucket = f"again:{user.id}"
    tries = await runtime.database.write(session_reads.count_attempts, (bucket, 900_000_000))
    if tries > 8:
        return False
    known = await runtime.handle(hub_of(request).actor).read(user_reads.credentials, user.email)
    if known is None or not known[1]:
        return False
    if not await asyncio.to_thread(hasher().verify, given[:1000], known[1]):
        return False
    await runtime.database.write(session_reads.forget_attempts, bucket)
    return True


@needs("profile.edit")
async def password(request: Request) -> Response:
    """Change the password; every other browser is logged out."""
    form = await form_of(request)
    user = request.state.user
    given = str(form.get("password", ""))
    errors = {}
    if not await knows_password(request, str(form.get("current", ""))):
        errors["current"] = _("This is not your present password.")
    elif reason := weak(given, user.name, user.email.split("@")[0]):
        errors["password"] = reason
    if errors:
        return await draw(request, 422, errors=errors)
    await hub_of(request).do(
        SetPassword(
            user_id=user.id,
            password_hash=await hash_password(given),
            keep_session=request.state.session,
        )
    )
    return go(PATH, "password")


@needs("profile.edit")
async def sessions(request: Request) -> Response:
    """Log another browser out, or all others."""
    form = await form_of(request)
    wanted = str(form.get("session", ""))
    user = request.state.user
    hub = hub_of(request)
    if wanted == "others":
        await hub.do(RevokeSessions(user_id=user.id, all_but=request.state.session))
        return go(PATH, "revoked")
    found = [
        one.token_hash
        for one in await hub.read(session_reads.sessions_of, user.id)
        if wanted and one.token_hash.startswith(wanted)
    ]
    if len(found) != 1:
        raise NotFound("there is no such session")
    await hub.do(RevokeSessions(user_id=user.id, token_hash=found[0]))
    return go(PATH, "revoked")


# -- second factor -------------------------------------------------------------------------


@needs("profile.edit")
async def second(request: Request) -> Response:
    """Turn the second factor on: nothing is stored before the app has shown a right code."""
    runtime = runtime_of(request)
    user = request.state.user
    if request.method == "GET":
        return _second(request, pyotp.random_base32())
    form = await form_of(request)
    try:
        kept = json.loads(runtime.keys.decrypt(str(form.get("sealed", ""))))
        fresh = kept["user"] == user.id and runtime.now() < kept["until"]
        secret = str(kept["secret"])
    except (InvalidToken, ValueError, KeyError, TypeError):
        fresh, secret = False, ""
    if not fresh:
        return _second(request, pyotp.random_base32(), _("That took too long: begin again."))
    code = str(form.get("code", "")).replace(" ", "")
    if not await is_fresh_code(runtime, user.id, secret, code):
        return _second(request, secret, _("The code is wrong."))
    await hub_of(request).do(SetSecondFactor(user_id=user.id, secret=runtime.keys.encrypt(secret)))
    return go(PATH, "second_on")


def _second(request: Request, secret: str, error: str = "") -> Response:
    runtime = runtime_of(request)
    user = request.state.user
    until = runtime.now() + SETUP_SECONDS * 1_000_000
    sealed = runtime.keys.encrypt(json.dumps({"user": user.id, "secret": secret, "until": until}))
    return show(
        request,
        "second",
        "profile",
        422 if error else 200,
        secret=secret,
        sealed=sealed,
        link=pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name="Dialog Hub"),
        error=say(request, error) if error else "",
    )


@needs("profile.edit")
async def second_off(request: Request) -> Response:
    """Turn the second factor off, for whoever knows the password."""
    form = await form_of(request)
    if not await knows_password(request, str(form.get("current", ""))):
        return await draw(request, 422, errors={"second": _("This is not your present password.")})
    await hub_of(request).do(SetSecondFactor(user_id=request.state.user.id))
    return go(PATH, "second_off")


def routes() -> list[BaseRoute]:
    """Give the routes of the profile."""
    return [
        Route("/settings", first),
        Route(PATH, profile, methods=["GET", "POST"]),
        Route(f"{PATH}/password", password, methods=["POST"]),
        Route(f"{PATH}/sessions", sessions, methods=["POST"]),
        Route(f"{PATH}/second", second, methods=["GET", "POST"]),
        Route(f"{PATH}/second/off", second_off, methods=["POST"]),
    ]
