"""`dialoghub account ...`: the connected channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    YesOption,
    confirm,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
    table,
    when,
)
from hub.errors import HubError, Invalid

if TYPE_CHECKING:
    from hub.channel import Channel, Check
    from hub.handle import BoundHub
    from hub.records.system import Account
    from hub.settings import HubSettings

app = typer.Typer(help="Connected channels.", no_args_is_help=True)

AccountArgument = Annotated[str, typer.Argument(help="Id or title of the account.")]


@app.command("add")
def add(
    channel: Annotated[str, typer.Argument(help="Kind of channel: email, web_chat, ...")],
    title: Annotated[str, typer.Option(help="What colleagues call it.")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings.")
    ] = None,
    from_json: Annotated[
        Path | None, typer.Option("--json", help="Settings from a JSON file; - is standard input.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Connect a channel; secrets that are not given are asked for."""
    from hub.commands import CreateAccount

    settings = load_settings(data, database)
    given = _read_json(from_json) | _read_pairs(values or [])

    async def work() -> tuple[int, str, list[Check]]:
        async with opened(settings) as hub:
            kind = hub.runtime.channels.get(channel)
            if kind is None:
                known = ", ".join(sorted(hub.runtime.channels))
                raise Invalid(f"there is no channel {channel!r}; there are: {known}")
            whole = given | _ask_secrets(kind, given)
            account_id = (
                await hub.do(CreateAccount(channel=channel, title=title, settings=whole))
            )[0]
            account = await hub.account(account_id)
            hook = hub.runtime.channel_host.hook_url(account) if kind.pushes() else ""
            return int(account_id), hook, await _try(hub, int(account_id))

    account_id, hook, checks = run_async(work())
    say(f"Connected as account {account_id}.")
    if hook:
        say(f"Webhook: {hook}")
    if not _show_checks(checks):
        raise typer.Exit(1)


@app.command("list")
def list_accounts(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every account with its state."""

    async def work(settings: HubSettings) -> list[Account]:
        async with opened(settings) as hub:
            return await hub.accounts()

    found = run_async(work(load_settings(data, database)))
    if as_json:
        say_json(
            [
                {
                    "id": str(one.id),
                    "channel": one.channel,
                    "title": one.title,
                    "state": _state(one),
                    "last_error": one.last_error,
                    "last_in_at": one.last_in_at,
                    "last_out_at": one.last_out_at,
                    "settings": dict(one.settings),
                    "secrets_set": one.secrets_set,
                }
                for one in found
            ]
        )
        return
    table(
        ("id", "channel", "title", "state", "last in", "last out"),
        [
            (
                one.id,
                one.channel,
                one.title,
                _state(one),
                when(one.last_in_at),
                when(one.last_out_at),
            )
            for one in found
        ],
        empty="no channel is connected",
    )
    for one in found:
        if one.last_error and one.state not in ("ok", "new"):
            say(f"\n{one.title}: {one.last_error}")


@app.command("check")
def check(which: AccountArgument, data: DataOption = None, database: DatabaseOption = None) -> None:
    """Try an account's settings against its provider."""
    settings = load_settings(data, database)

    async def work() -> list[Check]:
        async with opened(settings) as hub:
            return await _try(hub, (await _find(hub, which)).id)

    if not _show_checks(run_async(work())):
        raise typer.Exit(1)


@app.command("pause")
def pause(
    which: AccountArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Let it work again.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Stop an account for a while: nothing comes in or leaves."""
    from hub.commands import UpdateAccount

    settings = load_settings(data, database)

    async def work() -> str:
        async with opened(settings) as hub:
            account = await _find(hub, which)
            await hub.do(UpdateAccount(account_id=account.id, paused=not undo))
            return account.title

    say(f"{run_async(work())} {'works again' if undo else 'is paused'}.")


@app.command("remove")
def remove(
    which: AccountArgument,
    yes: YesOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Disconnect an account for good; its dialogs stay readable."""
    from hub.commands import RemoveAccount

    settings = load_settings(data, database)

    async def work() -> str:
        async with opened(settings) as hub:
            account = await _find(hub, which)
            confirm(f"Disconnect {account.title!r} and forget its secrets?", yes=yes)
            await hub.do(RemoveAccount(account_id=account.id))
            return account.title

    say(f"{run_async(work())} is disconnected.")


# -- parts ---------------------------------------------------------------------------------


async def _find(hub: BoundHub, which: str) -> Account:
    accounts = await hub.accounts()
    found = [one for one in accounts if which in (str(one.id), one.title)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Invalid(f"several accounts are called {which!r}: give the id")
    raise Invalid(f"there is no account {which!r}; `dialoghub account list` shows them all")


async def _try(hub: BoundHub, account_id: int) -> list[Check]:
    from hub.channel import Check
    from hub.ids import AccountId

    try:
        _, channel = await hub.runtime.channel_host.get(AccountId(account_id))
        return await channel.check() or [Check(name="settings", ok=True, text="are well-formed")]
    except HubError as error:
        return [Check(name="settings", ok=False, text=str(error))]


def _show_checks(checks: list[Check]) -> bool:
    for one in checks:
        say(f"{'ok  ' if one.ok else 'FAIL'}  {one.name}  {one.text}".rstrip())
    return all(one.ok for one in checks)


def _state(account: Account) -> str:
    return "paused" if account.paused else account.state


def _read_json(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text()
        values = json.loads(text)
    except (OSError, ValueError) as error:
        raise Invalid(f"{path}: {error}", field="json") from None
    if not isinstance(values, dict):
        raise Invalid(f"{path} is not a JSON object", field="json")
    return values


def _read_pairs(pairs: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Invalid(f"{pair!r} is not KEY=VALUE")
        # A list or an object may be written as JSON; a word stays a word.
        found[name] = json.loads(value) if value[:1] in ("[", "{") else value
    return found


def _ask_secrets(kind: type[Channel], given: dict[str, Any]) -> dict[str, Any]:
    from hub.account_settings import secret_fields

    unknown = sorted(set(given) - set(kind.Settings.model_fields))
    if unknown:
        known = ", ".join(kind.Settings.model_fields)
        raise Invalid(f"{kind.name} has no setting {unknown[0]!r}; it has: {known}")
    asked = {}
    for name in secret_fields(kind.Settings):
        field = kind.Settings.model_fields[name]
        if name in given or not field.is_required():
            continue
        asked[name] = typer.prompt(field.description or name, hide_input=True, err=True)
    return asked
