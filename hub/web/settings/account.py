"""One account: is it alive, how is it set, who works with it, and how to let it go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import account_use as use_reads
from crm_store import accounts as account_reads
from crm_store import desks as desk_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.account_settings import NEEDS_SECRET, unseal
from hub.channel import Channel, Check
from hub.commands import RemoveAccount, UpdateAccount
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.ids import AccountId, TeamId, UserId
from hub.objects import SYSTEM
from hub.records.system import Account
from hub.web.forms import errors_of, fields_of, kind_of
from hub.web.settings import account_intake
from hub.web.settings.account_tools import inspect_now, tools
from hub.web.settings.channels import (
    PATH,
    read_with_kept,
    run_checks,
    title_of,
    try_out,
    words_of,
)
from hub.web.settings.common import (
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
from hub.web.settings.desks import MODES as ROUTE_MODES
from hub.web.settings.kept import keep


def _id(request: Request) -> AccountId:
    return AccountId(number(request.path_params["account_id"]))


async def account_of(request: Request) -> tuple[Account, type[Channel] | None]:
    """Give the account that the address names, with its channel; raises NotFound."""
    account = await hub_of(request).account(_id(request))
    if account.removed:
        raise NotFound("this account was disconnected")
    return account, runtime_of(request).channels.get(account.channel)


async def _kind(request: Request) -> tuple[Account, type[Channel]]:
    account, kind = await account_of(request)
    if kind is None:
        raise Conflict("the plugin of this channel is not loaded", what="plugin")
    return account, kind


async def draw(
    request: Request,
    account: Account,
    kind: type[Channel] | None,
    *,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    checks: Sequence[Check] = (),
    typed: Mapping[str, str] | None = None,
    secret: tuple[str, str] | None = None,
    problem: str = "",
) -> Response:
    """Draw an account's page, with what a form of it said."""

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "use": use_reads.account_use(reader, account.id),
            "users": user_reads.all_users(reader, inactive=False),
            "teams": user_reads.all_teams(reader),
            "route": desk_reads.route(reader, "account", int(account.id)),
        }

    runtime = runtime_of(request)
    base = runtime.public_url.rstrip("/")
    fields = (
        fields_of(
            kind.Settings,
            given if given is not None else account.settings,
            secrets_set=(*account.secrets_set, *(typed or ())),
            errors=errors,
            translate=words_of(request, kind.name),
        )
        if kind
        else []
    )
    place = f"account:{account.id}"
    return show(
        request,
        "account",
        "channels",
        status,
        account=account,
        route_modes=ROUTE_MODES,
        kind=kind,
        kind_title=title_of(request, kind) if kind else account.channel,
        fields=[one for one in fields if not (one.generated and one.kind == "secret")],
        generated=[one for one in fields if one.generated and one.kind == "secret"],
        hook_url=f"{base}/hooks/{account.hook_token}" if kind and kind.pushes() else "",
        sections=await _sections(request, account),
        checks=checks,
        sealed=keep(runtime, request.state.user.id, place, typed or {}),
        secret=secret,
        problem=problem,
        **await tools(request, account, kind),
        **await account_intake.values_of(request, account),
        **await hub_of(request).read(load),
    )


async def _sections(request: Request, account: Account) -> list[tuple[str, Markup]]:
    """Draw what plugins put on the page, each behind its own fence."""
    pages = request.app.state.plugin_pages
    found = []
    for plugin, part in request.app.state.account_sections:
        if part.channel != account.channel:
            continue
        html = await pages.section(request, plugin, part.path, {"account": str(account.id)})
        if html:
            title = pages.renderer(plugin).catalogue(request.state.language).gettext(part.title)
            # Rendered by the plugin's template, which escapes what it is given.
            found.append((title, Markup(html)))
    return found


@needs("accounts.view")
async def page(request: Request) -> Response:
    """Show an account."""
    account, kind = await account_of(request)
    return await draw(request, account, kind)


@needs("accounts.manage")
async def save(request: Request) -> Response:
    """Save the connection's settings, or only try them out."""
    form = await form_of(request)
    account, kind = await _kind(request)
    values, typed = read_with_kept(request, kind, form, f"account:{account.id}")
    kept = [one for one in account.secrets_set if one not in typed]
    errors = errors_of(kind.Settings, values, kept=kept, translate=words_of(request, kind.name))
    if errors:
        words = say(request, "Please look at the marked fields.")
        return await draw(
            request,
            account,
            kind,
            status=422,
            given=values,
            errors=errors,
            typed=typed,
            problem=errors.get("", words),
        )
    if form.get("do") == "try":
        try:
            stored = await _secrets(request, account, kind)
        except Invalid:
            stored = {}
        whole = {**stored, **values}
        checks = await try_out(request, kind, whole, account.title)
        return await draw(request, account, kind, given=values, checks=checks, typed=typed)
    version = str(form.get("version", ""))
    try:
        await hub_of(request).do(
            UpdateAccount(
                account_id=account.id,
                settings=values,
                version=int(version) if version.isdecimal() else None,
            )
        )
    except Invalid as error:
        return await draw(
            request,
            account,
            kind,
            status=422,
            given=values,
            errors={error.field: say(request, str(error))},
            typed=typed,
            problem=say(request, str(error)),
        )
    except Conflict:
        words = say(request, "Somebody changed this meanwhile. Look at it, then save again.")
        account, kind = await _kind(request)
        return await draw(
            request, account, kind, status=409, given=values, typed=typed, problem=words
        )
    return go(f"{PATH}/{account.id}", "saved")


async def _secrets(request: Request, account: Account, kind: type[Channel]) -> dict[str, Any]:
    """Give the stored secrets of an account, for a check: they never leave this process.

    Raises Invalid where the key ring cannot read them.
    """
    runtime = runtime_of(request)
    sealed = await runtime.handle(SYSTEM).read(account_reads.sealed_secrets, account.id)
    model = unseal(kind, account.settings, sealed, runtime.keys)
    return {name: getattr(model, name) for name in account.secrets_set}


@needs("accounts.manage")
async def check(request: Request) -> Response:
    """Check the account as it is stored, and remember what was found."""
    await form_of(request)
    account, kind = await _kind(request)
    host = runtime_of(request).channel_host
    try:
        values = {**account.settings, **await _secrets(request, account, kind)}
    except Invalid as error:
        state = NEEDS_SECRET if error.field == NEEDS_SECRET else "down"
        await host.report(account.id, state, str(error))
        return await draw(request, (await _kind(request))[0], kind)
    try:
        checks = await run_checks(request, host.try_out(kind, values, account.title))
    except Invalid as error:
        checks = [Check(name=say(request, "Settings"), ok=False, text=say(request, str(error)))]
    bad = "; ".join(f"{one.name}: {one.text}" for one in checks if not one.ok)
    await host.report(account.id, "down" if bad else "ok", bad)
    if not bad:
        try:
            await inspect_now(request, account)
        except HubError as error:
            await host.report(account.id, "down", str(error))
            checks.append(
                Check(name=say(request, "Provider"), ok=False, text=say(request, str(error)))
            )
    account, kind = await _kind(request)
    return await draw(request, account, kind, checks=checks)


@needs("accounts.manage")
async def rules(request: Request) -> Response:
    """Change what its dialogs follow: title, threads, signature, team, who sees them."""
    form = await form_of(request)
    account, kind = await account_of(request)
    days = str(form.get("reopen_days", "")).strip()
    try:
        if days and not days.isdecimal():
            raise Invalid(say(request, "A whole number is needed."), field="reopen_days")
        await hub_of(request).do(
            UpdateAccount(
                account_id=account.id,
                title=str(form.get("title", "")),
                signature=str(form.get("signature", "")).replace("\r\n", "\n"),
                thread_rule=str(form.get("thread_rule", account.thread_rule)),
                reopen_days=int(days) if days else None,
                team_id=TeamId(number(form.get("team_id", "0"))),
                members=tuple(UserId(number(one)) for one in many(form, "members")),
            )
        )
    except Invalid as error:
        return await draw(request, account, kind, status=422, problem=say(request, str(error)))
    return go(f"{PATH}/{account.id}", "saved")


@needs("accounts.manage")
async def pause(request: Request) -> Response:
    """Pause an account, or let it work again."""
    form = await form_of(request)
    account, _ = await account_of(request)
    paused = form.get("do") == "pause"
    await hub_of(request).do(UpdateAccount(account_id=account.id, paused=paused))
    return go(f"{PATH}/{account.id}", "paused" if paused else "resumed")


@needs("accounts.manage")
async def rotate(request: Request) -> Response:
    """Make a new secret of those that the hub makes, and show it this one time."""
    form = await form_of(request)
    account, kind = await _kind(request)
    name = str(form.get("secret", ""))
    info = kind.Settings.model_fields.get(name)
    extra = info.json_schema_extra if info is not None else None
    if info is None or kind_of(info) != "secret" or not isinstance(extra, dict):
        raise NotFound("there is no such secret")
    if not extra.get("generated") or info.default_factory is None:
        raise NotFound("there is no such secret")
    value = info.get_default(call_default_factory=True, validated_data={}).get_secret_value()
    settings = {**account.settings, name: value}
    try:
        await hub_of(request).do(UpdateAccount(account_id=account.id, settings=settings))
    except Invalid as error:
        # Another secret cannot be read, and is needed: that one is entered first.
        words = say(request, str(error))
        errors = {error.field: words}
        return await draw(request, account, kind, status=422, errors=errors, problem=words)
    account, kind = await _kind(request)
    label = words_of(request, kind.name)(info.title or name)
    return await draw(request, account, kind, secret=(label, value))


@needs("accounts.manage")
async def disconnect(request: Request) -> Response:
    """Say what disconnecting means here, then do it."""
    account, kind = await account_of(request)
    if request.method == "GET":
        use = await hub_of(request).read(use_reads.account_use, account.id)
        return show(
            request,
            "disconnect",
            "channels",
            account=account,
            kind_title=title_of(request, kind) if kind else account.channel,
            use=use,
        )
    await form_of(request)
    await hub_of(request).do(RemoveAccount(account_id=account.id))
    return go(PATH, "disconnected")


def routes() -> list[BaseRoute]:
    """Give the routes of an account's page."""
    here = f"{PATH}/{{account_id:int}}"
    post = ["POST"]
    return [
        Route(here, page, methods=["GET"]),
        Route(here, save, methods=post),
        Route(f"{here}/check", check, methods=post),
        Route(f"{here}/rules", rules, methods=post),
        Route(f"{here}/pause", pause, methods=post),
        Route(f"{here}/rotate", rotate, methods=post),
        Route(f"{here}/disconnect", disconnect, methods=["GET", "POST"]),
    ]
