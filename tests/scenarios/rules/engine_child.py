"""A process that does nothing but carry out rules, one fact at a time, until it is killed.

A third argument names a point of a run at which it kills itself, as a power cut would.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hub.rule_engine
from hub.rule_engine import RuleEngine
from plugins import crm_actions
from tests.houses import World, build
from triggers.counting import Counts
from triggers.running import Runs
from triggers.waits import Waits

POINTS = {
    "a command was carried out": (Runs, "run"),
    "the runs were written": (Runs, "write"),
    "the timers were written": (Waits, "write"),
    "all was written and nothing committed": (Counts, "write"),
    "all was committed": (RuleEngine, "_carry"),
}


def die() -> None:
    """End at once, without a farewell."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def trap(point: str) -> None:
    """Let the process die where this point was passed for the third time."""
    owner, name = POINTS[point]
    known: Callable[..., Any] = getattr(owner, name)
    passed = 0

    def count() -> None:
        nonlocal passed
        passed += 1
        if passed == 3:
            die()

    def at(*given: Any, **more: Any) -> Any:
        found = known(*given, **more)
        count()
        return found

    async def later(*given: Any, **more: Any) -> Any:
        found = await known(*given, **more)
        count()
        return found

    setattr(owner, name, later if asyncio.iscoroutinefunction(known) else at)


async def main(folder: Path, url: str) -> None:
    """Say that it begins, and work."""
    hub.rule_engine.BATCH = 2
    runtime = build(folder, url, World(), [("crm_actions", crm_actions)])
    await runtime.start()
    engine = RuleEngine(runtime)
    await engine.begin()
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    while True:
        if not await engine.step():
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        trap(sys.argv[3])
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
