"""An installation for each test, and hubs that are ended with it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.cli.processes import CommandLine, Running


@pytest.fixture
def hub(tmp_path: Path, database_kind: str, new_database: Callable[..., str]) -> CommandLine:
    """An installation with nothing in it yet."""
    database = new_database(migrated=False) if database_kind == "postgres" else ""
    return CommandLine(data=tmp_path / "data", database=database)


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    """`run(hub) -> Running`; whatever still runs at the end is ended."""
    started: list[Running] = []

    def start(hub: CommandLine, *options: str) -> Running:
        started.append(Running.__new__(Running))
        started[-1].__init__(hub, *options)  # type: ignore[misc]
        return started[-1]

    yield start
    for one in started:
        if getattr(one, "process", None) is not None:
            one.stop(signal.SIGKILL)
