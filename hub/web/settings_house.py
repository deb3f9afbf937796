"""Settings of the house: colleagues, one's own profile, tokens, webhooks, plugins, the journal."""

from __future__ import annotations

import secrets
from typing import Any

import pyotp
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_store import dialogs as dialog_reads
from crm_store import journal as journal_reads
from crm_store import users as user_reads
from crm_store import work as work_reads
from crm_store.viewer import Reader
from hub.commands import (
    CreateToken,
    CreateUser,
    ReleaseHeld,
    RemoveWebhook,
    RepeatWebhook,
    RevokeSessions,
    RevokeToken,
    SaveTeam,
    SaveWebhook,
    SetPassword,
    UpdateBrand,
    UpdateProfile,
    UpdateUser,
)
from hub.errors import HubError
from hub.ids import EventId, TeamId, UserId, WebhookId
from hub.roles import PERMISSIONS, ROLES
from hub.web.auth import checked_form, token_hash
from hub.web.i18n import translate
from hub.web.inbox import number
from hub.web.login import hash_password, hasher, weak
from hub.web.settings import need, show

Form = Any


async def profile(request: Request) -> Response:
    """One's own name, language, looks, password, second factor and sessions."""
    hub, user = request.state.hub, request.state.user
    values: dict[str, Any] = {"said": "", "error": "", "totp": ""}
    if request.method == "POST":
        form = await checked_form(request)
        try:
            answer = await _profile_act(request, form, values)
        except HubError as error:
            values["error"] = str(error)
            answer = None
        if answer is not None:
            return answer
        user = await hub.user(user.id)

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "sessions": user_reads.sessions_of(reader, user.id),
            "has_totp": bool((user_reads.credentials(reader, user.email) or ("", "", ""))[2]),
        }

    values |= await hub.read(load)
    if values["totp"]:
        values["totp_url"] = pyotp.TOTP(values["totp"]).provisioning_uri(
            user.email, issuer_name="Dialog Hub"
        )
    return show(
        request,
        "settings/profile.html",
        me=user,
        here=request.state.session,
        page="profile",
        **values,
    )


async def _profile_act(request: Request, form: Form, values: dict[str, Any]) -> Response | None:
    runtime, hub, user = request.app.state.runtime, request.state.hub, request.state.user
    language = request.state.language
    act = str(form.get("act", ""))
    if act == "profile":
        preferences = {
            "density": str(form.get("density", "normal")),
            "send_key": str(form.get("send_key", "ctrl_enter")),
            "undo_seconds": max(0, min(30, number(form.get("undo_seconds", "5") or "0"))),
            "single_keys": "on" if form.get("single_keys") == "yes" else "off",
        }
        await hub.do(
            UpdateProfile(
                name=str(form.get("name", "")),
                language=str(form.get("language", user.language)),
                theme=str(form.get("theme", user.theme)),
                time_zone=str(form.get("time_zone", "")),
                signature=str(form.get("signature", "")),
                preferences=preferences,
            )
        )
        return RedirectResponse("/settings/profile?saved=1", 303)
    if act == "password":
        known = await hub.read(user_reads.credentials, user.email)
        if not hasher().verify(str(form.get("old", ""))[:1000], known[1] if known else ""):
            values["error"] = translate(language, "The present password is wrong.")
            return None
        reason = weak(str(form.get("password", "")), user.name)
        if reason:
            values["error"] = translate(language, reason)
            return None
        hashed = await hash_password(str(form["password"]))
        await hub.do(
            SetPassword(user_id=user.id, password_hash=hashed, keep_session=request.state.session)
        )
        values["said"] = translate(
            language, "The password is changed; other devices are logged out."
        )
    elif act == "session":
        await hub.do(RevokeSessions(user_id=user.id, token_hash=str(form.get("hash", "-"))))
    elif act == "totp":
        values["totp"] = pyotp.random_base32()
    elif act == "totp_confirm":
        secret = str(form.get("secret", ""))
        if pyotp.TOTP(secret).verify(str(form.get("code", "")).strip(), valid_window=1):
            sealed = runtime.keys.encrypt(secret)
            await runtime.database.write(user_reads.set_totp, (user.id, sealed))
            values["said"] = translate(language, "The second factor is on.")
        else:
            values |= {"totp": secret, "error": translate(language, "The code is wrong.")}
    elif act == "totp_off":
        await runtime.database.write(user_reads.set_totp, (user.id, ""))
    return None


async def organisation(request: Request) -> Response:
    """The organisation's name, public address, language and zone."""
    need(request, "system.manage")
    hub, runtime = request.state.hub, request.app.state.runtime
    brand, saved, error = await hub.brand(), False, ""
    if request.method == "POST":
        form = await checked_form(request)
        url = str(form.get("public_url", "")).strip()
        try:
            await hub.do(
                UpdateBrand(
                    brand_id=brand.id,
                    name=str(form.get("name", "")),
                    public_url=url,
                    language=str(form.get("language", "en")),
                    time_zone=str(form.get("time_zone", "UTC")),
                )
            )
            if url:
                runtime.public_url = url
            brand, saved = await hub.brand(), True
        except HubError as failure:
            error = str(failure)
    held = await hub.read(dialog_reads.held)
    return show(
        request,
        "settings/organisation.html",
        brand=brand,
        saved=saved,
        error=error,
        held=held,
        page="organisation",
    )


async def held(request: Request) -> Response:
    """Let held outgoing things go, or drop them."""
    need(request, "system.manage")
    form = await checked_form(request)
    command = ReleaseHeld(kind=str(form.get("kind", "")), release=form.get("act") == "release")
    await request.state.hub.do(command)
    return RedirectResponse("/settings/organisation", 303)


async def users(request: Request) -> Response:
    """Colleagues and teams."""
    need(request, "users.view")
    hub, error, made = request.state.hub, "", ""
    if request.method == "POST":
        need(request, "users.manage")
        form = await checked_form(request)
        try:
            made = await _users_act(request, form)
        except HubError as failure:
            error = str(failure)

    def load(reader: Reader) -> dict[str, Any]:
        return {"users": user_reads.all_users(reader), "teams": user_reads.all_teams(reader)}

    return show(
        request,
        "settings/users.html",
        error=error,
        made=made,
        roles=list(ROLES),
        page="users",
        **await hub.read(load),
    )


async def _users_act(request: Request, form: Form) -> str:
    hub, act = request.state.hub, str(form.get("act", ""))
    if act == "add":
        password = secrets.token_urlsafe(9)
        await hub.do(
            CreateUser(
                email=str(form.get("email", "")),
                name=str(form.get("name", "")),
                role=str(form.get("role", "agent")),
                password_hash=await hash_password(password),
                language=request.state.language,
            )
        )
        return f"{form.get('email')}: {password}"
    if act == "team":
        members = tuple(UserId(number(one)) for one in form.getlist("members"))
        await hub.do(
            SaveTeam(
                team_id=TeamId(number(form.get("team_id") or "0")),
                name=str(form.get("name", "")),
                members=members,
            )
        )
        return ""
    user_id = UserId(number(form.get("user")))
    if act == "role":
        await hub.do(UpdateUser(user_id=user_id, role=str(form.get("role", ""))))
    elif act in ("off", "on"):
        await hub.do(UpdateUser(user_id=user_id, active=act == "on"))
    elif act == "reset":
        password = secrets.token_urlsafe(9)
        await hub.do(SetPassword(user_id=user_id, password_hash=await hash_password(password)))
        return f"{(await hub.user(user_id)).email}: {password}"
    return ""


async def tokens(request: Request) -> Response:
    """Bearer tokens of the API."""
    need(request, "tokens.manage")
    hub, made = request.state.hub, ""
    if request.method == "POST":
        form = await checked_form(request)
        if form.get("act") == "revoke":
            await hub.do(RevokeToken(token_id=number(form.get("id"))))
        else:
            made = "hub_" + secrets.token_urlsafe(32)
            scopes = tuple(str(one) for one in form.getlist("scopes") if str(one) in PERMISSIONS)
            await hub.do(
                CreateToken(
                    user_id=request.state.user.id,
                    name=str(form.get("name", "")),
                    token_hash=token_hash(made),
                    scopes=scopes or tuple(PERMISSIONS),
                )
            )
    found = await hub.read(user_reads.tokens_of)
    return show(
        request,
        "settings/tokens.html",
        tokens=found,
        made=made,
        permissions=PERMISSIONS,
        page="tokens",
    )


async def webhooks(request: Request) -> Response:
    """Outgoing webhooks and what they could not deliver."""
    need(request, "webhooks.manage")
    hub, made, error = request.state.hub, "", ""
    if request.method == "POST":
        form = await checked_form(request)
        act = str(form.get("act", ""))
        try:
            if act == "remove":
                await hub.do(RemoveWebhook(webhook_id=WebhookId(number(form.get("id")))))
            elif act == "repeat":
                await hub.do(
                    RepeatWebhook(
                        webhook_id=WebhookId(number(form.get("id"))),
                        event_id=EventId(number(form.get("event"))),
                    )
                )
            else:
                made = "whsec_" + secrets.token_urlsafe(24).replace("-", "a").replace("_", "b")
                events = tuple(str(form.get("events", "*")).replace(",", " ").split()) or ("*",)
                await hub.do(
                    SaveWebhook(url=str(form.get("url", "")).strip(), secret=made, events=events)
                )
        except HubError as failure:
            error, made = str(failure), ""

    def load(reader: Reader) -> dict[str, Any]:
        found = work_reads.all_webhooks(reader)
        return {
            "webhooks": found,
            "dead": {one.id: work_reads.webhook_log(reader, one.id, "dead") for one in found},
        }

    return show(
        request,
        "settings/webhooks.html",
        made=made,
        error=error,
        page="webhooks",
        **await hub.read(load),
    )


async def plugins(request: Request) -> Response:
    """Plugins: what each adds, and how it behaves."""
    need(request, "plugins.view")
    host = request.app.state.runtime.plugins
    return show(
        request, "settings/plugins.html", plugins=list(host.plugins.values()), page="plugins"
    )


async def journal(request: Request) -> Response:
    """The journal: what happened, the newest first."""
    need(request, "events.view")
    hub, registry = request.state.hub, request.app.state.runtime.registry
    before = number(request.query_params.get("before", "0") or "0")
    kind = request.query_params.get("type", "")

    def load(reader: Reader) -> dict[str, Any]:
        types = [kind] if kind else []
        return {
            "events": journal_reads.latest_events(reader, registry, before, 100, types),
            "users": {one.id: one for one in user_reads.all_users(reader)},
        }

    return show(
        request,
        "settings/journal.html",
        types=registry.names(),
        kind=kind,
        page="journal",
        **await hub.read(load),
    )


def routes() -> list[Route]:
    """Give the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route("/settings/profile", profile, methods=both),
        Route("/settings/organisation", organisation, methods=both),
        Route("/settings/held", held, methods=["POST"]),
        Route("/settings/users", users, methods=both),
        Route("/settings/tokens", tokens, methods=both),
        Route("/settings/webhooks", webhooks, methods=both),
        Route("/settings/plugins", plugins),
        Route("/settings/journal", journal),
    ]
