"""How far the engine of rules is behind at a steady rate, and what 100,000 waiting timers cost.

    python -m bench.rules --only load --database sqlite

The lag is measured at an open rate: batches of ten come every fiftieth of a second whether or not
the engine has caught up, and each counts from the instant at which it should have come until the
engine's place has passed it. The yardsticks of the same run are the raw database on the same disk:
a bare durable commit of one row (the way from a message to its run is two commits, the intake's
and the run's), and a bare query of the same due rows by their index, in the driver's own words.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert, select
from sqlalchemy.engine import make_url

from crm_store.journal import last_event
from crm_store.tables.rules import rule_timers
from crm_store.viewer import Reader, Viewer
from hub.rule_engine import TIMERS, RuleEngine
from tests.houses import message
from triggers import timer_rows

RATE, BATCH, SECONDS = 200, 10, 5.0
WAITING, DUE = 100_000, 500
LOOKS = 50
_ROWS = (
    "SELECT * FROM rule_timers WHERE {held} AND due_at <= {mark} ORDER BY due_at, id LIMIT {mark}"
)


class Bare:
    """The same database without the hub: one connection of the driver."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self.sqlite = parts.get_backend_name() == "sqlite"
        if self.sqlite:
            self.conn: Any = sqlite3.connect(str(parts.database), isolation_level=None, timeout=30)
            self.conn.execute("PRAGMA synchronous = FULL")
        else:
            plain = parts.set(drivername="postgresql").render_as_string(hide_password=False)
            self.conn = psycopg.connect(plain, autocommit=True)
        self.conn.execute("CREATE TABLE IF NOT EXISTS bare_commits (id BIGINT, word TEXT)")

    def commit(self) -> None:
        """Commit one row, durably."""
        self.conn.execute("INSERT INTO bare_commits VALUES (1, 'a row of a few words')")

    def due(self, now: int, limit: int) -> int:
        """Read what is due, as rows."""
        held, mark = ("held = 0", "?") if self.sqlite else ("NOT held", "%s")
        found = self.conn.execute(_ROWS.format(held=held, mark=mark), (now, limit))
        return len(found.fetchall())

    def close(self) -> None:
        """Leave nothing behind."""
        self.conn.execute("DROP TABLE bare_commits")
        self.conn.close()


def median_ms(work: Callable[[], object], times: int = LOOKS) -> float:
    """Give how long something takes, in milliseconds, the middle of so many times."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000


def resident_mb() -> float:
    """Give the memory of this process, in megabytes; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    text = status.read_text() if status.exists() else ""
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


async def load(home: Any, engine: RuleEngine, url: str, words: list[str]) -> None:
    """Print the lag and the timers."""
    bare = Bare(url)
    try:
        await lag(home, engine, bare, words)
        await pending(home, engine, bare)
    finally:
        bare.close()


async def lag(home: Any, engine: RuleEngine, bare: Bare, words: list[str]) -> None:
    """Messages at 200 a second, each of which fires a rule, and how far the engine is behind."""
    commit = median_ms(bare.commit, 200)
    stop = asyncio.Event()
    waiting: list[tuple[int, float]] = []
    behind: list[float] = []

    async def work() -> None:
        while not stop.is_set():
            busy = await engine.step()
            now = time.perf_counter()
            while waiting and waiting[0][0] <= engine.place:
                behind.append(now - waiting.pop(0)[1])
            if not busy:
                await asyncio.sleep(0.002)

    task = asyncio.create_task(work())
    count = int(RATE * SECONDS) // BATCH
    begun = time.perf_counter()
    for n in range(count):
        planned = begun + n * BATCH / RATE
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        got = [
            message(f"l{n}-{k}", f"q{n}-{k}", text=f"hi {words[(n * BATCH + k) % 1000]}")
            for k in range(BATCH)
        ]
        await home.receive(*got)
        waiting.append((await home.runtime.database.read(last_event), planned))
    took = time.perf_counter() - begun
    end = time.perf_counter() + 30
    while waiting and time.perf_counter() < end:
        await asyncio.sleep(0.01)
    stop.set()
    await task
    if waiting:
        print(f"     lag: {len(waiting)} of {count} batches were not judged half a minute later")
    if not behind:
        return
    behind.sort()
    middle, late = (behind[int(len(behind) * part)] * 1000 for part in (0.5, 0.95))
    print(
        f"     lag at {count * BATCH / took:.0f} messages a second: p50 {middle:.0f} ms, "
        f"p95 {late:.0f} ms, most {behind[-1] * 1000:.0f} ms; a bare commit {commit:.2f} ms, "
        f"p50 against two of them {middle / max(2 * commit, 0.001):.1f}"
    )


async def pending(home: Any, engine: RuleEngine, bare: Bare) -> None:
    """100,000 timers wait: a look at them, finding those that are due, and the memory it takes."""
    first = next(iter(engine.book.rules)) if engine.book else 0
    far = home.world.now() + 10**12

    def fill(count: int, due: int, start: int) -> None:
        with home.runtime.database.administer() as conn:
            rows = [
                {"id": start + n, "rule_id": first, "kind": "step", "slot": f"s{start + n}",
                 "episode": f"e{start + n}", "due_at": due + n, "data": {}, "cancel_on": ",closed,"}
                for n in range(count)
            ]  # fmt: skip
            for begin in range(0, len(rows), 2000):
                conn.execute(insert(rule_timers), rows[begin : begin + 2000])

    await asyncio.to_thread(fill, WAITING, far, 1)
    before = resident_mb()
    looks = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        await engine.step()
        looks.append(time.perf_counter() - begun)
    assert await home.runtime.database.read(
        lambda conn: conn.execute(select(rule_timers.c.id).limit(1)).first()
    )
    print(
        f"     {WAITING:,} timers wait: a look takes {statistics.median(looks) * 1000:.2f} ms, "
        f"memory +{max(0.0, resident_mb() - before):.1f} MB of {before:.0f} MB"
    )
    # Some are due a while from now: all that is measured is to find them.
    soon = home.world.now() + 10**9
    await asyncio.to_thread(fill, DUE, soon, WAITING + 1)
    now = soon + DUE
    rules = list(engine.book.rules) if engine.book else []

    def found(conn: Any) -> float:
        reader = Reader(conn=conn, viewer=Viewer.system(), now=now, nouns=home.runtime.nouns)
        assert len(timer_rows.due(reader, rules, now, TIMERS)) == TIMERS
        return median_ms(lambda: timer_rows.due(reader, rules, now, TIMERS))

    ours: float = await home.runtime.database.read(found)
    assert bare.due(now, TIMERS) == TIMERS
    raw = median_ms(lambda: bare.due(now, TIMERS))
    print(
        f"     the {TIMERS} that are due longest of {DUE}, beside {WAITING:,}: {ours:.2f} ms as "
        f"records, {raw:.2f} ms as rows of the driver, ratio {ours / max(raw, 0.001):.1f}"
    )
