"""A hub that works on an import and dies in it: a process of its own.

`python -m tests.scenarios.crash.import_child FOLDER URL IMPORT SIDE COUNT`: killed at the
COUNTth batch, inside its transaction or after it; without a SIDE it lives to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from crm_store import import_rows
from hub import SYSTEM
from hub.commands import WriteImportRows
from hub.handle import BoundHub
from hub.ids import ImportId
from hub.importing import work
from tests.houses import World, build


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: str, url: str, import_id: str, side: str, count: str) -> None:
    """Work until death or the end."""
    left = int(count or 0)
    inside, after = import_rows.write, BoundHub.do

    def write(*args: Any, **values: Any) -> None:
        nonlocal left
        inside(*args, **values)
        left -= 1
        if side == "inside" and not left:
            _die()

    async def do(self: BoundHub, *commands: Any) -> Any:
        found = await after(self, *commands)
        if side == "after" and not left and isinstance(commands[0], WriteImportRows):
            _die()
        return found

    import_rows.write = write  # type: ignore[assignment]
    BoundHub.do = do  # type: ignore[method-assign]
    runtime = build(Path(folder), url, World())
    await runtime.start()
    await work(runtime.handle(SYSTEM), ImportId(int(import_id)))
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6]))
