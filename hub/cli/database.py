"""`dialoghub migrate` and `reindex`: what is done to the database as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    Progress,
    load_settings,
    opened,
    run_async,
    say,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("migrate")(migrate)
    app.command("reindex")(reindex)


def migrate(
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Bring the database to this release; `run` does it by itself."""
    from crm_store.migrate import is_new
    from hub.runtime import Runtime

    settings = load_settings(data, database)
    runtime = Runtime(settings)
    if plan:
        steps = ["new database"] if is_new(settings.database) else runtime.pending()
        say("\n".join(f"to do: {one}" for one in steps) or "nothing to do")
        return
    steps = runtime.migrate()
    say("\n".join(f"done: {one}" for one in steps) or "nothing to do")


def reindex(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Make the search index anew; the search goes on meanwhile."""
    from crm_store import search_index

    settings = load_settings(data, database)

    async def work() -> int:
        async with opened(settings) as hub:
            shown = Progress("reindexing")
            store = hub.runtime.database
            with store.administer() as conn:
                if not search_index.is_out_of_date(conn):
                    search_index.start_reindex(conn)
            while True:
                with store.administer() as conn:
                    step = search_index.reindex(conn)
                shown(step.done, step.total)
                if step.finished:
                    shown.done()
                    return step.done

    say(f"{run_async(work())} entries are in the index.")
