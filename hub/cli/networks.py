"""`dialoghub networks ...`: from where people may come in, and the way out of a wrong list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
)

if TYPE_CHECKING:
    from hub.settings import HubSettings

app = typer.Typer(help="Networks from which people may come in.", no_args_is_help=True)


@app.command("show")
def show(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show the networks; none means from everywhere."""
    from crm_store.networks import networks

    settings = load_settings(data, database)

    async def work() -> tuple[str, ...]:
        async with opened(settings) as hub:
            return await hub.read(networks)

    found = run_async(work())
    if as_json:
        say_json(list(found))
    else:
        say("\n".join(found) or "From everywhere.")


@app.command("set")
def set_networks(
    networks: Annotated[list[str], typer.Argument(help="Networks, as 203.0.113.0/24.")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Let people in from these networks only."""
    _limit(load_settings(data, database), tuple(networks))
    say(f"People come in from {', '.join(networks)} only.")


@app.command("clear")
def clear(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Let people in from everywhere: the way back in for whoever is locked out."""
    _limit(load_settings(data, database), ())
    say("People come in from everywhere.")


def _limit(settings: HubSettings, networks: tuple[str, ...]) -> None:
    from hub.commands import LimitNetworks

    async def work() -> None:
        async with opened(settings) as hub:
            await hub.do(LimitNetworks(networks=networks))

    run_async(work())
