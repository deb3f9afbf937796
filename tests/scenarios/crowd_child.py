"""One of several processes that take the same messages in at once (PostgreSQL only)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hub import SYSTEM
from tests.houses import World, build, message


async def main(folder: Path, url: str, kind: str, people: int, copies: int) -> None:
    """Take in either copies of the same messages, or first messages of the same new people."""
    runtime = build(folder, url, World())
    await runtime.start()
    account = (await runtime.handle(SYSTEM).accounts())[0]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    process = int(sys.argv[6])

    async def one(n: int, copy: int) -> None:
        key = f"k{n}" if kind == "copies" else f"k{n}-{process}-{copy}"
        await runtime.receive(account, [message(key, f"person{n}")])

    await asyncio.gather(*(one(n, copy) for copy in range(copies) for n in range(people)))
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    )
