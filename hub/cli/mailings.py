"""`dialoghub mailing ...`: mailings listed, checked, started, steered, and their results.

Mailings are a plugin's: the commands call the endpoints that it offers to programs.
"""

from __future__ import annotations

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
    when,
)
from hub.cli.endpoints import ask
from hub.errors import Conflict, Invalid, NotFound

app = typer.Typer(help="Mailings: one message to many.", no_args_is_help=True)

PLUGIN = "mailings"
ONE = "/mailings/{mailing}"
IdArgument = Annotated[str, typer.Argument(help="The mailing's id; `mailing list` shows them.")]


def _ask(
    data: Path | None,
    database: str | None,
    path: str,
    *,
    method: str = "GET",
    mailing: str = "",
    body: Mapping[str, object] | None = None,
) -> Any:
    """Give what an endpoint of the plugin's answers; what it refuses says what to do in a shell."""
    settings = load_settings(data, database)

    async def work() -> Any:
        async with opened(settings) as hub:
            names = {"mailing": mailing}
            return await ask(hub, PLUGIN, path, method=method, names=names, body=body)

    try:
        return run_async(work())
    except NotFound as error:
        raise NotFound(f"{error}: `dialoghub mailing list` shows them") from None
    except Invalid as error:
        if error.field != "check":
            raise
        text = f"something is red before sending: see `dialoghub mailing check {mailing}`"
        raise Invalid(text, field=error.field) from None
    except Conflict as error:
        if error.what != "confirm":
            raise
        text = "it goes to more than a thousand people: give their number, as `check` says it, with --people"
        raise Conflict(text, what=error.what) from None


def _line(one: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = one["numbers"]
    counts = tuple(str(numbers[name]) for name in ("planned", "sent", "failed", "answered"))
    return (one["id"], one["state"], one["title"], *counts, when(one["started_at"]))


def _tell(one: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        say_json(one)
        return
    reason = f" ({one['reason']})" if one["reason"] else ""
    say(f"{one['title']}: {one['state']}{reason}")


@app.command("list")
def list_mailings(
    as_json: JsonOption = False, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """List mailings, the newest first."""
    found = _ask(data, database, "/mailings")["items"]
    if as_json:
        say_json(found)
        return
    names = ("id", "state", "title", "planned", "sent", "failed", "answered", "started")
    table(names, [_line(one) for one in found])


@app.command("show")
def show_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show one mailing with its plan."""
    one = _ask(data, database, ONE, mailing=mailing)
    _tell(one, as_json)
    if not as_json:
        say(f"due {when(one['due_at'])}, started {when(one['started_at'])}")
        say_json(one["plan"])


@app.command("check")
def check_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Go through the list before sending; ends with 1 where something is red."""
    found = _ask(data, database, f"{ONE}/check", mailing=mailing)
    if as_json:
        say_json(found)
    else:
        rows = [(one["level"], one["text"], one["detail"]) for one in found["findings"]]
        table(("level", "what", "more"), rows)
    if not found["ready"]:
        raise typer.Exit(1)


@app.command("start")
def start_mailing(
    mailing: IdArgument,
    people: Annotated[
        str, typer.Option(help="The number of people, confirmed above a thousand.")
    ] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Check once more and let it go, at once or at the time that the plan names."""
    body = {"people": people}
    _tell(_ask(data, database, f"{ONE}/send", method="POST", mailing=mailing, body=body), as_json)


@app.command("test")
def try_mailing(
    mailing: IdArgument,
    to: Annotated[list[str], typer.Option(help="An address of the channel; up to five.")],
    account: Annotated[str, typer.Option(help="An account of the plan; the first one.")] = "",
    contact: Annotated[str, typer.Option(help="The person it is filled in for; a sample.")] = "",
    variant: Annotated[int, typer.Option(help="The wording: 0, or 1 of a test of two.")] = 0,
    step: Annotated[int, typer.Option(help="The later letter of a chain, from 1.")] = 0,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Send the letter to a few addresses, marked as a test and counted nowhere."""
    body: dict[str, object] = {"to": to, "variant": variant, "step": step}
    # What is not given is chosen by the hub.
    body |= {name: one for name, one in (("account_id", account), ("contact_id", contact)) if one}
    made = _ask(data, database, f"{ONE}/test", method="POST", mailing=mailing, body=body)
    if as_json:
        say_json(made)
        return
    say(f"on its way to {', '.join(to)}")


def _steer(
    mailing: str, state: str, as_json: bool, data: Path | None, database: str | None
) -> None:
    body = {"state": state}
    _tell(_ask(data, database, f"{ONE}/state", method="PUT", mailing=mailing, body=body), as_json)


@app.command("pause")
def pause_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Hold what has not left yet."""
    _steer(mailing, "paused", as_json, data, database)


@app.command("resume")
def resume_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Let a paused one go on."""
    _steer(mailing, "running", as_json, data, database)


@app.command("cancel")
def cancel_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """End it: what has not left will not."""
    _steer(mailing, "cancelled", as_json, data, database)


@app.command("results")
def results_of_mailing(
    mailing: IdArgument,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show what became of it, and why people were missed."""
    one = _ask(data, database, ONE, mailing=mailing)
    if as_json:
        kept = ("id", "title", "state", "numbers", "reasons")
        say_json({name: one[name] for name in kept})
        return
    table(("what", "people"), [(name, str(n)) for name, n in one["numbers"].items()])
    if one["reasons"]:
        say()
        rows = [(each["status"], each["reason"], str(each["count"])) for each in one["reasons"]]
        table(("not reached", "why", "people"), rows)
