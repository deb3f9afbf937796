"""T1 and T2: a webhook to a committed, searchable message, through the real server.

    python -m bench.intake --seconds 3 --rounds 5 --database both

The yardstick of the same run is the raw limit of this machine's disk and the same database: one
bare row with its full text, committed durably, one after another (SQLite by the standard library,
synchronous=FULL, FTS5; PostgreSQL by psycopg, prepared, fsync, a GIN index of the words). T2 is the same hub with a commit per request. Rounds are interleaved; medians and p99 are
printed. 32 keep-alive connections on loopback from this process; the server has its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

CONNECTIONS = 32
TEXT = "Здравствуйте, сколько стоит доставка в Казань и когда привезут заказ номер " + "x" * 300
GATE_T1, GOAL_T1, GATE_T2, GOAL_T2 = 0.3, 1.0, 3.0, 6.0


class Server:
    """One measured hub."""

    def __init__(self, folder: Path, url: str, group: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.intake_server", str(folder), url, str(self.port),
             str(group)],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.path = self.process.stdout.readline().strip()
        self.sent = 0
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def close(self) -> None:
        """End the server by its own process id."""
        os.kill(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def load(server: Server, seconds: float) -> tuple[float, list[float]]:
    """Post messages over keep-alive connections; gives the rate and each latency in ms."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while time.perf_counter() < end:
            server.sent += 1
            body = (
                f'{{"id":"m{server.sent}","from":"p{server.sent % 500}","text":"{TEXT}"}}'
            ).encode()
            head = (
                f"POST {server.path} HTTP/1.1\r\nHost: x\r\nX-Secret: bench\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            started = time.perf_counter()
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if b" 200 " not in answer[:20]:
                raise RuntimeError(answer.decode("latin-1")[:200])
            latencies.append((time.perf_counter() - started) * 1000)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(connection(n) for n in range(CONNECTIONS)))
    return len(latencies) / (time.perf_counter() - started), latencies


def yardstick(folder: Path, seconds: float) -> float:
    """Commit bare rows with their full text durably, one after another; rows a second."""
    path = folder / "raw.db"
    path.unlink(missing_ok=True)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute(
        "CREATE TABLE m (id INTEGER PRIMARY KEY, key TEXT UNIQUE, dialog INTEGER, at INTEGER,"
        " sender TEXT, text TEXT)"
    )
    conn.execute("CREATE INDEX i ON m (dialog, at)")
    conn.execute("CREATE VIRTUAL TABLE f USING fts5(text, content='')")
    count, end = 0, time.perf_counter() + seconds
    started = time.perf_counter()
    while time.perf_counter() < end:
        count += 1
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(
            "INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)",
            (count, f"k{count}", count % 500, count, "p", TEXT),
        )
        conn.execute("INSERT INTO f (rowid, text) VALUES (?, ?)", (count, TEXT))
        conn.execute("COMMIT")
    rate = count / (time.perf_counter() - started)
    conn.close()
    return rate


def postgres_yardstick(url: str, seconds: float) -> float:
    """The same on PostgreSQL, over one connection with prepared statements."""
    with psycopg.connect(url.replace("+psycopg", ""), prepare_threshold=0) as conn:
        conn.execute("DROP TABLE IF EXISTS raw_m")
        conn.execute(
            "CREATE TABLE raw_m (id BIGINT PRIMARY KEY, key TEXT UNIQUE, dialog BIGINT, at BIGINT,"
            " sender TEXT, text TEXT, words TSVECTOR)"
        )
        conn.execute("CREATE INDEX ON raw_m (dialog, at)")
        conn.execute("CREATE INDEX ON raw_m USING gin (words)")
        conn.commit()
        words = list(dict.fromkeys(TEXT.lower().split()))
        count, end = 0, time.perf_counter() + seconds
        started = time.perf_counter()
        while time.perf_counter() < end:
            count += 1
            conn.execute(
                "INSERT INTO raw_m VALUES (%s, %s, %s, %s, %s, %s, array_to_tsvector(%s))",
                (count, f"k{count}", count % 500, count, "p", TEXT, words),
            )
            conn.commit()
        return count / (time.perf_counter() - started)


def quantile(values: list[float], share: float) -> float:
    """Give a quantile of latencies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure(name: str, url: str, seconds: float, rounds: int) -> None:
    """Measure one database and print its lines."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        grouped = Server(folder / "grouped", url.replace("%s", "grouped"), 0)
        stack.callback(grouped.close)
        single = Server(folder / "single", url.replace("%s", "single"), 1)
        stack.callback(single.close)
        raw, many, one = [], [], []
        many_ms: list[float] = []
        asyncio.run(load(grouped, 1.0))
        asyncio.run(load(single, 1.0))
        for _ in range(rounds):
            half = seconds / 2
            raw.append(
                postgres_yardstick(url.replace("%s", "raw"), half)
                if url
                else yardstick(folder, half)
            )
            rate, latencies = asyncio.run(load(grouped, seconds))
            many.append(rate)
            many_ms += latencies
            one.append(asyncio.run(load(single, seconds))[0])
    t1 = statistics.median(a / b for a, b in zip(many, raw, strict=True))
    t2 = statistics.median(a / b for a, b in zip(many, one, strict=True))
    print(
        f"{name}: raw row+FTS commit {statistics.median(raw):,.0f}/s; hub {statistics.median(many):,.0f}/s"
        f" p50 {quantile(many_ms, 0.5):.1f} ms p99 {quantile(many_ms, 0.99):.1f} ms;"
        f" commit per request {statistics.median(one):,.0f}/s"
    )
    print(
        f"  T1 ratio {t1:.2f} (gate {GATE_T1}, goal {GOAL_T1}); T2 ratio {t2:.1f} (gate {GATE_T2}, goal {GOAL_T2})"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    options = parser.parse_args()
    if options.database in ("sqlite", "both"):
        measure("SQLite", "", options.seconds, options.rounds)
    if options.database in ("postgres", "both"):
        from tests.servers.postgres import Postgres

        durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        with Postgres(settings=durable) as server:
            for name in ("grouped", "single", "raw"):
                server.cluster.create_database(name)
            measure("PostgreSQL", server.cluster.url("%s"), options.seconds, options.rounds)


if __name__ == "__main__":
    main()
