"""Random kills, for seconds in every run and for minutes in a soak: real hubs, real sockets, kill -9.

`HUB_SOAK_SECONDS` sets how long a soak lasts (60), `HUB_SOAK_SEED` repeats the dice of an earlier run; when the
operating system kills and when it lets a process go on stays its own affair.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, Select, exists, func, select

from crm_store.engine import make_engine
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses, contacts
from crm_store.tables.users import accounts
from tests.scenarios.cli.processes import CommandLine, Running

CHANNELS = ("post", "knowing_post")
PROVIDERS, AGENTS = 6, 4
CONNECTIONS = 8
"""Calls that one process has under way at most: four for each account."""
PLUGINS = Path(__file__).parent / "plugins"


@dataclass
class Town:
    """The installation and everything outside of it."""

    hub: CommandLine
    url: str
    book: Path
    token: str = ""
    hooks: dict[str, str] = field(default_factory=dict)
    living: dict[int, Running] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    kills: int = 0
    stopping: bool = False
    all_sent: bool = False

    def ask(self, function: Callable[[Connection], Any]) -> Any:
        """Look into the database from outside."""
        engine = make_engine(self.url, writer=False)
        try:
            with engine.connect() as conn:
                return function(conn)
        finally:
            engine.dispose()

    def one(self, query: Select[Any]) -> Any:
        """Give the one value of a query."""
        return self.ask(lambda conn: conn.execute(query).scalar_one())

    def address(self) -> str:
        """Any process that should live."""
        ports = [one.port for one in self.living.values()]
        return f"http://127.0.0.1:{random.choice(ports)}" if ports else "http://127.0.0.1:9"

    def sent(self) -> list[list[str]]:
        return [line.split() for line in self.book.read_text().splitlines()]


@pytest.mark.parametrize(
    ("seconds", "least"),
    [
        pytest.param(
            10, (1, 10, 5), marks=[pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]
        ),
        pytest.param(
            float(os.environ.get("HUB_SOAK_SECONDS", "60")), (5, 50, 20), marks=pytest.mark.soak
        ),
    ],
    ids=["short", "long"],
)
async def test_random_kills_lose_and_double_nothing(
    tmp_path: Path,
    database_kind: str,
    new_database: Callable[..., str],
    seconds: float,
    least: tuple[int, int, int],
) -> None:
    seed = int(os.environ.get("HUB_SOAK_SEED", time.time_ns() % 10**6))
    random.seed(seed)
    on_server = database_kind == "postgres"
    database = new_database(migrated=False) if on_server else ""
    hub = CommandLine(tmp_path / "data", database)
    book = tmp_path / "book.txt"
    book.touch()
    hub.environment |= {"HUB_PLUGINS_DIR": str(PLUGINS), "POST_BOOK": str(book)}
    url = database or f"sqlite:///{hub.data / 'hub.db'}"
    town = Town(hub, url, book)
    await asyncio.to_thread(furnish, town)
    async with lives(town, 2 if on_server else 1), httpx2.AsyncClient(timeout=10) as client:
        ends_at = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            killer = group.create_task(kill_at_random(town, ends_at))
            busy = [group.create_task(provider(town, client, n)) for n in range(PROVIDERS)]
            busy += [group.create_task(agent(town, client, n)) for n in range(AGENTS)]
            receipts = group.create_task(tell_receipts(town, client))
            await killer
            await asyncio.wait(busy)
            await settled(town)
            town.all_sent = True
            await receipts
    print(f"seed={seed} kills={town.kills} messages={len(town.posted)} answers={len(town.asked)}")
    town.ask(lambda conn: examine(conn, town))
    done = (town.kills, len(town.posted), len(town.asked))
    assert all(one >= wanted for one, wanted in zip(done, least, strict=True)), done


def furnish(town: Town) -> None:
    """Hire an agent and open both post offices, over the command line."""
    hub = town.hub
    hub(
        "user", "create", "ada@hub.example", "--role", "administrator", "--password-stdin",
        given="correct horse battery\n",
    )  # fmt: skip
    town.token = json.loads(hub("token", "create", "ada@hub.example", "--json"))["token"]
    for channel in CHANNELS:
        hub("account", "add", channel, "--title", channel)
    find = select(accounts.c.channel, accounts.c.hook_token)
    town.hooks = town.ask(lambda conn: {row[0]: row[1] for row in conn.execute(find)})


@asynccontextmanager
async def lives(town: Town, count: int) -> AsyncIterator[None]:
    """Start the processes; whatever lives at the end is ended."""
    try:
        for n in range(count):
            town.living[n] = await asyncio.to_thread(Running, town.hub)
        yield
    finally:
        for one in town.living.values():
            one.stop(signal.SIGKILL)


async def kill_at_random(town: Town, ends_at: float) -> None:
    """Kill -9 any process after any time, and start another one in its place."""
    while time.monotonic() < ends_at:
        await asyncio.sleep(random.uniform(0.2, 3))
        n = random.choice(list(town.living))
        await asyncio.to_thread(town.living[n].stop, signal.SIGKILL)
        town.kills += 1
        town.living[n] = await asyncio.to_thread(Running, town.hub)
    town.stopping = True


async def insist(town: Town, post: Callable[[], Any], good: tuple[int, ...]) -> None:
    """Repeat a request until it is answered well, as providers and good clients do."""
    deadline = time.monotonic() + 400
    while True:
        try:
            answer = await post()
            if answer.status_code in good:
                return
            assert answer.status_code in (409, 503, 429), answer.text
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline, "never answered"
        await asyncio.sleep(random.uniform(0.02, 0.3))


async def provider(town: Town, client: httpx2.AsyncClient, me: int) -> None:
    """People write; some of their messages are told twice at once."""
    n = 0
    while not town.stopping:
        n += 1
        channel = random.choice(CHANNELS)
        name = f"{channel}-{me}-{n}"
        body = {"id": name, "from": f"person-{random.randrange(20)}"}

        def post(channel: str = channel, body: dict[str, str] = body) -> Any:
            return client.post(f"{town.address()}/hooks/{town.hooks[channel]}", json=body)

        copies = 2 if random.random() < 0.3 else 1
        await asyncio.gather(*(insist(town, post, (200,)) for _ in range(copies)))
        town.posted.append(name)
        await asyncio.sleep(random.uniform(0, 0.05))


async def agent(town: Town, client: httpx2.AsyncClient, me: int) -> None:
    """Answers any message; the request carries a key and is repeated until it is taken.

    A key whose process died is free again after two minutes, so other answers do not wait for it.
    """
    n = 0
    insisting: list[asyncio.Task[None]] = []
    while not town.stopping:
        await asyncio.sleep(random.uniform(0.02, 0.2))
        if not town.posted:
            continue
        n += 1
        about, name = random.choice(town.posted[-50:]), f"answer-{me}-{n}"
        find = select(messages.c.dialog_id).where(messages.c.external_id == about)
        dialog_id = int(await asyncio.to_thread(town.one, find))
        town.asked[name] = about.rpartition("-")[0].rpartition("-")[0]

        def post(dialog_id: int = dialog_id, name: str = name) -> Any:
            return client.post(
                f"{town.address()}/api/v1/dialogs/{dialog_id}/messages",
                headers={"Authorization": f"Bearer {town.token}", "Idempotency-Key": name},
                json={"text": name},
            )

        insisting.append(asyncio.create_task(insist(town, post, (200, 201))))
    await asyncio.gather(*insisting)


async def tell_receipts(town: Town, client: httpx2.AsyncClient) -> None:
    """The provider tells of everything that it has delivered, until the hub has heard it."""
    told = 0
    while True:
        lines = town.sent()
        for channel, _, text in lines[told:]:
            body = {"receipt": f"{channel}-{text}"}

            def post(channel: str = channel, body: dict[str, str] = body) -> Any:
                return client.post(f"{town.address()}/hooks/{town.hooks[channel]}", json=body)

            await insist(town, post, (200,))
        told = len(lines)
        if town.all_sent and told == len(town.sent()):
            return
        await asyncio.sleep(0.1)


async def settled(town: Town) -> None:
    """Wait until no delivery is on its way; leases of the dead last half a minute."""
    unfinished = (
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.status.in_(("queued", "claimed", "sending")))
    )
    deadline = time.monotonic() + 300
    while await asyncio.to_thread(town.one, unfinished):
        assert time.monotonic() < deadline, "a delivery never ended"
        await asyncio.sleep(0.5)


def examine(conn: Connection, town: Town) -> None:
    """Nothing lost, nothing doubled, nothing half, and no hopeful word about a send."""
    came = Counter(
        conn.execute(select(messages.c.external_id).where(messages.c.direction == "in")).scalars()
    )
    assert came == Counter(town.posted)
    facts: dict[str, Counter[Any]] = {}
    for kind, data in conn.execute(select(journal.c.type, journal.c.data)):
        about = data.get("message_id") or data.get("dialog_id") or data.get("contact_id") or 0
        facts.setdefault(kind, Counter())[about] += 1
    for kind, wanted in (
        ("message.received", len(town.posted)),
        ("message.queued", len(town.asked)),
        ("dialog.opened", conn.execute(select(func.count()).select_from(dialogs)).scalar_one()),
        ("contact.created", conn.execute(select(func.count()).select_from(contacts)).scalar_one()),
    ):
        assert set(facts[kind].values()) == {1}, f"{kind} stands twice"
        assert len(facts[kind]) == wanted, kind
    for table, where in (
        (dialogs, ~exists().where(messages.c.dialog_id == dialogs.c.id)),
        (contacts, ~exists().where(addresses.c.contact_id == contacts.c.id)),
    ):
        assert conn.execute(select(func.count()).select_from(table).where(where)).scalar() == 0
    rows = conn.execute(
        select(messages.c.text, deliveries.c.status).join(
            deliveries, deliveries.c.message_id == messages.c.id
        )
    )
    ended = {row.text: row.status for row in rows}
    assert set(ended) == set(town.asked)
    lines = town.sent()
    sent = Counter(text for channel, _, text in lines if channel == "post")
    assert set(sent.values()) <= {1}, "something was sent twice"
    keys: dict[str, set[str]] = {}
    for _, key, text in lines:
        keys.setdefault(text, set()).add(key)
    assert all(len(one) == 1 for one in keys.values()), "one message left under two keys"
    unknown = [name for name, status in ended.items() if status == "unknown"]
    for name, status in ended.items():
        assert status in ("delivered", "unknown"), f"{name}: {status}"
        assert status == "unknown" or name in keys, f"{name} is {status} and never left"
    assert all(town.asked[name] == "post" for name in unknown), "a repeatable send was given up"
    assert len(unknown) <= town.kills * CONNECTIONS
