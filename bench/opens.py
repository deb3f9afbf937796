"""What an opened letter costs: the count of it, and the fact that rules and webhooks hear of.

    python -m bench.opens --opens 20000 --database both

Letters that left are opened by people, fifty at a time, once as machines do it, which is counted and
no fact, and once as people do it, which is one. The difference is what the fact costs: milliseconds
of processor, bytes of the database, rows of the journal. Then everything is carried through the relay
to a plugin that wants these facts. Raw limit of the same run: facts read from the journal in one walk.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, text, update

from bench.figures import load
from bench.mailing import make_people, queued
from bench.stores import CHOICES, stores
from channels import email as email_plugin
from crm_store.engine import make_engine
from crm_store.journal import events_after
from crm_store.tables.journal import journal
from crm_store.tables.outbox import deliveries
from hub import SYSTEM, CreateAccount, MailingOpened, TouchMany, hookimpl
from hub.commands import MoveCursor
from hub.ids import EventId
from hub.plugin_host import PluginHost
from hub.relay import Relay
from hub.runtime import Runtime
from hub.settings import HubSettings

AT_ONCE = 50


class Listener:
    """A plugin that hears of every opened letter."""

    __name__ = "bench_listener"

    def __init__(self) -> None:
        self.heard = 0

    @hookimpl
    async def event_occurred(self, hub: object, events: Sequence[object]) -> None:
        """Count what was opened."""
        self.heard += sum(isinstance(one, MailingOpened) for one in events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What so many opens took: processor time and bytes of each, and how many a second."""

    pace: float
    used_us: float
    size: float


def size_of(conn: Connection) -> int:
    """Give how many bytes the database takes."""
    if conn.dialect.name == "postgresql":
        names = "'journal', 'many_touches'"
        question = f"SELECT sum(pg_total_relation_size(x::regclass)) FROM unnest(ARRAY[{names}]) x"
        return int(conn.execute(text(question)).scalar_one())
    pages = conn.execute(text("PRAGMA page_count")).scalar_one()
    free = conn.execute(text("PRAGMA freelist_count")).scalar_one()
    return int((pages - free) * conn.execute(text("PRAGMA page_size")).scalar_one())


async def open_all(runtime: Runtime, ids: Sequence[int], *, machine: bool) -> Cost:
    """Open letters, so many at once as browsers do; gives the cost of one."""
    hub = runtime.handle(SYSTEM)
    before = await runtime.database.read(size_of)
    began, used = time.perf_counter(), time.process_time()
    for start in range(0, len(ids), AT_ONCE):
        await asyncio.gather(
            *(
                hub.do(TouchMany(delivery_id=one, n=0, machine=machine))
                for one in ids[start : start + AT_ONCE]
            )
        )
    took, used = time.perf_counter() - began, time.process_time() - used
    after = await runtime.database.read(size_of)
    return Cost(
        pace=len(ids) / took, used_us=used / len(ids) * 1e6, size=(after - before) / len(ids)
    )


def gone(runtime: Runtime) -> list[int]:
    """Say that all letters left, and give them."""
    engine = make_engine(runtime.settings.database, writer=True)
    with engine.begin() as conn:
        conn.execute(update(deliveries).values(status="sent", sent_at=runtime.now()))
        found = list(conn.execute(select(deliveries.c.id).order_by(deliveries.c.id)).scalars())
    engine.dispose()
    return found


async def carried(runtime: Runtime, listener: Listener, count: int) -> float:
    """Carry every opening to the plugin, from the journal's beginning; gives facts a second."""
    # A plugin that is new would begin now.
    await runtime.handle(SYSTEM).do(MoveCursor(name="plugin:listener", event_id=EventId(0)))
    relay = asyncio.create_task(Relay(runtime).run())
    began = time.perf_counter()
    while listener.heard < count:
        await asyncio.sleep(0.02)
    took = time.perf_counter() - began
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    return count / took


def read_through(runtime: Runtime, conn: Connection) -> float:
    """The raw limit: the journal read in one walk; gives facts a second."""
    began, after, count = time.perf_counter(), 0, 0
    while True:
        events, last = events_after(conn, runtime.feed.registry, after, 500)
        if last == after:
            return count / (time.perf_counter() - began)
        after, count = last, count + len(events)


async def measure(kind: str, url: str, folder: Path, count: int) -> None:
    """Measure one database."""
    host, listener = PluginHost(), Listener()
    host.add("email", email_plugin)
    host.add("listener", listener)
    runtime = Runtime(
        HubSettings(data=folder, database_url=url, hold_after_hours=1e6), plugins=host
    )
    runtime.migrate()
    await runtime.start()
    settings = {
        "address": "shop@hub.example", "imap_host": "127.0.0.1", "smtp_host": "127.0.0.1",
        "smtp_security": "none", "smtp_login": False,
    }  # fmt: skip
    command = CreateAccount(channel="email", title="Mail", settings=settings)
    (account,) = await runtime.handle(SYSTEM).do(command)
    await queued(runtime, account, make_people(runtime, 2 * count))
    letters = gone(runtime)
    rows = select(func.count()).select_from(journal)
    counted = await open_all(runtime, letters[:count], machine=True)
    before = await runtime.database.read(lambda conn: conn.execute(rows).scalar_one())
    told = await open_all(runtime, letters[count:], machine=False)
    after = await runtime.database.read(lambda conn: conn.execute(rows).scalar_one())
    raw = await runtime.database.read(lambda conn: read_through(runtime, conn))
    pace = await carried(runtime, listener, count)
    for name, one in (("counted only", counted), ("counted and told", told)):
        print(f"{kind:10} {name:16}: {one.pace:6.0f} opens/s, {one.used_us / 1000:.2f} ms of "
              f"processor and {one.size:.0f} bytes an open")  # fmt: skip
    print(f"{kind:10} the fact alone: {(told.used_us - counted.used_us) / 1000:.2f} ms, "
          f"{told.size - counted.size:.0f} bytes, {(after - before) / count * 100_000:.0f} rows of "
          f"the journal per 100,000 opens; relay {pace:.0f} facts/s, {pace / raw:.2f} of {raw:.0f} "
          "read in one walk")  # fmt: skip
    await runtime.stop()


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opens", type=int, default=20_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    given = parser.parse_args()
    print(load())
    for kind, url, folder in stores(given.database, "opens"):
        asyncio.run(measure(kind, url, folder, given.opens))
    print(load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
