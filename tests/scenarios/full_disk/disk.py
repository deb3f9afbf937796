"""What is done to a small disk, and looked up on it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def fill(path: Path) -> None:
    """Take all the room there is, to the last byte."""
    with path.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * piece) == piece:
                    pass


def ask(data: Path, question: str) -> list[Any]:
    """Look into the database from outside, without writing a byte."""
    connection = sqlite3.connect(f"file:{data / 'hub.db'}?mode=ro", uri=True)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


async def until(condition: Callable[[], Any], words: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, words
        await asyncio.sleep(0.1)


def came(data: Path) -> list[str]:
    """Whatever came in, by name."""
    return [row[0] for row in ask(data, "SELECT external_id FROM messages WHERE direction = 'in'")]
