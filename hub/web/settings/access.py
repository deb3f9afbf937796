"""Ways in and out for programs: bearer tokens of the API, and outgoing webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import sessions as session_reads
from crm_store import users as user_reads
from crm_store import work as work_reads
from crm_store.viewer import Reader
from hub.commands import (
    CreateToken,
    RemoveWebhook,
    RepeatWebhook,
    RevokeToken,
    SaveWebhook,
)
from hub.errors import Invalid, NotFound
from hub.ids import EventId, Micros, WebhookId
from hub.roles import PERMISSIONS
from hub.signatures import new_webhook_secret
from hub.web.auth import new_api_token, token_hash
from hub.web.settings.common import (
    _,
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

TOKENS = "/settings/tokens"
WEBHOOKS = "/settings/webhooks"
LIFETIMES = (0, 30, 90, 365)
DEAD_SHOWN = 50


async def _tokens(
    request: Request, status: int = 200, *, made: str = "", problem: str = ""
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        return {
            "tokens": session_reads.tokens_of(reader),
            "users": {one.id: one for one in user_reads.all_users(reader)},
        }

    return show(
        request,
        "tokens",
        "tokens",
        status,
        made=made,
        problem=problem,
        permissions={name: PERMISSIONS[name] for name in PERMISSIONS if name in request.state.may},
        lifetimes=LIFETIMES,
        now=runtime_of(request).now(),
        **await hub_of(request).read(load),
    )


@needs("tokens.manage")
async def tokens(request: Request) -> Response:
    """Show the tokens."""
    return await _tokens(request)


@needs("tokens.manage")
async def make_token(request: Request) -> Response:
    """Make a token with some of one's own rights; it is shown this one time."""
    form = await form_of(request)
    name = str(form.get("name", "")).strip()
    scopes = tuple(one for one in many(form, "scopes") if one in request.state.may)
    days = str(form.get("days", "0"))
    if not name or not scopes:
        words = _("A token needs a name and at least one right.")
        return await _tokens(request, 422, problem=say(request, words))
    lifetime = timedelta(days=int(days)) if days.isdecimal() and len(days) < 5 else timedelta()
    micros = int(lifetime.total_seconds()) * 1_000_000
    made = new_api_token()
    await hub_of(request).do(
        CreateToken(
            user_id=request.state.user.id,
            name=name,
            token_hash=token_hash(made),
            scopes=scopes,
            expires_at=Micros(runtime_of(request).now() + micros if micros else 0),
        )
    )
    return await _tokens(request, made=made)


@needs("tokens.manage")
async def revoke_token(request: Request) -> Response:
    """End a token at once."""
    form = await form_of(request)
    await hub_of(request).do(RevokeToken(token_id=number(form.get("token", ""))))
    return go(TOKENS, "revoked")


# -- webhooks ------------------------------------------------------------------------------


async def _webhooks(
    request: Request,
    status: int = 200,
    *,
    made: str = "",
    problem: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        found = work_reads.all_webhooks(reader)
        return {
            "webhooks": found,
            "dead": {
                one.id: work_reads.webhook_log(reader, one.id, "dead", DEAD_SHOWN) for one in found
            },
        }

    return show(
        request,
        "webhooks",
        "webhooks",
        status,
        made=made,
        problem=problem,
        given={"url": "", "events": "*", **(given or {})},
        facts=runtime_of(request).registry.names(),
        **await hub_of(request).read(load),
    )


@needs("webhooks.manage")
async def webhooks(request: Request) -> Response:
    """Show the webhooks, and what could not be handed over."""
    return await _webhooks(request)


def _events(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split())) or ("*",)


@needs("webhooks.manage")
async def save_webhook(request: Request) -> Response:
    """Make a webhook, whose secret is shown this one time, or change one."""
    form = await form_of(request)
    url = str(form.get("url", "")).strip()
    given = {"url": url, "events": str(form.get("events", "*"))}
    webhook_id = WebhookId(number(form.get("webhook", "0")))
    wish = str(form.get("do", "save"))
    if not urlsplit(url).netloc:
        return await _webhooks(
            request, 422, problem=say(request, "This is not a web address."), given=given
        )
    fresh = webhook_id == 0 or wish == "secret"
    made = new_webhook_secret() if fresh else ""
    try:
        await hub_of(request).do(
            SaveWebhook(
                webhook_id=webhook_id,
                url=url,
                secret=made,
                events=_events(given["events"]),
                active=webhook_id == 0 or "active" in form,
            )
        )
    except Invalid as error:
        return await _webhooks(request, 422, problem=say(request, str(error)), given=given)
    return await _webhooks(request, made=made) if made else go(WEBHOOKS, "saved")


@needs("webhooks.manage")
async def act_on_webhook(request: Request) -> Response:
    """Remove a webhook, or send again what it was not told."""
    form = await form_of(request)
    hub = hub_of(request)
    webhook_id = WebhookId(number(form.get("webhook", "")))
    wish = str(form.get("do", ""))
    if wish == "remove":
        await hub.do(RemoveWebhook(webhook_id=webhook_id))
        return go(WEBHOOKS, "removed")
    if wish == "repeat":
        event_id = EventId(number(form.get("event", "")))
        await hub.do(RepeatWebhook(webhook_id=webhook_id, event_id=event_id))
        return go(WEBHOOKS, "repeated")
    if wish == "repeat_all":
        dead = await hub.read(work_reads.webhook_log, webhook_id, "dead", 10_000)
        commands = [RepeatWebhook(webhook_id=webhook_id, event_id=one.event_id) for one in dead]
        if commands:
            await hub.do(*commands)
        return go(WEBHOOKS, "repeated")
    raise NotFound("there is no such action")


def routes() -> list[BaseRoute]:
    """Give the routes of tokens and webhooks."""
    post = ["POST"]
    return [
        Route(TOKENS, tokens, methods=["GET"]),
        Route(TOKENS, make_token, methods=post),
        Route(f"{TOKENS}/revoke", revoke_token, methods=post),
        Route(WEBHOOKS, webhooks, methods=["GET"]),
        Route(WEBHOOKS, save_webhook, methods=post),
        Route(f"{WEBHOOKS}/act", act_on_webhook, methods=post),
    ]
