"""`dialoghub new-channel`: the first working version of a channel of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.base import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new-channel")(new_channel)


def new_channel(
    name: Annotated[str, typer.Argument(help="What the channel is called: pigeon.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to write it; new or empty. Default: ./NAME")
    ] = None,
) -> None:
    """Write a channel as a distribution of its own, with a contract test that passes."""
    from hub.new_channel import write_channel

    folder = folder or Path(name)
    for path in write_channel(name, folder):
        say(str(path))
    say(f"\nNext: pip install -e {folder} && python -m pytest {folder}/tests")
