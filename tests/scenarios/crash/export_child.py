"""A hub that writes an export and dies in it: a process of its own.

`python -m tests.scenarios.crash.export_child FOLDER URL EXPORT COUNT`: killed when it says for the
COUNTth time how far it is; with 0 it is killed after its file lies in the store, before that is on
record; without a COUNT it lives to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from hub import SYSTEM, exporting
from hub.commands import ReportExport
from hub.handle import BoundHub
from hub.ids import ExportId
from tests.houses import World, build


async def main(folder: str, url: str, export_id: str, count: str) -> None:
    """Write until death or the end."""
    told, report = 0, BoundHub.do
    exporting.TELL_EVERY = 2

    async def do(self: BoundHub, *commands: Any) -> Any:
        nonlocal told
        if isinstance(commands[0], ReportExport):
            told += 1
            if count and (told == int(count) or (count == "0" and commands[0].blob[0])):
                os.kill(os.getpid(), signal.SIGKILL)
        return await report(self, *commands)

    BoundHub.do = do  # type: ignore[method-assign]
    runtime = build(Path(folder), url, World())
    await runtime.start()
    await exporting.work(runtime.handle(SYSTEM), ExportId(int(export_id)))
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
