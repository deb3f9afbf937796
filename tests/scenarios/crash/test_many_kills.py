"""A mailing under kill -9: nobody twice, nobody forgotten, and few of whom it is not known."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres
from tests.warm import WarmProcess

CONNECTIONS = 4


def begin(folder: Path, url: str, count: int, run: int, worker: str) -> WarmProcess:
    return WarmProcess(
        "tests.scenarios.crash.many_child",
        *(str(folder), url, str(count), str(run), worker),
        env=os.environ,
        output=folder / f"said-{run}-{worker}",
    )


def reached(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in folder.glob("reached.*"):
        found.update(path.read_text().split())
    return found


def ended(folder: Path) -> dict[str, str]:
    lines = (folder / "ended").read_text().splitlines()
    pairs = (line.rpartition(" ") for line in lines)
    return {one[0]: one[2] for one in pairs}


def finish(child: WarmProcess, seconds: float) -> None:
    """Wait until a worker says that nothing waits any more."""
    try:
        code = child.wait(seconds)
    finally:
        child.kill()
    assert "finished" in child.said()
    assert code == 0, child.said()


def kill_after(child: WarmProcess, folder: Path, wanted: int) -> None:
    """Kill a worker as soon as so many were reached, letters being under way."""
    try:
        child.wait_until_said("ready", 120)
        until = time.monotonic() + 120
        while sum(reached(folder).values()) < wanted:
            assert child.poll() is None, "it had nothing more to do"
            assert time.monotonic() < until, f"{reached(folder).total()} of {wanted} reached"
            time.sleep(0.005)
    finally:
        child.kill()


@pytest.mark.parametrize(
    ("count", "kills"),
    [(250, 3), pytest.param(20_000, 20, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])],
)
def test_a_mailing_survives_its_kills(
    tmp_path: Path, database_url: str, count: int, kills: int
) -> None:
    dice = random.Random(7)
    for run in range(kills):
        child = begin(tmp_path, database_url, count, run, "one")
        before = reached(tmp_path).total()
        kill_after(child, tmp_path, before + dice.randint(1, count // (kills + 2)))
    finish(begin(tmp_path, database_url, count, kills, "one"), 120 if count < 1_000 else 1_800)
    found, states = reached(tmp_path), ended(tmp_path)
    assert max(found.values()) == 1
    assert set(states) == {f"p{n}@x.example" for n in range(count)}
    assert set(states.values()) <= {"sent", "unknown"}
    unknown = {one for one, state in states.items() if state == "unknown"}
    assert len(unknown) <= CONNECTIONS * kills
    # Whoever counts as sent was reached, and nobody is left out.
    assert set(states) - unknown <= set(found) <= set(states)


@pytest.mark.postgres
@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_mailing_survives_the_deaths_of_its_database(tmp_path: Path) -> None:
    count, kills = 20_000, 20
    dice = random.Random(7)
    # Durable, unlike the cluster of all other tests: this one is killed.
    with Postgres({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}) as server:
        child = begin(tmp_path, server.cluster.create_database(), count, 0, "one")
        try:
            child.wait_until_said("ready", 120)
            for _ in range(kills):
                wanted = reached(tmp_path).total() + dice.randint(1, count // (kills + 2))
                until = time.monotonic() + 120
                while reached(tmp_path).total() < wanted:
                    assert child.poll() is None, child.said()
                    assert time.monotonic() < until, f"{reached(tmp_path).total()} of {wanted}"
                    time.sleep(0.005)
                server.kill()
                server.start()
            finish(child, 1_800)
        finally:
            child.kill()
    found, states = reached(tmp_path), ended(tmp_path)
    assert max(found.values()) == 1
    assert set(states) == {f"p{n}@x.example" for n in range(count)}
    unknown = {one for one, state in states.items() if state == "unknown"}
    assert set(states.values()) <= {"sent", "unknown"}
    assert set(states) - unknown <= set(found) <= set(states)


def test_two_workers_share_one_mailing(tmp_path: Path, database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("the embedded store has one process")
    hold = tmp_path / "hold"
    hold.touch()
    workers = []
    try:
        for name in ("one", "two"):
            workers.append(begin(tmp_path, database_url, 250, 0, name))
            workers[-1].wait_until_said("ready", 120)
        hold.unlink()
        for one in workers:
            finish(one, 120)
    finally:
        for one in workers:
            one.kill()
    found = reached(tmp_path)
    assert (len(found), max(found.values())) == (250, 1)
    assert set(ended(tmp_path).values()) == {"sent"}
    for name in ("one", "two"):
        assert (tmp_path / f"reached.{name}").read_text(), f"worker {name} carried nothing"
