"""T8 and T11: what an agent looks at, with a million messages in the store.

    python -m bench.inbox --messages 1000000 --database both

SQL: the inbox page, an agent's own list, a deep page, a dialog's last messages, the counters,
through the hub's own queries, rights and records included. HTTP: the same screens from the real
server. The raw limit of the run is reading 50 messages of a dialog by index through the driver
alone. T11 compares with a store of a tenth of the size, queries and the cost of writing, in the
same run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import select

from bench.figures import against, load, quantile, timed
from bench.house import House, house, open_of
from bench.served import Caller, Served, serve
from crm_store import dialog_counts
from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store.engine import make_engine
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import users
from crm_store.viewer import Reader, load_viewer
from hub import SYSTEM, Address, DialogQuery, InboundMessage
from hub.objects import Actor, ActorKind
from hub.runtime import system_now

SQL_GATE, SQL_GOAL = 5.0, 3.0
HTTP_GATE, HTTP_GOAL = 20.0, 12.0
GROWTH_GATE, GROWTH_GOAL = 1.5, 1.2
QUESTIONS = 300
Times = dict[str, list[float]]


def sql(one: House, questions: int) -> Times:
    """Ask the store what the screens ask it; milliseconds by name."""
    dice = random.Random(1)
    engine = make_engine(one.runtime().settings.database, writer=False)
    times: Times = {}
    with engine.connect() as conn, conn.begin():
        agents = list(conn.execute(select(users.c.id)).scalars())
        known = list(
            conn.execute(
                select(dialogs.c.id).order_by(dialogs.c.last_at.desc()).limit(20_000)
            ).scalars()
        )
        readers = [
            Reader(
                conn=conn,
                viewer=load_viewer(conn, Actor(kind=ActorKind.USER, id=agent)),
                now=system_now(),
            )
            for agent in agents
        ]
        deep = dialog_reads.page(readers[0], DialogQuery(view="everything", limit=200)).next
        mark = "?" if one.kind == "sqlite" else "%s"
        raw = f"SELECT * FROM messages WHERE dialog_id = {mark} ORDER BY at DESC, id DESC LIMIT 50"
        cursor = conn.connection.cursor()

        def bare(dialog_id: int) -> None:
            cursor.execute(raw, (dialog_id,))
            cursor.fetchall()

        for n in range(questions + 20):
            reader, dialog_id = dice.choice(readers), dice.choice(known)
            asked: dict[str, Callable[[], object]] = {
                "raw 50 messages": partial(bare, dialog_id),
                "inbox page": partial(dialog_reads.page, reader, DialogQuery(view="all", limit=50)),
                "agent's list": partial(dialog_reads.page, reader, DialogQuery(view="mine", limit=50)),
                "deep page": partial(
                    dialog_reads.page, reader, DialogQuery(view="everything", before=deep, limit=50)
                ),
                "dialog": partial(message_reads.thread, reader, dialog_id),
                "counters": partial(dialog_counts.counters, reader),
            }  # fmt: skip
            for name, call in asked.items():
                took = timed(call)
                if n >= 20:
                    times.setdefault(name, []).append(took)
        cursor.close()
    engine.dispose()
    return times


async def http(served: Served, questions: int) -> Times:
    """Ask the server for the screens, one request at a time."""
    dice = random.Random(2)
    callers = [Caller(served, one) for one in served.sessions]
    times: Times = {}
    for n in range(questions + 20):
        caller, dialog_id = dice.choice(callers), dice.choice(served.open_dialogs)
        asked = {
            "bare page": "/healthz",
            "inbox rows": "/inbox/rows?view=all",
            "agent's rows": "/inbox/rows?view=mine",
            "dialog": f"/inbox/dialog/{dialog_id}",
            "counters": "/inbox/counters",
        }
        for name, path in asked.items():
            began = time.perf_counter()
            await caller.call("GET", path)
            if n >= 20:
                times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    for caller in callers:
        caller.close()
    return times


async def writing(one: House, count: int) -> float:
    """Take messages in, fifty a commit, in a copy; microseconds each."""
    dice = random.Random(3)
    people = one.count // 20
    runtime = one.runtime()
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    account = (await hub.accounts())[0]
    took = []
    for start in range(0, count, 50):
        arrivals = [
            InboundMessage(
                dedupe_key=f"g{n}",
                external_id=f"g{n}",
                sender=Address(kind="bench", value=f"p{dice.randrange(people) // 3 * 3}"),
                text=f"{dice.choice(one.words['common'])} {dice.choice(one.words['1 in 300'])} "
                * 15,
            )
            for n in range(start, start + 50)
        ]
        began = time.perf_counter()
        await runtime.receive(account, arrivals)
        took.append((time.perf_counter() - began) / 50 * 1e6)
    await runtime.stop()
    return quantile(took, 0.5)


def table(title: str, times: Times) -> None:
    """Print one table."""
    print(title)
    for name, taken in times.items():
        print(f"  {name:18}{quantile(taken, 0.5):>9.2f}{quantile(taken, 0.95):>9.2f}")


def run(kind: str, count: int, questions: int) -> None:
    """Measure one database at the size and at a tenth of it."""
    with (
        house(kind, count) as large,
        house(kind, count // 10, large.cluster) as small,
        house(kind, count // 10, large.cluster, open_of(count)) as young,
    ):
        houses = {"small": small, "young": young, "large": large}
        found = {name: sql(one, questions) for name, one in houses.items()}
        for known, one in reversed(houses.items()):
            for name, taken in sql(one, questions).items():
                found[known][name] += taken
        with small.copy() as a, large.copy() as b:
            costs: dict[int, list[float]] = {small.count: [], large.count: []}
            for _ in range(3):
                for one in (a, b):
                    costs[one.count].append(asyncio.run(writing(one, 1500)))
            with serve(b, 20) as served:
                pages = asyncio.run(http(served, questions))
    table(
        f"{kind}, {count:,} messages: SQL, ms, p50 and p95 of {questions * 2}; {load()}",
        found["large"],
    )
    worst = max(
        quantile(taken, 0.95) for name, taken in found["large"].items() if "raw" not in name
    )
    print(f"T8 SQL, {kind}: slowest p95 {worst:.1f} ms {against(worst, SQL_GATE, SQL_GOAL, ' ms')}")
    table(f"{kind}, {count:,} messages: HTTP, ms, p50 and p95 of {questions}; {load()}", pages)
    worst = max(quantile(taken, 0.95) for name, taken in pages.items() if "bare" not in name)
    print(
        f"T8 HTTP, {kind}: slowest p95 {worst:.1f} ms {against(worst, HTTP_GATE, HTTP_GOAL, ' ms')}"
    )
    growth(kind, found, costs, count)


def growth(kind: str, found: dict[str, Times], costs: dict[int, list[float]], count: int) -> None:
    """Print T11."""
    small = count // 10
    for known, what in (
        ("young", f"{open_of(count):,} open dialogs in both"),
        ("small", f"with {open_of(small):,} and {open_of(count):,} open dialogs"),
    ):
        ratios = {
            name: quantile(taken, 0.95) / quantile(found[known][name], 0.95)
            for name, taken in found["large"].items()
            if "raw" not in name
        }
        name = max(ratios, key=lambda one: ratios[one])
        measured = against(ratios[name], GROWTH_GATE, GROWTH_GOAL) if known == "young" else ""
        print(
            f"T11 reading, {kind}, {small:,} to {count:,}, {what}: largest growth of a p95"
            f" {ratios[name]:.2f} ({name}) {measured}; all: "
            + ", ".join(f"{one} {ratio:.2f}" for one, ratio in ratios.items())
        )
    before, after = (quantile(costs[size], 0.5) for size in (small, count))
    ratio = after / before
    print(
        f"T11 writing, {kind}: {before:.0f} to {after:.0f} us a message, {ratio:.2f}"
        f" {against(ratio, GROWTH_GATE, GROWTH_GOAL)}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    for kind in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        run(kind, given.messages, given.questions)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
