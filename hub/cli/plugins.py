"""`dialoghub plugins`: what is installed, and how it behaves."""

from __future__ import annotations

import typer

from hub.cli.base import DatabaseOption, DataOption, JsonOption, load_settings, say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plugins")(plugins)


def plugins(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every channel and plugin that is installed."""
    from hub.plugin_host import PluginHost

    settings = load_settings(data, database, log_level="warning")
    host = PluginHost()
    host.load(settings.plugins_dir)
    found = list(host.plugins.values())
    if as_json:
        say_json(
            [
                {
                    "name": one.name,
                    "version": one.version,
                    "bundled": one.bundled,
                    "state": one.state,
                    "hooks": one.hooks,
                    "error": one.error,
                }
                for one in found
            ]
        )
    else:
        table(
            ("name", "version", "from", "state", "hooks"),
            [
                (
                    one.name,
                    one.version or "-",
                    "Dialog Hub" if one.bundled else one.distribution or "plugins folder",
                    one.state,
                    ", ".join(one.hooks),
                )
                for one in found
            ],
        )
        for one in found:
            if one.error:
                say(f"\n{one.name}: {one.error}")
    if any(one.error for one in found):
        raise typer.Exit(1)
