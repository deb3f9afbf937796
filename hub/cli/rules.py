"""`dialoghub rules ...`: what rules there are, trying them, carrying them elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

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
    when,
)

app = typer.Typer(help="Rules: what happens by itself.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="A JSON file; - is standard input.")]


def _read(path: Path) -> list[dict[str, Any]]:
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    given = json.loads(text)
    found = given.get("rules", [given]) if isinstance(given, dict) else given
    return list(found)


@app.command("list")
def list_rules(
    as_json: JsonOption = False, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """List rules in their order."""
    from triggers.rules import all_rules

    settings = load_settings(data, database)

    async def work() -> Any:
        async with opened(settings) as hub:
            return await hub.read(all_rules)

    found = run_async(work())
    if as_json:
        say_json(
            [
                {
                    "id": str(one.id),
                    "name": one.name,
                    "enabled": one.enabled,
                    "paused": one.paused,
                    "runs_today": one.runs_today,
                    "failures_today": one.failures_today,
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            str(one.id),
            "paused" if one.paused else "on" if one.enabled else "off",
            one.name,
            str(one.runs_today),
            str(one.failures_today),
            when(one.last_run_at),
        )
        for one in found
    ]
    table(("id", "state", "name", "today", "failed", "last run"), rows)


@app.command("test")
def try_rules(
    file: FileArgument,
    days: Annotated[int, typer.Option(help="Also try them on the last days.")] = 0,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Read rules, run their examples, and say what they would have done; nothing is done."""
    from hub.ids import RuleId
    from hub.rule_desk import RuleDesk
    from triggers.examples import checked

    settings = load_settings(data, database)
    rules = _read(file)

    async def work() -> list[str]:
        lines = []
        async with opened(settings) as hub:
            desk = RuleDesk(hub.runtime, hub)
            for one in rules:
                kept = checked(one, desk.vocabulary)
                examples = len(kept.get("examples", ()))
                line = f"{kept['name']}: ok, {examples} example(s)"
                if days:
                    rule, definition = await desk.to_try(RuleId(0), kept)
                    tried = await desk.on_days(rule, definition, days)
                    line += f", would have fired {tried.fired} time(s) in {days} day(s)"
                lines += [line, *(f"  note: {each}" for each in desk.warnings(kept))]
        return lines

    for line in run_async(work()):
        say(line)


@app.command("export")
def export_rules(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Write every rule as JSON."""
    from triggers.rules import all_rules

    settings = load_settings(data, database)

    async def work() -> Any:
        async with opened(settings) as hub:
            return [dict(one.definition) for one in await hub.read(all_rules)]

    say_json({"schema": 1, "rules": run_async(work())})


@app.command("import")
def import_rules(
    file: FileArgument,
    on: Annotated[bool, typer.Option("--on", help="Switch them on at once.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Add rules, all or none; their examples are run. They are off until switched on."""
    from hub.commands import SaveRule

    settings = load_settings(data, database)
    rules = _read(file)

    async def work() -> int:
        async with opened(settings) as hub:
            return len(await hub.do(*(SaveRule(definition=one, enabled=on) for one in rules)))

    say(f"{run_async(work())} rule(s) added, {'on' if on else 'off'}.")
