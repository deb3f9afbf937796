"""`dialoghub keys ...`: the key ring that secrets and links depend on."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.base import DatabaseOption, DataOption, load_settings, opened, run_async, say

app = typer.Typer(help="The keys of secrets and links.", no_args_is_help=True)


@app.command("rotate")
def rotate(
    forget_old: Annotated[
        bool,
        typer.Option(
            "--forget-old",
            help="Also throw the old secret keys away. Stop every hub first; older backups "
            "then need the key ring of their day.",
        ),
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make new keys and encrypt every secret again; links signed before stay valid."""
    from crm_store.rekey import renew_secrets
    from crm_store.work import living_workers
    from hub.errors import Conflict

    settings = load_settings(data, database)

    async def work() -> tuple[int, int]:
        async with opened(settings) as hub:
            runtime = hub.runtime
            if forget_old:
                others = await runtime.database.read(
                    lambda conn: living_workers(conn, runtime.now(), but=runtime.owner)
                )
                if others:
                    raise Conflict(
                        f"{len(others)} process(es) of the hub still run and may use an old key: "
                        "stop them first"
                    )
            runtime.keys.rotate()
            with runtime.database.administer() as conn:
                renewed, lost = renew_secrets(conn, runtime.keys.renew)
            if forget_old and not lost:
                runtime.keys.forget_old_secrets()
            return renewed, lost

    renewed, lost = run_async(work())
    say(f"New keys are in use; {renewed} secret(s) were encrypted again.")
    if lost:
        say(f"{lost} secret(s) could not be read with this key ring and must be entered again.")
        if forget_old:
            say("The old keys were therefore kept.")
