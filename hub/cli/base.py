"""What every command shares: the options that find the hub, an opened hub, tables of words."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hub.errors import Conflict, Invalid
from hub.objects import Actor, ActorKind

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.records.system import User
    from hub.runtime import Runtime
    from hub.settings import HubSettings

T = TypeVar("T")

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data directory (HUB_DATA; default: data).", show_default=False),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="PostgreSQL address (HUB_DATABASE_URL); without it SQLite in the data directory.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

OPERATOR = Actor(kind=ActorKind.SYSTEM, name="command line")


def load_settings(data: Path | None, database: str | None, **more: Any) -> HubSettings:
    """Read the settings and start the log."""
    from hub.logs import set_up_logs
    from hub.settings import HubSettings

    settings = HubSettings.load(data=data, database_url=database, **more)
    set_up_logs(settings.log_level, settings.log_format)
    return settings


@asynccontextmanager
async def opened(settings: HubSettings, *, quiet: bool = True) -> AsyncIterator[BoundHub]:
    """Open the hub beside the one that may be running; nothing is carried out of it.

    A new database is made; one of an earlier release is left alone with a word of advice.
    """
    import logging

    from hub.runtime import Runtime

    if quiet:
        # A command says what it did by itself.
        logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
    runtime = Runtime(settings)
    prepare_schema(runtime)
    await runtime.start()
    try:
        yield runtime.handle(OPERATOR)
    finally:
        await runtime.stop()


def prepare_schema(runtime: Runtime) -> None:
    """Make the schema of a new database; raise Conflict for one of an earlier release."""
    from crm_store.migrate import is_new

    if is_new(runtime.settings.database):
        runtime.migrate()
    elif steps := runtime.pending():
        raise Conflict(
            f"the database is {len(steps)} step(s) behind this release: "
            "run `dialoghub migrate` (after a backup)"
        )


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's work."""
    return asyncio.run(work)


async def find_user(hub: BoundHub, who: str) -> User:
    """Find a colleague by e-mail address or id; raises Invalid."""
    from crm_store.users import all_users

    for user in await hub.read(all_users):
        if who.casefold() == user.email.casefold() or who == str(user.id):
            return user
    raise Invalid(f"there is no colleague {who!r}; `dialoghub user list` shows them all")


# -- saying --------------------------------------------------------------------------------


def say(text: str = "") -> None:
    """Write a line for the reader."""
    typer.echo(text)


def warn(text: str) -> None:
    """Write a line that must not be mistaken for output."""
    typer.echo(text, err=True)


def say_json(value: object) -> None:
    """Write a value for a script; ids are strings, as in the API."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(head: Sequence[str], rows: Sequence[Sequence[object]], empty: str = "") -> None:
    """Write rows under a head, aligned by what the letters take up on the screen."""
    if not rows:
        say(empty or "nothing")
        return
    cells = [[str(one) for one in row] for row in rows]
    widths = [max(_width(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
    for row in [[one.upper() for one in head], *cells]:
        padded = (one + " " * (width - _width(one)) for one, width in zip(row, widths, strict=True))
        say("  ".join(padded).rstrip())


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def when(at: int | str | None) -> str:
    """Give an instant (microseconds, or as the API writes it) in words a person reads, UTC."""
    if not at:
        return "never"
    if isinstance(at, str):
        moment = datetime.fromisoformat(at).astimezone(UTC)
    else:
        moment = datetime.fromtimestamp(at / 1_000_000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be taken back; no terminal and no --yes is a no."""
    if yes:
        return
    try:
        typer.confirm(question, abort=True)
    except typer.Abort:
        raise Conflict("nothing was done (answer yes, or give --yes)") from None


class Progress:
    """A line that grows on a terminal, and is silent in a script."""

    def __init__(self, what: str) -> None:
        import sys

        self._what = what
        self._tty = sys.stderr.isatty()
        self._shown = ""

    def __call__(self, done: int, total: int) -> None:
        """Show how far it has come."""
        share = f"{100 * done // total:3d}%" if total else f"{done}"
        if self._tty and share != self._shown:
            self._shown = share
            typer.echo(f"\r{self._what} {share}", err=True, nl=False)

    def done(self) -> None:
        """End the line."""
        if self._tty and self._shown:
            typer.echo("", err=True)
