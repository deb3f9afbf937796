"""The databases that a benchmark is asked for: an empty one of each kind, gone when it ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.house import DURABLE
from tests.servers.postgres import Postgres

CHOICES = ("sqlite", "postgresql", "both")


def stores(database: str, name: str) -> Iterator[tuple[str, str, Path]]:
    """Give kind, URL ("" for SQLite's file in the folder) and a folder for each kind asked for."""
    for kind in CHOICES[:2] if database == "both" else (database,):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = ""
            if kind == "postgresql":
                url = stack.enter_context(Postgres(DURABLE)).cluster.create_database(name)
            yield kind, url, folder / "data"
