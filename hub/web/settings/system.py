"""The house itself: organisation, plugins, what is held back, the journal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import holding
from crm_store import journal as journal_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.catalogues import LANGUAGES
from hub.commands import ReleaseHeld, UpdateBrand
from hub.errors import Invalid
from hub.records.system import Account
from hub.web.public_address import reach
from hub.web.settings.common import (
    _,
    form_of,
    go,
    hub_of,
    needs,
    number,
    runtime_of,
    say,
    show,
)
from hub.zones import zone_names

ORGANISATION = "/settings/organisation"
HELD = "/settings/held"
JOURNAL = "/settings/journal"
PER_PAGE = 100
GRADE_NAMES = {
    "bronze": _("bronze"),
    "silver": _("silver"),
    "gold": _("gold"),
    "platinum": _("platinum"),
}
KINDS = ("deliveries", "jobs", "webhooks", "timers")


@needs("system.manage")
async def organisation(request: Request) -> Response:
    """Show the organisation, or change it; its public address is tried out by calling it."""
    hub, runtime = hub_of(request), runtime_of(request)
    brand = await hub.brand()
    form = {
        "name": brand.name,
        "public_url": brand.public_url,
        "language": brand.language,
        "time_zone": brand.time_zone,
    }
    errors: dict[str, str] = {}
    checks = []
    if request.method == "POST":
        sent = await form_of(request)
        form = {name: str(sent.get(name, "")).strip() for name in form}
        errors = _errors(form)
        if not errors and sent.get("do") == "try":
            found = await reach(runtime, form["public_url"] or runtime.public_url)
            checks = [replace(found, text=say(request, found.text) if found.text else "")]
        elif not errors:
            try:
                await hub.do(
                    UpdateBrand(
                        brand_id=brand.id,
                        name=form["name"],
                        public_url=form["public_url"],
                        language=form["language"],
                        time_zone=form["time_zone"],
                    )
                )
                return go(ORGANISATION, "saved")
            except Invalid as error:
                errors[error.field] = str(error)
    return show(
        request,
        "organisation",
        "organisation",
        422 if errors else 200,
        form=form,
        errors={name: say(request, text) for name, text in errors.items()},
        checks=checks,
        in_use=runtime.public_url,
        fixed=bool(runtime.settings.public_url),
        zones=zone_names(),
    )


def _errors(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    if not form["name"]:
        errors["name"] = _("Say what customers call you.")
    if form["time_zone"] not in zone_names():
        errors["time_zone"] = _("There is no such time zone.")
    if form["language"] not in LANGUAGES:
        errors["language"] = _("Choose one of the list.")
    url = urlsplit(form["public_url"])
    if form["public_url"] and (url.scheme not in ("http", "https") or not url.netloc):
        errors["public_url"] = _("The address starts with https:// or http://.")
    return errors


@needs("plugins.view")
async def plugins(request: Request) -> Response:
    """Show what every plugin adds, and how it behaves."""
    runtime = runtime_of(request)
    adds: dict[str, list[str]] = {}
    for channel, plugin in runtime.channel_plugin.items():
        adds.setdefault(plugin, []).append(channel)
    accounts: dict[str, list[Account]] = {}
    for account in await hub_of(request).accounts():
        if account.state == "down":
            owner = runtime.channel_plugin.get(account.channel, "")
            accounts.setdefault(owner, []).append(account)
    found = sorted(runtime.plugins.plugins.values(), key=lambda one: (not one.error, one.name))
    return show(
        request,
        "plugins",
        "plugins",
        plugins=found,
        adds=adds,
        accounts=accounts,
        grade_names=GRADE_NAMES,
    )


@needs("system.manage")
async def held(request: Request) -> Response:
    """Show what is held back after a restore or a long pause; let it go, or drop it."""
    hub = hub_of(request)
    if request.method == "POST":
        form = await form_of(request)
        kind = str(form.get("kind", ""))
        release = form.get("do") == "release"
        if kind not in KINDS or form.get("do") not in ("release", "drop"):
            raise Invalid("held things are deliveries, jobs, webhooks or timers", field="kind")
        ids = (number(str(form["id"])),) if "id" in form else ()
        await hub.do(ReleaseHeld(kind=kind, release=release, ids=ids))
        return go(HELD, "released" if release else "dropped")
    after = number(request.query_params.get("after", "0") or "0")
    messages = await hub.read(holding.held_deliveries, after, PER_PAGE)
    return show(
        request,
        "held",
        "held",
        held=await hub.read(holding.held),
        messages=messages,
        more=len(messages) == PER_PAGE,
    )


@needs("events.view")
async def journal(request: Request) -> Response:
    """Show what happened, the newest first."""
    registry = runtime_of(request).registry
    query = request.query_params
    kind = query.get("type", "")
    before = number(query.get("before", "0") or "0")
    dialog = number(query.get("dialog", "0") or "0")

    def load(reader: Reader) -> dict[str, Any]:
        types = [kind] if kind else []
        events = journal_reads.latest_events(reader, registry, before, PER_PAGE, types, dialog)
        return {
            "events": events,
            "users": {one.id: one for one in user_reads.all_users(reader)},
        }

    found = await hub_of(request).read(load)
    return show(
        request,
        "journal",
        "journal",
        types=registry.names(),
        kind=kind,
        dialog=dialog,
        details={one.id: _details(one) for one in found["events"]},
        older=len(found["events"]) == PER_PAGE,
        epoch=runtime_of(request).epoch,
        **found,
    )


def _details(event: Any) -> str:
    return json.dumps(event.to_data(), ensure_ascii=False, indent=1, default=str)


def routes() -> list[BaseRoute]:
    """Give the routes of the house."""
    return [
        Route(ORGANISATION, organisation, methods=["GET", "POST"]),
        Route("/settings/plugins", plugins),
        Route(HELD, held, methods=["GET", "POST"]),
        Route(JOURNAL, journal),
    ]
