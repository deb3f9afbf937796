"""Accounts: the connected channels, their settings, a live check, their health."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Path, Query, Request, Response

from crm_store import accounts as reads
from crm_store import templates as template_reads
from hub import commands as c
from hub.account_settings import seal, secret_fields, unseal
from hub.capabilities import Capabilities
from hub.channel import Channel, Check
from hub.connections import fetch_templates
from hub.errors import HubError, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.errors import failures
from hub.http_api.shapes import house as s
from hub.ids import AccountId, TeamId, UserId
from hub.records.system import Account
from hub.shapes import GivenId

if TYPE_CHECKING:
    from hub.runtime import Runtime

router = rights.router("Accounts")

AccountKey = Annotated[GivenId, Path(alias="account_id", description="The account.")]
CHECK_SECONDS = 40.0


def shape(caller: Caller, runtime: Runtime, account: Account) -> s.Account:
    """Give an account as this caller may see it: the address of its webhook is a secret."""
    shown = s.Account.model_validate(account)
    kind = runtime.channels.get(account.channel)
    if kind is not None:
        shown.capabilities = _capabilities(kind.capabilities_of(account.settings))
    if caller.viewer.may("accounts.manage") and kind is not None and kind.pushes():
        shown.hook_url = f"{runtime.public_url.rstrip('/')}/hooks/{account.hook_token}"
    return shown


def _channel(runtime: Runtime, kind: type[Channel]) -> s.Channel:
    return s.Channel(
        name=kind.name,
        title=kind.title or kind.name,
        plugin=runtime.channel_plugin.get(kind.name, ""),
        pushes=kind.pushes(),
        pulls=kind.pulls(),
        capabilities=_capabilities(kind.capabilities),
        settings_schema=kind.Settings.model_json_schema(),
        secrets=secret_fields(kind.Settings),
        needs=list(kind.needs),
    )


def _capabilities(found: Capabilities) -> dict[str, Any]:
    values = {one.name: getattr(found, one.name) for one in fields(found)}
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in values.items()
    }


@router.get("/channels", summary="What can be connected")
async def channels(request: Request, caller: rights.MayViewAccounts) -> list[s.Channel]:
    """Give every kind of channel with what it can do and the schema of its settings."""
    runtime = runtime_of(request)
    return [_channel(runtime, runtime.channels[name]) for name in sorted(runtime.channels)]


@router.get("/channels/{name}", summary="One kind of channel")
async def channel(
    request: Request, caller: rights.MayViewAccounts, name: Annotated[str, Path(max_length=100)]
) -> s.Channel:
    """Give one kind of channel."""
    runtime = runtime_of(request)
    return _channel(runtime, _kind(runtime, name))


def _kind(runtime: Runtime, name: str) -> type[Channel]:
    found = runtime.channels.get(name)
    if found is None:
        raise NotFound(f"there is no channel {name!r}")
    return found


@router.get("/accounts", summary="List accounts")
async def page(
    request: Request,
    caller: rights.MayViewAccounts,
    channel: Annotated[str, Query(max_length=100)] = "",
    removed: Annotated[bool, Query(description="Disconnected ones too.")] = False,
) -> list[s.Account]:
    """Give the connected channels you may see."""
    runtime = runtime_of(request)
    found = await caller.hub.read(reads.all_accounts, channel, removed)
    return [shape(caller, runtime, one) for one in found]


@router.post("/accounts", status_code=201, summary="Connect a channel")
async def create(
    request: Request, caller: rights.MayManageAccounts, body: s.CreateAccount
) -> s.Account:
    """Connect a channel. Settings are checked by its schema; try them first with a check."""
    made = await caller.hub.do(
        c.CreateAccount(channel=body.channel, title=body.title, settings=body.settings)
    )
    return shape(caller, runtime_of(request), await caller.hub.account(made[0]))


@router.post("/accounts/check", summary="Try settings out")
async def check(
    request: Request, caller: rights.MayManageAccounts, body: s.CheckAccount
) -> s.CheckResult:
    """Try settings against the provider before they are saved; nothing is kept."""
    runtime = runtime_of(request)
    kind = _kind(runtime, body.channel)
    return await _try_out(runtime, kind, body.settings, body.title or kind.title)


async def _try_out(
    runtime: Runtime, kind: type[Channel], values: Mapping[str, Any], title: str
) -> s.CheckResult:
    channel = runtime.channel_host.try_out(kind, values, title)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            found = await channel.check()
    except (HubError, TimeoutError, OSError) as error:
        found = [Check(name="settings", ok=False, text=str(error) or type(error).__name__)]
    finally:
        await channel.close()
    lines = [s.CheckLine.model_validate(one) for one in found]
    return s.CheckResult(ok=all(one.ok for one in lines), lines=lines)


@router.get("/accounts/health", summary="How accounts are doing")
async def health(caller: rights.MayViewAccounts) -> list[s.AccountHealth]:
    """Give the state of every account you may see, with the last error in words."""
    found = await caller.hub.read(reads.all_accounts)
    return [s.AccountHealth.model_validate(one) for one in found]


@router.get("/accounts/{account_id}", summary="One account")
async def one(
    request: Request, caller: rights.MayViewAccounts, account_id: AccountKey
) -> s.Account:
    """Give one account, without its secrets."""
    found = await caller.hub.account(AccountId(account_id))
    return shape(caller, runtime_of(request), found)


@router.patch("/accounts/{account_id}", summary="Change an account", responses=failures(409))
async def change(
    request: Request,
    caller: rights.MayManageAccounts,
    account_id: AccountKey,
    body: s.UpdateAccount,
) -> s.Account:
    """Change an account; `settings`, where given, are the whole new settings, but a secret that
    is left out keeps its value."""
    await caller.hub.do(
        c.UpdateAccount(
            account_id=AccountId(account_id),
            title=body.title,
            settings=body.settings,
            paused=body.paused,
            signature=body.signature,
            thread_rule=body.thread_rule,
            reopen_days=body.reopen_days,
            team_id=TeamId(body.team_id) if body.team_id is not None else None,
            members=tuple(UserId(each) for each in body.members)
            if body.members is not None
            else None,
            version=body.version,
        )
    )
    return shape(caller, runtime_of(request), await caller.hub.account(AccountId(account_id)))


@router.delete("/accounts/{account_id}", status_code=204, summary="Disconnect")
async def remove(caller: rights.MayManageAccounts, account_id: AccountKey) -> Response:
    """Disconnect a channel; its dialogs stay and can be read."""
    await caller.hub.do(c.RemoveAccount(account_id=AccountId(account_id)))
    return Response(status_code=204)


@router.get("/accounts/{account_id}/templates", summary="Its templates")
async def templates(
    caller: rights.MayViewAccounts,
    account_id: AccountKey,
    approved: Annotated[bool, Query(description="Only what can be sent.")] = False,
) -> list[s.Template]:
    """Give the provider's catalogue as it was last synchronised (`templates_at`)."""
    await caller.hub.account(AccountId(account_id))
    found = await caller.hub.read(
        lambda reader: template_reads.all_templates(
            reader, AccountId(account_id), approved=approved
        )
    )
    return [s.Template.model_validate(one) for one in found]


@router.post("/accounts/{account_id}/templates/sync", summary="Read its templates again")
async def sync_templates(
    request: Request, caller: rights.MayManageAccounts, account_id: AccountKey
) -> list[s.Template]:
    """Ask the provider for its catalogue now; gives the whole of it."""
    runtime = runtime_of(request)
    account = await caller.hub.account(AccountId(account_id))
    _, channel = await runtime.channel_host.get(account.id)
    await fetch_templates(runtime, account.id, channel)
    found = await caller.hub.read(template_reads.all_templates, account.id)
    return [s.Template.model_validate(one) for one in found]


@router.post("/accounts/{account_id}/check", summary="Try a saved account out")
async def check_saved(
    request: Request,
    caller: rights.MayManageAccounts,
    account_id: AccountKey,
    body: s.CheckSaved,
) -> s.CheckResult:
    """Try an account's settings, or changed ones in which a secret left out keeps its value."""
    runtime = runtime_of(request)
    account = await caller.hub.account(AccountId(account_id))
    kind = _kind(runtime, account.channel)
    sealed = await caller.hub.read(reads.sealed_secrets, account.id)
    if body.settings is None:
        whole = unseal(kind, account.settings, sealed, runtime.keys)
    else:
        plain = seal(kind, body.settings, sealed, runtime.keys)
        whole = unseal(kind, plain, str(plain.pop("_sealed")), runtime.keys)
    return await _try_out(runtime, kind, whole.model_dump(), account.title)
