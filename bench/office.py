"""T16: fifty agents at work and twenty messages a second, on the embedded store.

    python -m bench.office --messages 1000000 --seconds 30

Every agent holds an event stream and, with pauses like a quick person's, looks at the list, opens
a dialog, marks it read, looks at the counters and answers; customers write twenty messages a second
through the webhook. The figure is the p95 of all the agents' requests. The raw limit of the same
run is `/healthz` asked by one more connection meanwhile, which shows how long the busy machine
keeps anybody waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import re
import sys
import time

from bench.figures import against, load, quantile
from bench.house import house
from bench.live import pour, watch
from bench.served import Caller, Served, serve

GATE, GOAL = 100.0, 50.0
PAUSE = (0.5, 2.5)
Times = dict[str, list[float]]


async def agent(served: Served, number: int, times: Times, end: float) -> None:
    """Work until the end, one dialog after another."""
    dice = random.Random(number)
    caller = Caller(served, served.sessions[number])

    async def ask(name: str, method: str, path: str, body: object = None) -> bytes:
        began = time.perf_counter()
        answer = await caller.call(method, path, body)
        times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(dice.uniform(*PAUSE) / 5)
        return answer

    await asyncio.sleep(dice.uniform(*PAUSE))
    for n in itertools.count():
        if time.monotonic() > end:
            break
        dialog_id = dice.choice(served.open_dialogs)
        await ask("list", "GET", "/inbox/rows?view=all")
        page = await ask("dialog", "GET", f"/inbox/dialog/{dialog_id}")
        newest = re.findall(rb'data-message="(\d+)"', page)[-1].decode()
        await ask("read", "POST", "/do/read", {"dialog": str(dialog_id), "message": newest})
        await ask("counters", "GET", "/inbox/counters")
        if n % 2:
            body = {"dialog": str(dialog_id), "text": "Добрый день! Отправим завтра.",
                    "key": f"a{number}-{n}"}  # fmt: skip
            await ask("answer", "POST", "/do/send", body)
        await asyncio.sleep(dice.uniform(*PAUSE))
    caller.close()


async def idle(served: Served, times: list[float], end: float) -> None:
    """Ask for nothing, ten times a second."""
    caller = Caller(served)
    while time.monotonic() < end:
        began = time.perf_counter()
        await caller.call("GET", "/healthz")
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.1)
    caller.close()


async def measure(served: Served, agents: int, per_second: int, seconds: float) -> None:
    """Measure and print."""
    times: Times = {}
    bare: list[float] = []
    told: list[float] = []
    loop = asyncio.get_running_loop()
    watching = [
        asyncio.create_task(watch(served, served.sessions[n], told, loop.time() + seconds + 4))
        for n in range(agents)
    ]
    await asyncio.sleep(1)
    end = time.monotonic() + seconds
    pouring = asyncio.create_task(pour(served, per_second, seconds))
    await asyncio.gather(
        pouring,
        idle(served, bare, end),
        *(agent(served, n, times, end) for n in range(agents)),
    )
    _, hooks = pouring.result()
    await asyncio.gather(*watching)
    together = [one for taken in times.values() for one in taken]
    for name, taken in times.items():
        print(
            f"  {name:10}{len(taken):>6}{quantile(taken, 0.5):>9.1f}{quantile(taken, 0.95):>9.1f}"
        )
    p95 = quantile(together, 0.95)
    print(
        f"T16: {agents} agents, {per_second} messages/s: HTTP p50 {quantile(together, 0.5):.0f} ms, p95"
        f" {p95:.0f} ms of {len(together)} {against(p95, GATE, GOAL, ' ms')}; webhook p95"
        f" {quantile(hooks, 0.95):.0f} ms; live p95 {quantile(told, 0.95):.0f} ms;"
        f" /healthz meanwhile p95 {quantile(bare, 0.95):.0f} ms; {load()}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--per-second", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the store before")
    given = parser.parse_args()
    with (
        house("sqlite", given.messages) as one,
        one.copy() as changed,
        serve(changed, given.agents) as served,
    ):
        asyncio.run(measure(served, given.agents, given.per_second, given.seconds))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
