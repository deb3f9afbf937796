"""Killed in the middle of an export: it is written anew, whole, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
from pathlib import Path

import pytest

from crm_store import exports as store
from hub import SYSTEM, CreateClient, ExportId, StartExport
from tests.houses import World, build, house
from tests.warm import WarmProcess

ROWS = 620


def live(folder: Path, url: str, export_id: int, count: str, run: int) -> int:
    """Let a hub write the export; gives how it ended."""
    said = folder / f"said-{run}.txt"
    process = WarmProcess(
        "tests.scenarios.crash.export_child",
        str(folder),
        url,
        str(export_id),
        count,
        env=dict(os.environ),
        output=said,
    )
    code = process.wait(120)
    assert code in (0, -signal.SIGKILL), said.read_text()[-3000:]
    return code


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_kill_in_an_export_costs_no_row_and_leaves_one_file(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        await home.system.do(*(CreateClient(name=f"Client {n}") for n in range(ROWS)))
        export_id = ExportId((await home.user.do(StartExport(kind="client")))[0])
    ends = []
    for run, count in enumerate(("2", "0", "")):
        ends.append(await asyncio.to_thread(live, tmp_path, database_url, export_id, count, run))
    assert ends == [-signal.SIGKILL] * 2 + [0]
    runtime = build(tmp_path, database_url, World())
    await runtime.start()
    try:
        system = runtime.handle(SYSTEM)
        one = await system.read(store.one_export, export_id)
        assert (one.state, one.rows_done, one.error) == ("done", ROWS, "")
        _, blob_id = await system.as_user(one.user_id).read(store.file_of, export_id)
        with runtime.blobs.path(blob_id).open(newline="", encoding="utf-8-sig") as text:
            names = [row["name"] for row in csv.DictReader(text)]
        assert sorted(names) == sorted(f"Client {n}" for n in range(ROWS))
    finally:
        await runtime.stop()
