"""Several processes on PostgreSQL take the same messages in at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.database import make_engine
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses, contacts
from tests.houses import house

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 3


async def crowd(folder: Path, url: str, kind: str, people: int, copies: int) -> dict[str, int]:
    """Let the processes loose together; gives how many rows there are then."""
    children = []
    async with house(folder / "first", url):
        pass
    for n in range(PROCESSES):
        children.append(  # noqa: PERF401 - each child must be known if a later one fails
            subprocess.Popen(
                [
                    sys.executable, "-m", "tests.scenarios.crowd_child", str(folder / f"p{n}"),
                    url, kind, str(people), str(copies), str(n),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )  # fmt: skip
    try:
        for child in children:
            assert child.stdout is not None
            line = await asyncio.to_thread(child.stdout.readline)
            assert line == "ready\n", child.stderr.read() if child.stderr else ""
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            _, errors = await asyncio.to_thread(child.communicate, timeout=600)
            assert child.returncode == 0, errors[-3000:]
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
    return counted(url)


def counted(url: str) -> dict[str, int]:
    """Count the rows over a connection of its own."""
    engine = make_engine(url, writer=False)
    with engine.connect() as conn:
        found = {
            one.name: conn.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (messages, dialogs, contacts, addresses)
        }
        found["orphans"] = conn.execute(
            select(func.count())
            .select_from(dialogs)
            .where(~dialogs.c.id.in_(select(messages.c.dialog_id)))
        ).scalar_one()
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("people", "copies"),
    [(100, 10), pytest.param(1000, 17, marks=pytest.mark.soak)],
)
async def test_copies_of_a_message_over_processes_are_one_message(
    tmp_path: Path, postgres_url: str, people: int, copies: int
) -> None:
    found = await crowd(tmp_path, postgres_url, "copies", people, copies)
    assert found["messages"] == people
    assert found["dialogs"] == people
    assert found["contacts"] == people
    assert found["orphans"] == 0


@pytest.mark.parametrize(
    ("people", "copies"),
    [(40, 8), pytest.param(200, 17, marks=pytest.mark.soak)],
)
async def test_first_messages_of_new_people_over_processes_make_one_dialog_each(
    tmp_path: Path, postgres_url: str, people: int, copies: int
) -> None:
    found = await crowd(tmp_path, postgres_url, "people", people, copies)
    assert found["messages"] == people * copies * PROCESSES
    assert found["dialogs"] == people
    assert found["contacts"] == people
    assert found["addresses"] == people
    assert found["orphans"] == 0
