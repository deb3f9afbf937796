"""T15: five hundred agents watch the inbox, a hundred messages a second come in.

    python -m bench.live --agents 500 --seconds 15

Each agent holds one event stream of the real server; the messages come through the webhook. The
figure is the time from the provider's request to the bytes in the agent's browser, over all
agents that were told (a row's newer state replaces an older one that still waits, so the newest
message of each flush counts). The raw limit of the same run: the same number of bare connections
of a bare asyncio server, each written once a flush. Agents, provider and server share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time

from bench.figures import against, load, quantile
from bench.house import house
from bench.served import Caller, Served, serve, webhook

GATE, GOAL = 500.0, 300.0
MARK = re.compile(r"stamp (\d{10,})")
PEOPLE = 300
FLUSH = b"x" * 2000 + b"\n"


async def watch(served: Served, session: str, told: list[float], end: float) -> int:
    """Read one agent's stream to the end of the run; gives how many rows came."""
    caller = Caller(served, session)
    stream = await caller.stream("/live")
    rows = 0
    try:
        while True:
            async with asyncio.timeout_at(end):
                line = (await stream.readuntil(b"\n")).decode()
            now = time.monotonic_ns()
            found = MARK.findall(line)
            rows += len(found)
            if found:
                told.extend((now - int(one)) / 1e6 for one in found)
    except TimeoutError:
        return rows
    finally:
        caller.close()


async def pour(served: Served, per_second: int, seconds: float) -> tuple[int, list[float]]:
    """Send messages by the clock through eight connections; gives how many and how long each took."""
    callers = [Caller(served) for _ in range(8)]
    dice = random.Random(5)
    queue: asyncio.Queue[int] = asyncio.Queue()
    took: list[float] = []

    async def send(caller: Caller) -> None:
        while (n := await queue.get()) >= 0:
            path = served.hooks[n % len(served.hooks)]
            # The instant stands first, so that the list's preview shows it.
            text = f"stamp {time.monotonic_ns()} когда привезут заказ номер {n}?"
            began = time.perf_counter()
            await webhook(caller, path, f"live{n}-{began}", f"live{dice.randrange(PEOPLE)}", text)
            took.append((time.perf_counter() - began) * 1000)

    senders = [asyncio.create_task(send(one)) for one in callers]
    began = time.monotonic()
    count = 0
    while (passed := time.monotonic() - began) < seconds:
        while count < passed * per_second:
            queue.put_nowait(count)
            count += 1
        await asyncio.sleep(0.005)
    for _ in senders:
        queue.put_nowait(-1)
    await asyncio.gather(*senders)
    for one in callers:
        one.close()
    return count, took


async def raw_limit(agents: int, seconds: float) -> float:
    """Write to so many bare connections ten times a second; p95 of the delay in ms."""
    writers: list[asyncio.StreamWriter] = []
    delays: list[float] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**20)
    port = server.sockets[0].getsockname()[1]
    ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(agents)]

    async def read(reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            stamp = line.partition(b" ")[0]
            delays.append((time.monotonic_ns() - int(stamp)) / 1e6)

    readers = [asyncio.create_task(read(reader)) for reader, _ in ends]
    while len(writers) < agents:
        await asyncio.sleep(0.01)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stamp = str(time.monotonic_ns()).encode() + b" " + FLUSH
        for writer in writers:
            writer.write(stamp)
        await asyncio.sleep(0.1)
    for task in readers:
        task.cancel()
    for _, writer in ends:
        writer.transport.abort()
    server.close()
    return quantile(delays, 0.95)


async def measure(served: Served, agents: int, per_second: int, seconds: float) -> None:
    """Measure and print."""
    raw = await raw_limit(agents, 3)
    told: list[float] = []
    end = asyncio.get_running_loop().time() + seconds + 6
    watching = []
    for n in range(agents):
        session = served.sessions[n % len(served.sessions)]
        watching.append(asyncio.create_task(watch(served, session, told, end)))
        if n % 20 == 19:
            await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    count, took = await pour(served, per_second, seconds)
    rows = await asyncio.gather(*watching)
    p95 = quantile(told, 0.95)
    print(
        f"T15: {agents} agents, {count} messages in {seconds:g} s: to the browser p50"
        f" {quantile(told, 0.5):.0f} ms, p95 {p95:.0f} ms {against(p95, GATE, GOAL, ' ms')};"
        f" slowest agent saw {min(rows)} rows, the quickest {max(rows)};"
        f" webhook p95 {quantile(took, 0.95):.0f} ms; bare sockets p95 {raw:.0f} ms; {load()}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--per-second", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--messages", type=int, default=100_000, help="in the store before")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    for kind in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        with (
            house(kind, given.messages) as one,
            one.copy() as changed,
            serve(changed, given.agents) as served,
        ):
            print(kind, end=" ")
            asyncio.run(measure(served, given.agents, given.per_second, given.seconds))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
