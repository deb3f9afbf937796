"""What an account's page reads beside its settings: its dialogs, its templates, its health."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from crm_store import dialogs as dialog_reads
from crm_store import templates as template_reads
from crm_store.viewer import Reader
from hub.channel import Channel
from hub.connections import keep_health
from hub.records.dialogs import DialogQuery
from hub.records.system import Account
from hub.web.settings.common import hub_of, runtime_of

SHOWN = 5


async def tools(request: Request, account: Account, kind: type[Channel] | None) -> dict[str, Any]:
    """Read what these parts of an account's page show."""

    def load(reader: Reader) -> dict[str, Any]:
        query = DialogQuery(view="everything", account_id=account.id, limit=SHOWN)
        return {
            "test_dialogs": dialog_reads.page(reader, query).dialogs,
            "templates": template_reads.all_templates(reader, account.id),
        }

    found = await hub_of(request).read(load)
    capabilities = kind.capabilities_of(account.settings) if kind is not None else None
    return {
        **found,
        "capabilities": capabilities,
        "inspects": kind is not None and kind.overrides("inspect"),
        "can_test": capabilities is not None and capabilities.sends and not account.paused,
    }


async def inspect_now(request: Request, account: Account) -> None:
    """Ask the provider how the account is doing, where its channel can; part of a check by hand."""
    runtime = runtime_of(request)
    kind = runtime.channels.get(account.channel)
    if kind is None or not kind.overrides("inspect"):
        return
    _account, channel = await runtime.channel_host.get(account.id)
    await keep_health(runtime, account.id, await channel.inspect())
