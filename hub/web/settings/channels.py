"""Channels: the gallery of what is connected and what could be, and connecting one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from hub.account_settings import secret_fields
from hub.capabilities import Capabilities
from hub.channel import Channel, Check
from hub.commands import CreateAccount
from hub.errors import HubError, Invalid, NotFound
from hub.records.system import Account
from hub.runtime import Runtime
from hub.web.forms import errors_of, fields_of, read_form
from hub.web.plugin_pages import PluginPages
from hub.web.settings.common import _, form_of, go, hub_of, needs, runtime_of, say, show
from hub.web.settings.kept import keep, take

log = logging.getLogger("hub.web.settings")

PATH = "/settings/channels"
CHECK_SECONDS = 45.0
FIRST = ("web_chat", "email", "web_form")


def words_of(request: Request, channel: str) -> Callable[[str], str]:
    """Give the translator of a channel's own words: its plugin's catalogue, then the hub's."""
    pages: PluginPages = request.app.state.plugin_pages
    plugin = runtime_of(request).channel_plugin.get(channel, "")
    catalogue = pages.renderer(plugin).catalogue(request.state.language)

    def said(text: str) -> str:
        known = catalogue.gettext(text) if text else ""
        # Only the hub knows what libraries say, and texts with something filled in.
        return known if known != text else say(request, text)

    return said


def title_of(request: Request, kind: type[Channel]) -> str:
    """Give what people call a channel."""
    pages: PluginPages = request.app.state.plugin_pages
    return pages.channel_title(request.state.language, kind.name)


def titles_of(request: Request) -> dict[str, str]:
    """Give what people call each channel."""
    return {name: title_of(request, one) for name, one in runtime_of(request).channels.items()}


def sending(request: Request) -> dict[str, Capabilities]:
    """Give the channels that can send."""
    known = runtime_of(request).database.channels
    return {name: one for name, one in known.items() if one.sends}


def opening_kinds(request: Request, accounts: Sequence[Account]) -> set[str]:
    """Give the kinds of addresses that these accounts can write to before anybody wrote to them."""
    used = {one.channel for one in accounts if not one.paused}
    known = sending(request).items()
    return {one.address_kind for name, one in known if one.initiates and name in used}


def address_kinds(request: Request) -> dict[str, str]:
    """Give what people can be reached by: kinds of addresses and what they are called."""
    return _named(request, sending(request))


def known_kinds(request: Request) -> dict[str, str]:
    """Give those of them that people know of each other: a visitor's number is known to nobody."""
    found = sending(request).items()
    return _named(request, {name: one for name, one in found if one.initiates or one.vouches})


def _named(request: Request, channels: Mapping[str, Capabilities]) -> dict[str, str]:
    titles = titles_of(request)
    kinds = {one.address_kind: titles.get(name, name) for name, one in channels.items()}
    return kinds | {"email": say(request, "E-mail"), "phone": say(request, "Phone")}


@needs("accounts.view")
async def gallery(request: Request) -> Response:
    """Show the connected channels with their state, and those that could be connected."""
    runtime = runtime_of(request)
    accounts = await hub_of(request).read(account_reads.all_accounts)
    kinds = sorted(
        (one for one in runtime.channels.values() if one.offered),
        key=lambda one: (FIRST.index(one.name) if one.name in FIRST else 9, one.title or one.name),
    )
    titles = titles_of(request)
    return show(
        request,
        "channels",
        "channels",
        accounts=accounts,
        kinds=kinds,
        titles=titles,
    )


def kind_named(runtime: Runtime, name: str) -> type[Channel]:
    """Give a channel by its name; raises NotFound."""
    kind = runtime.channels.get(name)
    if kind is None:
        raise NotFound(f"there is no channel {name!r}")
    return kind


@needs("accounts.manage")
async def connect(request: Request) -> Response:
    """Connect a channel: its own form, tried out before it is saved."""
    runtime = runtime_of(request)
    kind = kind_named(runtime, request.path_params["channel"])
    title = title_of(request, kind)
    if request.method == "GET":
        return _draw(request, kind, {"title": title}, {})
    form = await form_of(request)
    place = f"connect:{kind.name}"
    values, typed = read_with_kept(request, kind, form, place)
    given_title = str(form.get("account_title", "")).strip()[:200] or title
    errors = errors_of(kind.Settings, values, translate=words_of(request, kind.name))
    shown = {"title": given_title, "sealed": keep(runtime, request.state.user.id, place, typed)}
    if errors:
        return _draw(request, kind, shown, values, errors, typed)
    if form.get("do") != "anyway":
        checks = await try_out(request, kind, values, given_title)
        if form.get("do") == "try" or not all(one.ok for one in checks):
            return _draw(request, kind, {**shown, "checks": checks}, values, {}, typed)
    try:
        command = CreateAccount(channel=kind.name, title=given_title, settings=values)
        account_id = (await hub_of(request).do(command))[0]
    except Invalid as error:
        return _draw(request, kind, shown, values, {error.field: say(request, str(error))}, typed)
    return go(f"{PATH}/{account_id}", "created")


def read_with_kept(
    request: Request, kind: type[Channel], form: Mapping[str, Any], place: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read a form; give its values, and the secrets typed in this or an earlier step."""
    kept = take(runtime_of(request), request.state.user.id, place, str(form.get("_sealed", "")))
    values = read_form(kind.Settings, form)
    typed = {
        name: str(values.get(name) or kept[name])
        for name in secret_fields(kind.Settings)
        if values.get(name) or kept.get(name)
    }
    return {**values, **typed}, typed


def _draw(
    request: Request,
    kind: type[Channel],
    shown: Mapping[str, Any],
    values: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    translate = words_of(request, kind.name)
    fields = fields_of(
        kind.Settings,
        values,
        secrets_set=tuple(typed or ()),
        errors=errors,
        translate=translate,
    )
    # A secret that the hub makes by itself is no question to ask.
    asked = [one for one in fields if not (one.generated and one.kind == "secret")]
    known = {one.name for one in asked}
    rest = [text for name, text in (errors or {}).items() if name not in known]
    return show(
        request,
        "connect",
        "channels",
        422 if errors else 200,
        kind=kind,
        kind_title=title_of(request, kind),
        needed=[translate(one) for one in kind.needs],
        fields=asked,
        problem=rest[0] if rest else say(request, _PLEASE) if errors else "",
        **{"checks": [], "sealed": "", **shown},
    )


_PLEASE = _("Please look at the marked fields.")


async def try_out(
    request: Request, kind: type[Channel], values: Mapping[str, Any], title: str
) -> list[Check]:
    """Try settings against the provider; whatever goes wrong is a line in words."""
    host = runtime_of(request).channel_host
    try:
        channel = host.try_out(kind, values, title)
    except HubError as error:
        return [Check(name=say(request, "Settings"), ok=False, text=say(request, str(error)))]
    return await run_checks(request, channel)


async def run_checks(request: Request, channel: Channel) -> list[Check]:
    """Open a channel object, let it check itself, close it."""
    translate = words_of(request, channel.name)
    found: list[Check] = []
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await channel.open()
            found = await channel.check()
    except TimeoutError:
        words = say(request, "no answer in time")
        found = [Check(name=say(request, "Connection"), ok=False, text=words)]
    except HubError as error:
        found = [Check(name=say(request, "Connection"), ok=False, text=translate(str(error))[:500])]
    except Exception as error:  # noqa: BLE001 - shown to the administrator as it is
        log.warning("check_failed channel=%s error=%s", channel.name, type(error).__name__)
        words = f"{type(error).__name__}: {error}"[:500]
        found = [Check(name=say(request, "Connection"), ok=False, text=words)]
    finally:
        try:
            async with asyncio.timeout(10):
                await channel.close()
        except Exception as error:  # noqa: BLE001 - the check is over either way
            log.warning("close_failed channel=%s error=%s", channel.name, type(error).__name__)
    if not found:
        return [Check(name=say(request, "Settings"), ok=True)]
    return [
        replace(one, name=translate(one.name).replace("_", " "), text=translate(one.text))
        for one in found
    ]


def routes() -> list[BaseRoute]:
    """Give the routes of the gallery."""
    return [
        Route(PATH, gallery),
        Route(f"{PATH}/new/{{channel}}", connect, methods=["GET", "POST"]),
    ]
