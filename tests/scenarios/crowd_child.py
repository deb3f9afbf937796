"""One of several processes that take the same webhooks in at once (PostgreSQL only)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from crm_store.tables.users import accounts
from tests.asgi import door_of, post_webhook
from tests.houses import World, build


async def main(
    folder: Path, url: str, kind: str, people: int, copies: int, process: int, hold: Path
) -> None:
    """Take in either copies of the same messages, or first messages of the same new people.

    It begins once the file `hold` is gone, as the others do.
    """
    runtime = build(folder, url, World())
    await runtime.start()
    door = door_of(runtime)
    find = select(accounts.c.hook_token).where(accounts.c.channel == "pigeon")
    token = str(await runtime.database.read(lambda conn: conn.execute(find).scalar_one()))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while hold.exists():
        await asyncio.sleep(0.005)

    async def one(n: int, copy: int) -> int:
        key = f"k{n}" if kind == "copies" else f"k{n}-{process}-{copy}"
        body = json.dumps({"key": key, "sender": f"person{n}"}).encode()
        return await post_webhook(door, token, body)

    answers = Counter(
        await asyncio.gather(*(one(n, copy) for n in range(people) for copy in range(copies)))
    )
    await runtime.stop()
    sys.stdout.write(f"{json.dumps(answers)}\n")


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]),
            int(sys.argv[6]), Path(sys.argv[7]),
        )
    )  # fmt: skip
