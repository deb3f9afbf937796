"""Killed in the middle of an import: it goes on where it was, and no row is doubled or lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import imports as store
from crm_store.tables.people import addresses, clients, contacts
from hub import SYSTEM, ImportId, StartImport
from hub.importing import upload
from tests.houses import World, build, house
from tests.warm import WarmProcess

ROWS = 900


def live(folder: Path, url: str, import_id: int, side: str, count: int, run: int) -> int:
    """Let a hub work on the import; gives how it ended."""
    said = folder / f"said-{run}.txt"
    process = WarmProcess(
        "tests.scenarios.crash.import_child",
        str(folder),
        url,
        str(import_id),
        side,
        str(count),
        env=dict(os.environ),
        output=said,
    )
    code = process.wait(120)
    assert code in (0, -signal.SIGKILL), said.read_text()[-3000:]
    return code


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_kill_in_an_import_doubles_and_loses_no_row(
    tmp_path: Path, database_url: str
) -> None:
    path = tmp_path / "people.csv"
    lines = [f"Person {n};+7912{n:07};p{n}@example.org" for n in range(ROWS)]
    path.write_text("\n".join(["Name;Phone;Email", *lines, "Bad;;nonsense"]))
    async with house(tmp_path, database_url) as home:
        import_id = ImportId(await upload(home.system, "client", "people.csv", path))
        await home.system.do(StartImport(import_id=import_id))
    ends = []
    for run, (side, count) in enumerate((("inside", 2), ("after", 1), ("inside", 1), ("", 0))):
        ends.append(
            await asyncio.to_thread(live, tmp_path, database_url, import_id, side, count, run)
        )
    assert ends == [-signal.SIGKILL] * 3 + [0]
    runtime = build(tmp_path, database_url, World())
    await runtime.start()
    try:
        one = await runtime.handle(SYSTEM).read(store.one_import, import_id)
        assert (one.state, one.done) == ("finished", ROWS + 1)
        assert (one.counts["created"], one.counts["bad"]) == (ROWS, 1)

        def kept(conn: Any) -> list[Counter[str]]:
            columns = (clients.c.name, contacts.c.name, addresses.c.value)
            return [Counter(conn.execute(select(one)).scalars()) for one in columns]

        names, people, points = await runtime.database.read(kept)
        assert names == people == Counter(f"Person {n}" for n in range(ROWS))
        assert set(points.values()) == {1}
        assert len(points) == 2 * ROWS
    finally:
        await runtime.stop()
