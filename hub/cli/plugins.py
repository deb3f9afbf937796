"""`dialoghub plugins`: what is installed, how good it is, and how it behaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    table,
)
from hub.errors import Conflict

if TYPE_CHECKING:
    from hub.plugin_host import Plugin
    from hub.settings import HubSettings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plugins")(plugins)


def plugins(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every channel and plugin that is installed, its grade and its failures."""
    from hub.plugin_host import PluginHost

    settings = load_settings(data, database, log_level="warning")
    host = PluginHost()
    host.load(settings.plugins_dir)
    host.collect("register_channels")
    found = list(host.plugins.values())
    failures = run_async(_failures(settings))
    if as_json:
        say_json([_as_json(one, failures.get(one.name, 0)) for one in found])
    else:
        table(
            ("name", "version", "from", "state", "grade", "failures", "hooks"),
            [
                (
                    one.name,
                    one.version or "-",
                    "Dialog Hub" if one.bundled else one.distribution or "plugins folder",
                    one.state,
                    one.grade.level or "-",
                    failures.get(one.name, 0),
                    ", ".join(one.hooks),
                )
                for one in found
            ],
        )
        for one in found:
            if one.error:
                say(f"\n{one.name}: {one.error}")
            for rule, why in one.grade.doubts.items():
                say(f"\n{one.name}: {rule} is said to be done, but {why}")
    if any(one.error for one in found):
        raise typer.Exit(1)


def _as_json(plugin: Plugin, failures: int) -> dict[str, object]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "bundled": plugin.bundled,
        "state": plugin.state,
        "hooks": plugin.hooks,
        "error": plugin.error,
        "failures": failures,
        "grade": plugin.grade.level,
        "owner": plugin.grade.owner,
        "missing": plugin.grade.missing,
        "doubts": plugin.grade.doubts,
    }


async def _failures(settings: HubSettings) -> dict[str, int]:
    """Count what the journal tells of each plugin; nothing is made where there is no hub yet."""
    from crm_store.journal import plugin_failures
    from crm_store.migrate import is_new

    if is_new(settings.database):
        return {}
    try:
        async with opened(settings) as hub:
            return await hub.read(plugin_failures)
    except Conflict:
        # A database of an earlier release is looked at after it was brought up.
        return {}
