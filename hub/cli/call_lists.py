"""`dialoghub calls ...`: call lists listed, filled with many numbers, steered, their calls exported.

Call lists are a plugin's: the commands call the endpoints that it offers to programs.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
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
    warn,
    when,
)
from hub.cli.endpoints import ask
from hub.errors import NotFound

app = typer.Typer(help="Call lists: whom colleagues call.", no_args_is_help=True)

PLUGIN, ONE = "telemarketing", "/lists/{list}"
BATCH = 500
COLUMNS = (
    "id",
    "at",
    "contact_id",
    "user_id",
    "result",
    "answers",
    "again_at",
    "meeting_id",
    "made_kind",
    "made_id",
)
ListArgument = Annotated[str, typer.Argument(help="The list's id; `calls list` shows them.")]


async def _of(hub: Any, number: str, path: str = "", **more: Any) -> Any:
    try:
        return await ask(hub, PLUGIN, f"{ONE}{path}", names={"list": number}, **more)
    except NotFound as error:
        raise NotFound(f"{error}: `dialoghub calls list` shows them") from None


def _line(one: Mapping[str, Any]) -> tuple[str, ...]:
    told = one["progress"]
    counts = [str(value) for value in told.values() if isinstance(value, int)]
    return (str(one["id"]), one["state"], one["title"], " / ".join(counts), when(one["started_at"]))


@app.command("list")
def list_lists(
    as_json: JsonOption = False, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """List call lists, the newest first."""
    settings = load_settings(data, database)

    async def work() -> Any:
        async with opened(settings) as hub:
            return (await ask(hub, PLUGIN, "/lists"))["items"]

    found = run_async(work())
    if as_json:
        say_json(found)
        return
    names = ("id", "state", "title", "progress", "started")
    table(names, [_line(one) for one in found], empty="No call lists yet.")


@app.command("fill")
def fill_list(
    number: ListArgument,
    numbers: Annotated[
        Path | None, typer.Option(help="A file of numbers, one a line with a name after it.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Put people on a list: whoever is in its segment now, or whom the numbers of a file belong to.

    Lines that could not be taken are written to standard error. A file may be given again:
    nobody stands on a list twice. A segment's people are put on it by the running hub, and
    `calls list` tells how far it is.
    """
    lines = numbers.read_text("utf-8-sig").splitlines() if numbers else []
    wanted = [one for one in lines if one.strip()]
    settings = load_settings(data, database)

    async def work() -> tuple[int, list[str], bool]:
        added, goes_on = 0, False
        left: list[str] = []
        async with opened(settings) as hub:
            parts = [wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)]
            for part in parts if numbers else [[]]:
                body = {"numbers": "\n".join(part)} if part else {}
                told = await _of(hub, number, "/people", method="POST", body=body)
                added += told["added"]
                left += told.get("left") or []
                goes_on = goes_on or bool(told.get("filling"))
        return added, left, goes_on

    added, left, goes_on = run_async(work())
    for line in left:
        warn(f"not taken: {line}")
    if as_json:
        say_json({"added": added, "left": left, "filling": goes_on})
    elif goes_on:
        say(f"{added} added so far: the running hub puts the others on it")
    else:
        say(f"{added} added, {len(left)} not taken")


@app.command("state")
def steer_list(
    number: ListArgument,
    state: Annotated[str, typer.Argument(help="running, paused, done, removed or draft.")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Start, pause, end or put away a list, or take it back."""
    settings = load_settings(data, database)

    async def work() -> Any:
        async with opened(settings) as hub:
            return await _of(hub, number, "/state", method="PUT", body={"state": state})

    one = run_async(work())
    say(f"{one['title']}: {one['state']}")


@app.command("export")
def export_calls(
    number: ListArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write the calls of a list that count to standard output, as CSV or, one a line, as JSON."""
    settings = load_settings(data, database)

    async def work() -> None:
        sheet = csv.writer(sys.stdout, lineterminator="\n")
        if not as_json:
            sheet.writerow(COLUMNS)
        after = ""
        async with opened(settings) as hub:
            while True:
                told = await _of(hub, number, "/calls", query={"after": after})
                for one in told["items"]:
                    row = {name: one[name] for name in COLUMNS}
                    if as_json:
                        say(json.dumps(row, ensure_ascii=False, default=str))
                    else:
                        row["answers"] = json.dumps(row["answers"], ensure_ascii=False)
                        sheet.writerow(["" if cell is None else cell for cell in row.values()])
                after = told["next"]
                if not after:
                    return

    run_async(work())
