"""`dialoghub check`: is everything in order, and what to do where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    load_settings,
    run_async,
    say,
    say_json,
)

if TYPE_CHECKING:
    from hub.checks import Finding

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Look at settings, keys, database, files, plugins and secrets; changes nothing."""
    from hub.checks import check_all

    settings = load_settings(data, database, log_level="error")
    found: list[Finding] = run_async(check_all(settings))
    if as_json:
        say_json([{"what": one.what, "state": one.state, "text": one.text} for one in found])
    else:
        width = max(len(one.what) for one in found)
        for one in found:
            say(f"{MARKS[one.state]}  {one.what:<{width}}  {one.text}")
    if any(one.state == "fail" for one in found):
        raise typer.Exit(1)
