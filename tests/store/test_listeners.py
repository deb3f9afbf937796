"""Listeners of this process's commits: one that fails silences nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub import SYSTEM, CreateUser, Event
from tests.houses import World, build


async def test_a_listener_that_raises_harms_neither_the_commit_nor_the_others(
    tmp_path: Path, database_url: str
) -> None:
    runtime = build(tmp_path, database_url, World())
    await runtime.start()
    heard: list[Event] = []

    def cancelled(events: list[Event]) -> None:
        raise asyncio.CancelledError

    def broken(events: list[Event]) -> None:
        raise ZeroDivisionError

    runtime.on_events(cancelled)
    runtime.on_events(broken)
    runtime.on_events(heard.extend)
    command = CreateUser(email="a@example.com", name="A", role="agent")
    try:
        made = await asyncio.wait_for(runtime.do(SYSTEM, None, (command,)), 30)
        assert made[0]
        assert [one.type for one in heard] == ["user.created"]
    finally:
        await runtime.stop()
