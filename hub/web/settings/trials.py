"""An account tried out: a test message to oneself, its provider's catalogue read again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.commands import SendMessage, StartDialog
from hub.connections import fetch_templates
from hub.errors import HubError, Invalid
from hub.ids import DialogId
from hub.messages import Address
from hub.web.settings.account import account_of, draw
from hub.web.settings.channels import PATH
from hub.web.settings.common import form_of, go, hub_of, needs, number, runtime_of, say


def _(text: str) -> str:
    return text


WORDS = _("This is a test message of your inbox.")


@needs("accounts.manage")
async def test_message(request: Request) -> Response:
    """Send a test message, to an address or into a dialog, and show what becomes of it."""
    form = await form_of(request)
    hub = hub_of(request)
    account, kind = await account_of(request)
    address = str(form.get("address", "")).strip()
    try:
        if kind is not None and kind.capabilities.initiates and address:
            to = Address(kind=kind.capabilities.address_kind, value=address)
            dialog_id = (await hub.do(StartDialog(account_id=account.id, to=to)))[0]
        elif form.get("dialog"):
            dialog_id = number(form["dialog"])
        else:
            raise Invalid(_("say to whom"), field="address")
        words = say(request, WORDS)
        await hub.do(SendMessage(dialog_id=DialogId(dialog_id), text=words, send_anyway=True))
    except HubError as error:
        return await draw(request, account, kind, status=422, problem=say(request, str(error)))
    return go(f"/inbox/{dialog_id}")


@needs("accounts.manage")
async def sync_templates(request: Request) -> Response:
    """Read the provider's catalogue again."""
    await form_of(request)
    account, kind = await account_of(request)
    runtime = runtime_of(request)
    try:
        _account, channel = await runtime.channel_host.get(account.id)
        await fetch_templates(runtime, account.id, channel)
    except HubError as error:
        return await draw(request, account, kind, status=502, problem=say(request, str(error)))
    return go(f"{PATH}/{account.id}", "synchronised")


def routes() -> list[BaseRoute]:
    """Give the routes."""
    here = f"{PATH}/{{account_id:int}}"
    return [
        Route(f"{here}/test", test_message, methods=["POST"]),
        Route(f"{here}/templates", sync_templates, methods=["POST"]),
    ]
