"""Settings: channels with their health, and what hangs on them."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_store import accounts as account_reads
from crm_store import messages as message_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.account_settings import seal, unseal
from hub.channel import Check
from hub.commands import (
    CreateAccount,
    RecordHealth,
    RemoveAccount,
    SettleQuarantine,
    UpdateAccount,
)
from hub.errors import HubError, Invalid
from hub.extensions import AccountSection
from hub.ids import AccountId, QuarantineId, TeamId, UserId
from hub.objects import SYSTEM
from hub.replay import replay
from hub.web.auth import checked_form
from hub.web.forms import fields_of, read_form
from hub.web.inbox import number
from hub.web.settings.common import need, show

CHECK_SECONDS = 30.0


def _show(request: Request, template: str, *, page: str, **values: Any) -> Response:
    return show(request, template, page, page=page, **values)


async def channels(request: Request) -> Response:
    """Show the connected channels and those that could be connected."""
    need(request, "accounts.view")
    runtime = request.app.state.runtime
    accounts = await request.state.hub.accounts()
    kinds = sorted(runtime.channels.values(), key=lambda one: one.title or one.name)
    return _show(request, "channels", accounts=accounts, kinds=kinds, page="channels")


async def new_channel(request: Request) -> Response:
    """Connect a channel: its own form, checked live before it is saved."""
    need(request, "accounts.manage")
    runtime = request.app.state.runtime
    kind = runtime.channels.get(request.path_params["channel"])
    if kind is None:
        raise HubError("there is no such channel")
    values: dict[str, Any] = {"title": "", "error": "", "wrong": "", "checks": [], "given": {}}
    if request.method == "POST":
        form = await checked_form(request)
        given = read_form(kind.Settings, form)
        values |= {"title": str(form.get("title", "")).strip(), "given": given}
        try:
            values["title"] = values["title"] or kind.title or kind.name
            seal(kind, given, "", runtime.keys)
            if form.get("act") == "check":
                values["checks"] = await try_out(request, kind, given, values["title"])
            else:
                command = CreateAccount(channel=kind.name, title=values["title"], settings=given)
                account_id = (await request.state.hub.do(command))[0]
                return RedirectResponse(f"/settings/channels/{account_id}", 303)
        except Invalid as error:
            values |= {"error": str(error), "wrong": error.field}
    return _show(
        request,
        "channel_new",
        kind=kind,
        fields=fields_of(kind.Settings, values.pop("given")),
        page="channels",
        **values,
    )


async def try_out(request: Request, kind: Any, given: dict[str, Any], title: str) -> list[Check]:
    """Check settings against the provider; whatever goes wrong is a line in words."""
    channel = request.app.state.runtime.channel_host.try_out(kind, given, title)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await channel.open()
            found: list[Check] = await channel.check()
    except Exception as error:  # noqa: BLE001 - shown to the administrator as it is
        found = [Check(name="Check", ok=False, text=f"{type(error).__name__}: {error}"[:400])]
    finally:
        try:
            await channel.close()
        except Exception:  # noqa: BLE001 - the check is over either way
            found = list(found)
    return found or [Check(name="Settings", ok=True, text="")]


async def channel(request: Request) -> Response:
    """Show one account: health, settings, rules of its dialogs, sections of plugins."""
    need(request, "accounts.view")
    account_id = AccountId(number(request.path_params["account_id"]))
    values: dict[str, Any] = {"error": "", "wrong": "", "checks": [], "saved": False}
    if request.method == "POST":
        need(request, "accounts.manage")
        form = await checked_form(request)
        try:
            answer = await _change(request, account_id, form, values)
        except Invalid as error:
            values |= {"error": str(error), "wrong": error.field}
            answer = None
        if answer is not None:
            return answer
    return await _channel_page(request, account_id, values)


async def _channel_page(
    request: Request, account_id: AccountId, values: dict[str, Any]
) -> Response:
    runtime, hub = request.app.state.runtime, request.state.hub

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "account": account_reads.account(reader, account_id),
            "users": user_reads.all_users(reader, inactive=False),
            "teams": user_reads.all_teams(reader),
        }

    found = await hub.read(load)
    account = found["account"]
    kind = runtime.channels.get(account.channel)
    sections = sorted(
        (
            (plugin, part)
            for plugin, part in runtime.plugins.collect("register_ui")
            if isinstance(part, AccountSection) and part.channel == account.channel
        ),
        key=lambda one: one[1].order,
    )
    base = runtime.public_url.rstrip("/")
    return _show(
        request,
        "channel",
        kind=kind,
        fields=fields_of(kind.Settings, account.settings, secrets_set=account.secrets_set)
        if kind
        else [],
        sections=sections,
        hook_url=f"{base}/hooks/{account.hook_token}" if kind and kind.pushes() else "",
        page="channels",
        **found,
        **values,
    )


async def _change(
    request: Request, account_id: AccountId, form: Any, values: dict[str, Any]
) -> Response | None:
    runtime, hub = request.app.state.runtime, request.state.hub
    act = str(form.get("act", "save"))
    account = await hub.account(account_id)
    kind = runtime.channels.get(account.channel)
    if act == "remove":
        await hub.do(RemoveAccount(account_id=account_id))
        return RedirectResponse("/settings/channels", 303)
    if act in ("pause", "resume"):
        await hub.do(UpdateAccount(account_id=account_id, paused=act == "pause"))
        return RedirectResponse(f"/settings/channels/{account_id}", 303)
    if act == "rules":
        members = tuple(UserId(number(one)) for one in form.getlist("members"))
        command = UpdateAccount(
            account_id=account_id,
            title=str(form.get("title", account.title)),
            signature=str(form.get("signature", "")),
            thread_rule=str(form.get("thread_rule", account.thread_rule)),
            reopen_days=number(form.get("reopen_days", "30") or "0", "reopen_days"),
            team_id=TeamId(number(form.get("team", "0") or "0")),
            members=members,
        )
        await hub.do(command)
        values["saved"] = True
        return None
    if kind is None:
        raise Invalid("the plugin of this channel is not loaded")
    given = read_form(kind.Settings, form)
    if act == "check":
        sealed = await runtime.handle(SYSTEM).read(account_reads.sealed_secrets, account_id)
        plain = seal(kind, given, sealed, runtime.keys)
        whole = unseal(kind, plain, plain["_sealed"], runtime.keys)
        values["checks"] = await try_out(request, kind, whole.model_dump(), account.title)
        ok = all(one.ok for one in values["checks"])
        bad = "; ".join(one.text for one in values["checks"] if not one.ok)
        health = RecordHealth(account_id=account_id, state="ok" if ok else "down", error=bad)
        await runtime.handle(SYSTEM).do(health)
        return None
    await hub.do(UpdateAccount(account_id=account_id, settings=given))
    values["saved"] = True
    return None


async def quarantine(request: Request) -> Response:
    """Show what could not be read, to be tried again after a fix."""
    need(request, "accounts.manage")
    state = request.query_params.get("state", "waiting")
    said = ""
    if request.method == "POST":
        form = await checked_form(request)
        quarantine_id = QuarantineId(number(form.get("id")))
        try:
            if form.get("act") == "drop":
                await request.state.hub.do(
                    SettleQuarantine(quarantine_id=quarantine_id, state="dropped")
                )
            else:
                await replay(request.app.state.runtime, quarantine_id)
            return RedirectResponse("/settings/quarantine", 303)
        except Exception as error:  # noqa: BLE001 - it failed again, and that is what is shown
            said = f"{type(error).__name__}: {error}"[:400]
    items = await request.state.hub.read(message_reads.quarantined, state)
    accounts = {one.id: one for one in await request.state.hub.accounts()}
    return _show(
        request,
        "quarantine",
        items=items,
        accounts=accounts,
        state=state,
        said=said,
        page="quarantine",
    )


async def quarantine_raw(request: Request) -> Response:
    """Give the raw bytes of a quarantined input as a download."""
    need(request, "accounts.manage")
    quarantine_id = QuarantineId(number(request.path_params["quarantine_id"]))
    item = await request.state.hub.read(message_reads.quarantine_item, quarantine_id)
    return Response(
        item.raw,
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="quarantine-{item.id}.bin"'},
    )


def routes() -> list[Route]:
    """Give the routes of channels and quarantine."""
    return [
        Route("/settings/channels", channels),
        Route("/settings/channels/new/{channel}", new_channel, methods=["GET", "POST"]),
        Route("/settings/channels/{account_id:int}", channel, methods=["GET", "POST"]),
        Route("/settings/quarantine", quarantine, methods=["GET", "POST"]),
        Route("/settings/quarantine/{quarantine_id:int}/raw", quarantine_raw),
    ]
