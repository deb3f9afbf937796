"""`dialoghub replay`: inputs that nobody could read, read again after a fix."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    load_settings,
    opened,
    run_async,
    say,
    table,
    when,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    which: Annotated[int | None, typer.Argument(metavar="[ID]", help="Id of the input.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every input that could not be read.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Read quarantined inputs again; without an id, show what waits."""
    from hub.errors import HubError
    from hub.ids import QuarantineId
    from hub.replay import replay as replay_one
    from hub.replay import waiting

    settings = load_settings(data, database)

    async def work() -> int:
        failed = 0
        async with opened(settings) as hub:
            if which is None and not everything:
                from crm_store.quarantine import quarantined

                items = await hub.read(quarantined, "waiting", 0, 500)
                table(
                    ("id", "received", "account", "from", "why"),
                    [
                        (one.id, when(one.received_at), one.account_id, one.source, one.error[:80])
                        for one in items
                    ],
                    empty="nothing waits",
                )
                return 0
            ids = [QuarantineId(which)] if which else list(await waiting(hub.runtime))
            for one in ids:
                try:
                    count = await replay_one(hub.runtime, one)
                    say(f"{one}: taken in ({count})")
                except HubError as error:
                    failed += 1
                    say(f"{one}: {error}")
        return failed

    if run_async(work()):
        raise typer.Exit(1)
