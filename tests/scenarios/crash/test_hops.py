"""Killed at every hop, before and after: nothing lost, nothing doubled, and an honest unknown."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from crm_store.engine import make_engine
from crm_store.tables.dialogs import (
    attachments,
    blobs,
    dialogs,
    messages,
    quarantine,
    reactions,
)
from crm_store.tables.journal import journal, parked_events
from crm_store.tables.outbox import deliveries, jobs, webhook_deliveries
from crm_store.tables.people import addresses, contacts
from hub import commands
from hub.commands import Command
from tests.scenarios.crash.child import Outside
from tests.scenarios.crash.hops import (
    AFTER,
    CHAINS,
    FACTS,
    HOUSEWORK,
    IN,
    OUT,
    RECOVERY,
    UNSURE,
    Death,
)
from tests.scenarios.http_api.receiver import Receiver, receiving
from tests.warm import WarmProcess

KNOWN = {*IN, *FACTS, *OUT, *(one.hop for one in RECOVERY), *HOUSEWORK}


def live(folder: Path, url: str, webhook: str, run: int, death: Death | None) -> tuple[int, str]:
    """Let a hub live until it dies or has nothing to do; gives its end and what it said."""
    said = folder / f"said-{run}.txt"
    process = WarmProcess(
        "tests.scenarios.crash.child",
        str(folder),
        url,
        webhook,
        str(run),
        death.hop if death else "",
        death.side if death else "",
        str(death.early) if death else "",
        env=dict(os.environ),
        output=said,
    )
    return process.wait(300), said.read_text()[-4000:]


@pytest.mark.timeout(900)  # some twenty lives one after another, also on a busy machine
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.slow
@pytest.mark.long
async def test_a_kill_at_any_hop_loses_and_doubles_nothing(
    tmp_path: Path, empty_database_url: str, chain: str
) -> None:
    fatal = CHAINS[chain]
    async with receiving() as receiver:
        # The first life is undisturbed: what it leaves is the measure for all others.
        for run, death in enumerate([None, *fatal, None]):
            code, said = await asyncio.to_thread(
                live, tmp_path, empty_database_url, receiver.url, run, death
            )
            wanted = -signal.SIGKILL if death else 0
            assert code == wanted, f"{death} was not reached: {said}"
        passed = set((tmp_path / "hops.txt").read_text().split("\n")) - {""}
        assert passed <= KNOWN, f"no crash point for {sorted(passed - KNOWN)}: see hops.py"
        world = Outside(tmp_path)
        engine = make_engine(empty_database_url, writer=False)
        with engine.connect() as conn:
            runs = len(fatal) + 2
            everything_came_once(conn, tmp_path, runs)
            every_fact_stands_once(conn, runs)
            every_send_ended_honestly(conn, world, fatal, strict=chain == "out")
            everybody_was_told(conn, world, receiver)
        engine.dispose()


def everything_came_once(conn: Connection, folder: Path, runs: int) -> None:
    """One message per arrival, one person, one dialog; every file; nothing half."""
    came = Counter(
        conn.execute(select(messages.c.external_id).where(messages.c.direction == "in")).scalars()
    )
    assert came == Counter(f"{way}-{n}" for n in range(runs) for way in ("push", "pull"))
    for table in (dialogs, contacts, addresses):
        assert conn.execute(select(func.count()).select_from(table)).scalar() == 2 * runs
    counted = conn.execute(
        select(dialogs.c.message_count, func.count(messages.c.id))
        .join(messages, messages.c.dialog_id == dialogs.c.id)
        .group_by(dialogs.c.id, dialogs.c.message_count)
    ).all()
    assert len(counted) == 2 * runs
    assert all(kept == found for kept, found in counted)
    files = conn.execute(
        select(attachments.c.state, attachments.c.blob_id, blobs.c.references_count).join(
            blobs, blobs.c.id == attachments.c.blob_id
        )
    ).all()
    assert len(files) == 2 * runs
    for state, blob_id, references in files:
        assert (state, references) == ("ready", 1)
        assert (folder / "data" / "blobs" / blob_id[:2] / blob_id).is_file()
    shown = Counter(
        conn.execute(
            select(messages.c.external_id).join(reactions, reactions.c.message_id == messages.c.id)
        ).scalars()
    )
    assert shown == came, "a reaction of theirs or of ours is lost or doubled"
    junk = Counter(conn.execute(select(quarantine.c.raw)).scalars())
    assert {bytes(one) for one in junk} == {
        f"{what} {n}".encode() for n in range(runs) for what in ("junk", "poison")
    }
    assert all(count == 1 for raw, count in junk.items() if bytes(raw).startswith(b"poison"))


def every_fact_stands_once(conn: Connection, runs: int) -> None:
    """The set of facts is that of a life without deaths."""
    rows = conn.execute(select(journal.c.type, journal.c.data).order_by(journal.c.id)).all()
    facts: dict[str, Counter[int]] = {}
    for kind, data in rows:
        about = data.get("message_id") or data.get("dialog_id") or data.get("contact_id") or 0
        facts.setdefault(kind, Counter())[int(about)] += 1
    for kind, wanted in (
        ("message.received", 2 * runs),
        ("dialog.opened", 2 * runs),
        ("contact.created", 2 * runs),
        ("message.queued", runs),
    ):
        assert set(facts[kind].values()) == {1}, f"{kind} stands twice"
        assert len(facts[kind]) == wanted, kind
    moves = Counter(
        (data["delivery_id"], data["after"]) for kind, data in rows if kind == "delivery.changed"
    )
    assert set(moves.values()) == {1}, "a delivery came to one state twice"


def every_send_ended_honestly(
    conn: Connection, world: Outside, fatal: list[Death], *, strict: bool
) -> None:
    """One message per request; nothing was sent twice; unknown only where nobody can know.

    Where the death is at a hop of another path, a send may have been under way at that moment.
    """
    sent = Counter(world.read("sent.txt"))
    assert set(sent.values()) <= {1}, "something was sent twice"
    ended = {
        row.text: row.status
        for row in conn.execute(
            select(messages.c.text, deliveries.c.status).join(
                deliveries, deliveries.c.message_id == messages.c.id
            )
        )
    }
    deaths = [None, *fatal, None]
    assert set(ended) == {f"answer-{n}" for n in range(len(deaths))}
    for n, death in enumerate(deaths):
        status = ended[f"answer-{n}"]
        if death in UNSURE:
            assert status == "unknown", f"{death}: {status}"
        elif strict or death is None or status != "unknown":
            assert status == "delivered", f"{death}: {status}"
            assert sent[f"answer-{n}"] == 1, str(death)
    assert conn.execute(select(func.count()).select_from(deliveries)).scalar() == len(deaths)


def everybody_was_told(conn: Connection, world: Outside, receiver: Receiver) -> None:
    """Providers, plugins, jobs and webhooks hear of every fact at least once, and under one id."""
    received = {
        str(one)
        for one in conn.execute(select(messages.c.id).where(messages.c.direction == "in")).scalars()
    }
    assert set(world.read("told.txt")) == received
    pushed = select(messages.c.external_id).where(messages.c.external_id.like("push-%"))
    assert set(world.read("reacted.txt")) == set(conn.execute(pushed).scalars())
    assert set(world.read("jobs.txt")) == received
    left = select(func.count()).select_from(jobs).where(jobs.c.key != "periodic")
    assert conn.execute(left).scalar() == 0
    assert conn.execute(select(func.count()).select_from(parked_events)).scalar() == 0
    states = Counter(conn.execute(select(webhook_deliveries.c.state)).scalars())
    assert set(states) == {"done"}
    heard = {int(one.id.rpartition("-")[2]) for one in receiver.posted}
    queued = set(conn.execute(select(webhook_deliveries.c.event_id)).scalars())
    assert heard == queued
    first = min(queued)
    later = set(conn.execute(select(journal.c.id).where(journal.c.id >= first)).scalars())
    assert queued == later, "a fact was never told"


def test_every_command_that_only_the_hub_gives_has_a_crash_point() -> None:
    own = {
        name
        for name in commands.__all__
        if isinstance(kind := getattr(commands, name), type)
        and issubclass(kind, Command)
        and kind is not Command
        and not kind.permission
    }
    assert own - KNOWN == set(), "a new step of the hub needs a crash point: see hops.py"


def test_each_hop_is_died_at_on_both_sides() -> None:
    died = {(one.hop, one.side) for chain in CHAINS.values() for one in chain}
    assert died >= {(hop, side) for hop in (*IN, *FACTS, *OUT) for side in ("before", AFTER)}
