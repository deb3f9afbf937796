"""Segments and mailings of a million people: counted, walked through, put into the outbox, sent.

    python -m bench.segments --people 1000000 --database both

A house of a hundredth of the size and one of the full size are measured in the same run: what each
person costs must not grow with the house (T11: 1.5 is the gate), and the process's memory must not
grow with the audience. Beside the clock stands the processor time of the process (with SQLite its
database is in it), by which growth can be told on a busy machine. Raw limits of the same run: the bare count, and the bare walk by key through
people with their addresses. The mailing is the plugin's own, turn by turn; its messages go through
the dispatcher into a channel that takes them at once, `--sent` of them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, text

import plugins.mailings
from bench import bench_channel
from bench.figures import load, quantile, verdict
from bench.house import DURABLE
from bench.mailing import make_people
from bench.rule_load import resident_mb
from crm_store import segments
from crm_store.engine import make_engine
from hub import (
    SYSTEM,
    Capabilities,
    CreateAccount,
    OutboundMessage,
    RefreshSegment,
    SaveSegment,
    Sent,
)
from hub.dispatcher import Dispatcher
from hub.handle import BoundHub
from hub.objects import Actor, ActorKind
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from plugins.mailings import sending
from plugins.mailings.commands import SaveMailing
from plugins.mailings.doing import mailing_of, send
from tests.servers.postgres import Postgres

RUSSIAN = {"field": "contact.language", "operator": "equals", "value": "ru"}
GATE, GOAL = 1.5, 1.2
COUNTS = 5
RAW = {
    "everybody": "SELECT count(*) FROM contacts WHERE deleted_at = 0",
    "russian": "SELECT count(*) FROM contacts WHERE deleted_at = 0 AND language_folded = 'ru'",
}
RAW_WALK = (
    "SELECT contacts.id, contacts.name, contacts.time_zone, addresses.id, addresses.value FROM contacts"
    " JOIN addresses ON addresses.contact_id = contacts.id WHERE contacts.id > :after"
    " AND contacts.deleted_at = 0 ORDER BY contacts.id LIMIT 500"
)


class Post(bench_channel.BenchChannel):
    """Takes everything at once, and counts it."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="bench", initiates=True, rate_per_second=5_000.0
    )
    taken = 0

    async def send(self, message: OutboundMessage) -> Sent:
        """Take a message as sent."""
        type(self).taken += 1
        return await super().send(message)


class Took(NamedTuple):
    """Seconds by the clock, and of the processor."""

    clock: float
    processor: float


class Watch:
    """Tells what was taken since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> Took:
        """Give it."""
        clock, processor = self._began
        return Took(time.perf_counter() - clock, time.process_time() - processor)


@dataclass
class Figures:
    """What one house gave: microseconds of each person, by what was done."""

    people: int
    costs: dict[str, Took] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)

    def note(self, name: str, took: Took, people: int, raw: float = 0.0) -> None:
        """Keep a figure and print it; `raw` is the processor's seconds of the raw limit."""
        each = Took(*(one / people * 1e6 for one in took))
        self.costs[name] = each
        beside = f", {took.processor / raw:.1f} of the raw limit's" if raw else ""
        print(f"  {self.people:>9,} {name:34} {each.clock:9.2f} us a person by the clock, "
              f"{each.processor:9.2f} of the processor{beside}", flush=True)  # fmt: skip

    def sample(self) -> None:
        """Look how much memory the process has."""
        self.memory.append(resident_mb())


async def counted(runtime: Runtime, hub: BoundHub, one: Figures) -> dict[str, int]:
    """Make segments and count them; gives their ids."""
    (everybody,) = await hub.do(SaveSegment(name="Everybody"))
    (russian,) = await hub.do(SaveSegment(name="Russian", filter=RUSSIAN, watched=True))
    (rest,) = await hub.do(SaveSegment(name="Rest", any_of=(everybody,), not_in=(russian,)))
    made = {"everybody": everybody, "russian": russian, "everybody without russian": rest}
    for name, number in made.items():
        segment = await hub.read(segments.one, number)
        took = min([await _timed(hub.read(segments.count, segment)) for _ in range(COUNTS)])
        raw = 0.0
        if name in RAW:
            question = text(RAW[name])
            bare = lambda conn, q=question: conn.execute(q).scalar_one()  # noqa: E731
            raw = min([await _timed(runtime.database.read(bare)) for _ in range(COUNTS)]).processor
        one.note(f"count {name}", took, one.people, raw)
    whole = await hub.read(segments.one, everybody)
    one.note("reach by a channel, with reasons",
             await _timed(hub.reach(whole, channel="bench", topic="news")), one.people)  # fmt: skip
    return made


async def _timed(waited: Any) -> Took:
    watch = Watch()
    await waited
    return watch.read()


async def built(runtime: Runtime, hub: BoundHub, made: dict[str, int], one: Figures) -> None:
    """Walk through a segment as a mailing does, and look at a watched one for the first time."""
    everybody = await hub.read(segments.one, made["everybody"])
    after, seen, watch = 0, 0, Watch()
    while people := await hub.audience(everybody, channel="bench", after=after):
        after, seen = people[-1].contact_id, seen + len(people)
    took = watch.read()
    raw = await runtime.database.read(bare_walk)
    one.note("walk through everybody", took, seen, raw)
    one.sample()
    after, entered, turns, watch = 0, 0, 0, Watch()
    while after or not turns:
        turns += 1
        ((came, _, after),) = await hub.do(RefreshSegment(segment_id=made["russian"], after=after))
        entered += came
    one.note("first look at a watched one", watch.read(), one.people)
    assert entered == (one.people + 3) // 4
    one.sample()


def bare_walk(conn: Connection) -> float:
    """Give the processor's seconds of the raw limit."""
    after, watch = 0, Watch()
    while rows := conn.execute(text(RAW_WALK), {"after": after}).all():
        after = rows[-1][0]
    return watch.read().processor


async def mailed(
    runtime: Runtime, hub: BoundHub, made: dict[str, int], one: Figures, count: int
) -> None:
    """Fill the outbox by the plugin's turns, and let the dispatcher send so many of it."""
    (account,) = await runtime.handle(SYSTEM).do(
        CreateAccount(channel="bench", title="Post", settings={})
    )
    plan = {
        "segment_id": str(made["everybody"]), "accounts": [str(account)], "topic": "news",
        "variants": [{"text": "Hello, {{ contact.first_name }}!"}], "fail_percent": 20,
    }  # fmt: skip
    (number,) = await hub.do(SaveMailing(title="To everybody", plan=plan))
    watch = Watch()
    await send(hub, await mailing_of(hub, str(number)), typed=str(one.people))
    one.note("checked and begun", watch.read(), one.people)
    turns: list[Took] = []
    while (await mailing_of(hub, str(number))).state in ("scheduled", "filling"):
        turns.append(await _timed(sending.tick(hub, {})))
        one.sample()
    one.note("put into the outbox", Took(*map(sum, zip(*turns, strict=True))), one.people)
    if len(turns) > 8:
        spent = [turn.processor for turn in turns]
        print(f"  {one.people:>9,} the last turns against the first, processor: "
              f"{statistics.median(spent[-5:-1]) / statistics.median(spent[:4]):.2f}")  # fmt: skip
    Post.taken, watch = 0, Watch()
    carrying = asyncio.create_task(Dispatcher(runtime).run())
    count = min(count, one.people)
    for part in range(1, 11):
        while Post.taken < count * part // 10:
            await asyncio.sleep(0.01)
        one.sample()
    sending_took = watch.read()
    carrying.cancel()
    await asyncio.gather(carrying, return_exceptions=True)
    one.note("sent", sending_took, count)


async def measure(url: str, folder: Path, people: int, sent: int) -> Figures:
    """Measure one house."""
    host = PluginHost()
    host.add("bench", bench_channel.plugin(Post))
    host.add("mailings", plugins.mailings)
    runtime = Runtime(
        HubSettings(data=folder, database_url=url, hold_after_hours=1e6,
                    public_url="https://hub.example"),
        plugins=host,
    )  # fmt: skip
    runtime.migrate()
    await runtime.start()
    make_people(runtime, people, kind="bench")
    engine = make_engine(runtime.settings.database, writer=True)
    with engine.connect() as conn, conn.begin():
        conn.execute(text("ANALYZE" if url else "PRAGMA optimize=0x10002"))
    engine.dispose()
    one = Figures(people=people)
    hub = runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    made = await counted(runtime, hub, one)
    one.sample()
    await built(runtime, hub, made, one)
    await mailed(runtime, hub, made, one, sent)
    await runtime.stop()
    early = quantile(one.memory[:4], 0.5)
    print(f"  {people:>9,} memory: {early:.0f} MB at first, at most {max(one.memory):.0f}, "
          f"{one.memory[-1]:.0f} at the end, {len(one.memory)} samples", flush=True)  # fmt: skip
    return one


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--sent", type=int, default=50_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    print(load(), flush=True)
    kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    for kind in kinds:
        print(kind)
        found = []
        for people in (given.people // 100, given.people):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                url = ""
                if kind == "postgresql":
                    server = stack.enter_context(Postgres(DURABLE))
                    url = server.cluster.create_database("segments")
                found.append(asyncio.run(measure(url, folder / "data", people, given.sent)))
        small, large = found
        for name, cost in large.costs.items():
            clock, grown = (now / was for now, was in zip(cost, small.costs[name], strict=True))
            print(f"  growth of {name:34} {clock:.2f} by the clock, {grown:.2f} of the processor "
                  f"{verdict(grown, GATE, GOAL)}")  # fmt: skip
    print(load(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
