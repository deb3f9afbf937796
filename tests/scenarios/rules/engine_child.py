"""A process that does nothing but carry out rules, one fact at a time, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import hub.rule_engine
from hub.rule_engine import RuleEngine
from plugins import crm_actions
from tests.houses import World, build


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
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
