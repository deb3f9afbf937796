"""A hub that carries a mailing until it is killed or has finished: a process of its own.

`python -m tests.scenarios.crash.many_child FOLDER URL PEOPLE RUN WORKER`. Whoever is reached is a
line of the file `reached.WORKER`. Each run is minutes later by the clock, so that every lease of the
dead is over. While a file `hold` lies in the folder it waits. It says `finished` when nothing waits any more.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

import plugins.mailings
from crm_store.engine import make_engine
from crm_store.tables.consents import consents
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses, contacts
from hub import SYSTEM, Actor, ActorKind, CreateAccount, OutboundMessage, SaveSegment
from hub.ids import IdMaker
from hub.runtime import Runtime
from hub.workers import Workers
from plugins.mailings.commands import SaveMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.results import funnel_of, state_of
from tests.houses import US, World, build

STEP_US = 300 * US


class Reached(list[OutboundMessage]):
    """The far side: a line per letter, written before anybody is told."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(self, message: OutboundMessage) -> None:
        os.write(self._file, f"{message.to.value}\n".encode())


class Slowly(list[Any]):
    """Every call takes its time, so that a kill finds some under way."""

    def __bool__(self) -> bool:
        return True

    def pop(self, index: Any = -1) -> Any:
        async def outcome(_: object) -> None:
            await asyncio.sleep(0.004)

        return outcome


def people(runtime: Runtime, count: int) -> None:
    """Put people with consent straight into the tables."""
    engine = make_engine(runtime.settings.database, writer=True)
    make = IdMaker(500, runtime.now)
    now = runtime.now()
    with engine.begin() as conn:
        for start in range(0, count, 5_000):
            rows = [(make(), make(), n) for n in range(start, min(count, start + 5_000))]
            conn.execute(insert(contacts), [{"id": a, "name": f"P{n}"} for a, _, n in rows])
            conn.execute(
                insert(addresses),
                [{"id": b, "contact_id": a, "kind": "email", "value": f"p{n}@x.example"}
                 for a, b, n in rows],
            )  # fmt: skip
            conn.execute(
                insert(consents),
                [{"contact_id": a, "channel": "", "topic": "", "state": "given", "at": now}
                 for a, _, _ in rows],
            )  # fmt: skip
    engine.dispose()


async def first(runtime: Runtime, count: int) -> None:
    """Begin the mailing."""
    hub = runtime.handle(SYSTEM)
    (account,) = await hub.do(CreateAccount(channel="letter", title="Letters"))
    await asyncio.to_thread(people, runtime, count)
    (segment,) = await hub.do(SaveSegment(name="Everybody"))
    own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    # It may pause itself at too many failures: kills leave unknown ones behind, and are none.
    plan = {
        "segment_id": str(segment), "accounts": [str(account)],
        "variants": [{"subject": "News", "text": "Hello, {{ contact.first_name }}"}],
    }  # fmt: skip
    (number,) = await own.do(SaveMailing(title="Spring", plan=plan))
    await send(own, await mailing_of(own, str(number)), str(count))
    (Path(sys.argv[1]) / "mailing").write_text(str(number))


async def main(folder: Path, url: str, count: int, run: int, worker: str) -> None:
    """Carry."""
    world = World(offset_us=run * STEP_US)
    world.sent = Reached(folder / f"reached.{worker}")
    world.outcomes = Slowly()
    runtime = build(folder, url, world, (("mailings", plugins.mailings),))
    runtime.migrate()
    await runtime.start()
    if not (folder / "mailing").exists():
        await first(runtime, count)
    print("ready", flush=True)
    while (folder / "hold").exists():
        await asyncio.sleep(0.02)
    workers = Workers(runtime)
    workers.start()
    own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    number = (folder / "mailing").read_text()
    while True:
        await asyncio.sleep(0.2)
        try:
            mailing = await mailing_of(own, number)
            funnel = await funnel_of(own, mailing)
        except OperationalError:
            continue  # The database is being killed.
        if state_of(mailing, funnel) == "finished":
            break
    rows = await runtime.database.read(
        lambda conn: conn.execute(
            select(addresses.c.value, deliveries.c.status)
            .join(addresses, addresses.c.id == deliveries.c.address_id)
            .where(deliveries.c.send_id > 0)
        ).all()
    )
    (folder / "ended").write_text("\n".join(f"{row.value} {row.status}" for row in rows))
    print("finished", flush=True)
    await workers.stop()
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    )
