"""T14: from the start command to ready on an existing database, and idle memory.

    python -m bench.start --rounds 5 --database both

Every channel that is installed has an account. The raw limit of the same run is an interpreter
that only imports the web server and the database library. Rounds are interleaved. Memory is the
resident set, shared libraries included, some seconds after it is ready.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.servers.postgres import Postgres

GATE_SECONDS, GOAL_SECONDS = 4.0, 2.0
GATE_MB, GOAL_MB = 250, 150
BARE = "import uvicorn, sqlalchemy"
SETTLE_SECONDS = 12.0
"""Long enough that the API, which is made some seconds after the start, is in the figure."""


def environment(data: Path, url: str) -> dict[str, str]:
    # Where bytecode may not be kept, every start would compile the hub anew.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HUB_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {"HUB_DATA": str(data), "HUB_DATABASE_URL": url, "HUB_LOG_LEVEL": "error"}


def bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE], check=True)
    return time.perf_counter() - started


def bare_memory() -> float:
    """The same interpreter kept waiting, to be looked at."""
    code = f"{BARE}\nimport sys\nprint(flush=True)\nsys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    found = memory(process.pid)
    process.communicate()
    return found


def memory(pid: int) -> float:
    """Resident megabytes of a process."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def start(data: Path, url: str, *, settle: bool) -> tuple[float, float]:
    """Give the seconds until ready, and the idle memory (0 where nobody waits for it)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "run", "--port", str(port)],
        env=environment(data, url),
        stdout=subprocess.DEVNULL,
    )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - started > 60:
                raise SystemExit("the hub did not start")
            time.sleep(0.005)
        took = time.perf_counter() - started
        used = 0.0
        if settle:
            time.sleep(SETTLE_SECONDS)
            used = memory(process.pid)
        return took, used
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def furnish(data: Path, url: str) -> list[str]:
    """Make the existing database: the demo company, and an account of every other channel."""
    code = """
import asyncio
from hub import SYSTEM, CreateAccount, HubError
from hub.demo import seed
from hub.runtime import Runtime
from hub.settings import HubSettings
settings = HubSettings.load()
Runtime(settings).migrate()
asyncio.run(seed(settings))
async def connect():
    runtime = Runtime(settings)
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    known = {one.channel for one in await hub.accounts()}
    for name in sorted(set(runtime.channels) - known):
        try:
            await hub.do(CreateAccount(channel=name, title=name))
            known.add(name)
        except HubError:
            # It needs an address of its own; its code is loaded all the same.
            pass
    print(*sorted(runtime.channels))
    await runtime.stop()
asyncio.run(connect())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(data, url),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def run(kind: str, rounds: int) -> None:
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = ""
        if kind == "postgres":
            server = stack.enter_context(Postgres())
            url = server.cluster.create_database("bench_start")
        channels = furnish(data, url)
        start(data, url, settle=False)
        ready, raw = [], []
        for _ in range(rounds):
            raw.append(bare())
            ready.append(start(data, url, settle=False)[0])
        used, least = start(data, url, settle=True)[1], bare_memory()
    middle, limit = statistics.median(ready), statistics.median(raw)
    print(
        f"T14 start, {kind}: ready after {middle:.2f} s (slowest {max(ready):.2f}),"
        f" {middle / limit:.1f}x of {BARE!r} ({limit:.2f} s);"
        f" gate {GATE_SECONDS} s, goal {GOAL_SECONDS} s: {verdict(middle, GATE_SECONDS, GOAL_SECONDS)}"
    )
    print(
        f"T14 memory, {kind}: {used:.0f} MB idle, {used / least:.1f}x of the bare {least:.0f} MB;"
        f" gate {GATE_MB} MB, goal {GOAL_MB} MB: {verdict(used, GATE_MB, GOAL_MB)}"
        f" (channels: {', '.join(channels)})"
    )


def verdict(value: float, gate: float, goal: float) -> str:
    return "goal" if value <= goal else "gate" if value <= gate else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    for kind in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        run(kind, given.rounds)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
