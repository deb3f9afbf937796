"""Settings of the house: colleagues, one's own profile, tokens, webhooks, plugins, the journal."""

from __future__ import annotations

import secrets
from typing import Any

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
    RevokeToken,
    SaveTeam,
    SaveWebhook,
    SetPassword,
    UpdateBrand,
    UpdateUser,
)
from hub.errors import HubError
from hub.ids import EventId, TeamId, UserId, WebhookId
from hub.roles import PERMISSIONS, ROLES
from hub.web.auth import checked_form, token_hash
from hub.web.inbox import number
from hub.web.login import hash_password
from hub.web.settings.common import need, show

Form = Any


def _show(request: Request, template: str, *, page: str, **values: Any) -> Response:
    return show(request, template, page, page=page, **values)


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
    return _show(
        request,
        "organisation",
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

    return _show(
        request,
        "users",
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
    return _show(
        request,
        "tokens",
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

    return _show(
        request,
        "webhooks",
        made=made,
        error=error,
        page="webhooks",
        **await hub.read(load),
    )


async def plugins(request: Request) -> Response:
    """Plugins: what each adds, and how it behaves."""
    need(request, "plugins.view")
    host = request.app.state.runtime.plugins
    return _show(request, "plugins", plugins=list(host.plugins.values()), page="plugins")


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

    return _show(
        request,
        "journal",
        types=registry.names(),
        kind=kind,
        page="journal",
        **await hub.read(load),
    )


def routes() -> list[Route]:
    """Give the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route("/settings/organisation", organisation, methods=both),
        Route("/settings/held", held, methods=["POST"]),
        Route("/settings/users", users, methods=both),
        Route("/settings/tokens", tokens, methods=both),
        Route("/settings/webhooks", webhooks, methods=both),
        Route("/settings/plugins", plugins),
        Route("/settings/journal", journal),
    ]
