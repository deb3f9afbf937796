"""A house with a long past: hundreds of thousands of messages, made once and kept for all.

    with house("sqlite", 1_000_000) as one:
        ... one.url, one.data ...

Every row is written that the hub itself would have written for such a past (search index,
counters, deliveries, tombstones of arrivals, by what people are compared); a sample of dialogs is recounted before the house
is given to anybody. It lies in the system's temporary folder and is migrated like any other when
the schema changes; `copy` gives one that may be changed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from bench.bench_channel import plugin
from crm_store.duplicates import index_cards
from crm_store.engine import make_engine
from crm_store.search_index import index_contacts, index_messages
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.tables.journal import cursors
from crm_store.tables.outbox import deliveries, parts
from crm_store.tables.people import addresses, contacts
from hub import SYSTEM, AccountId, CreateAccount, CreateUser, Micros, UserId
from hub.ids import id_for_instant
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.terms import fold
from tests.servers.postgres import Cluster, Postgres

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
ROOMY = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
PER_DIALOG, ACCOUNTS, AGENTS = 10, 3, 20
SHORT, BLOCK = 8, 100
"""Of a hundred dialogs all but the last have eight messages; the last makes up the average."""
VOCABULARY, WORDS = 60_000, (5, 55)
STEP_US = 60_000_000
BATCH_DIALOGS = 200
SAMPLE = 300
FILLER = 1
"""Changes when other rows would be written: kept houses are then made anew."""


@dataclass(kw_only=True)
class House:
    """A filled store."""

    kind: str
    url: str
    data: Path
    count: int
    words: dict[str, list[str]] = field(default_factory=dict)
    cluster: Cluster | None = None

    def runtime(self, port: int = 0) -> Runtime:
        """Make a hub of it; the caller starts and stops it."""
        return runtime_of(self.data, self.url, port)

    @contextmanager
    def copy(self) -> Iterator[House]:
        """Give the same house to be changed."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
            shutil.copytree(self.data, folder)
            url = self.url
            if self.cluster is not None:
                name = f"copy_{os.getpid()}_{time.monotonic_ns()}"
                url = self.cluster.create_database(name, template=self.url.rpartition("/")[2])
                stack.callback(self.cluster.drop_database, name)
            yield House(
                kind=self.kind, url=url, data=folder, count=self.count, words=self.words,
                cluster=self.cluster,
            )  # fmt: skip


def runtime_of(data: Path, url: str, port: int = 0) -> Runtime:
    """Build a hub with the bench channel."""
    host = PluginHost()
    host.add("bench_plugin", plugin())
    settings = HubSettings(
        data=data, database_url=url, port=port or 8000, hold_after_hours=1e6,
        public_url=f"http://127.0.0.1:{port}" if port else "",
    )  # fmt: skip
    return Runtime(settings, plugins=host)


@contextmanager
def house(
    kind: str, count: int, cluster: Cluster | None = None, opened: int = 0
) -> Iterator[House]:
    """Give a filled store of so many messages; the first time takes minutes.

    `cluster` is the one of another house that is open already; `opened` is how many dialogs are
    open where that is not a twentieth of them.
    """
    folder = cache() / (f"{kind}-{count}-{opened}" if opened else f"{kind}-{count}")
    words = Vocabulary().groups()
    with ExitStack() as stack:
        if kind == "sqlite":
            if not (folder / "ready").exists():
                fill("", folder / "data", count, opened)
                (folder / "ready").touch()
            runtime_of(folder / "data", "").migrate()
            settle(folder / "data", "")
            yield House(kind=kind, url="", data=folder / "data", count=count, words=words)
            return
        if cluster is None:
            server = stack.enter_context(Postgres(DURABLE | ROOMY, keep=cache() / "cluster"))
            cluster = server.cluster
        name = f"filled_{count}_{opened}" if opened else f"filled_{count}"
        if not (folder / "ready").exists():
            if cluster.has_database(name):
                cluster.drop_database(name)
            url = cluster.create_database(name)
            fill(url, folder / "data", count, opened)
            (folder / "ready").touch()
        runtime_of(folder / "data", cluster.url(name)).migrate()
        settle(folder / "data", cluster.url(name))
        yield House(
            kind=kind, url=cluster.url(name), data=folder / "data", count=count,
            words=words, cluster=cluster,
        )  # fmt: skip


def cache() -> Path:
    """Give the folder of the kept houses; another filler has another one."""
    folder = Path(tempfile.gettempdir()) / f"hub-bench-{FILLER}"
    folder.mkdir(exist_ok=True)
    # PostgreSQL runs as a user of its own and must be able to walk in.
    folder.chmod(0o755)
    return folder


class Vocabulary:
    """Invented words that are as unequal in number as those of a language (Zipf)."""

    def __init__(self) -> None:
        dice = random.Random(9)
        letters = "абвгдежзиклмнопрстуфхцчшщ"
        made = {"".join(dice.choices(letters, k=dice.randint(3, 9))) for _ in range(VOCABULARY * 2)}
        self._words = sorted(made)[:VOCABULARY]
        dice.shuffle(self._words)
        self._weights = list(itertools.accumulate(1 / (n + 10) for n in range(VOCABULARY)))

    def text(self, dice: random.Random) -> str:
        """Make a message."""
        return " ".join(
            dice.choices(self._words, cum_weights=self._weights, k=dice.randint(*WORDS))
        )

    def names(self) -> list[str]:
        """Give words that do for names of people."""
        return self._words[2_000:8_000]

    def groups(self) -> dict[str, list[str]]:
        """Give words by how often they stand in messages: the n-th has a share of 1/n or so."""
        return {
            "rare": self._words[40_000:40_040],
            "1 in 300": self._words[900:940],
            "1 in 50": self._words[150:190],
            "common": self._words[0:12],
        }


def fill(url: str, data: Path, count: int, opened: int = 0) -> None:
    """Fill an empty store and prove by a recount that it is consistent."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    runtime = runtime_of(data, url)
    runtime.migrate()
    users, accounts = asyncio.run(_furnish(runtime))
    engine = make_engine(runtime.settings.database, writer=True)
    began = time.monotonic()
    past = Past(count, users, accounts, opened)
    for start in range(0, past.dialogs, BATCH_DIALOGS):
        with engine.connect() as conn, conn.begin():
            past.write(conn, range(start, min(start + BATCH_DIALOGS, past.dialogs)))
    with engine.connect() as conn, conn.begin():
        past.check(conn)
        if not url:
            conn.execute(text("PRAGMA optimize=0x10002"))
    engine.dispose()
    print(f"filled {count:,} messages in {time.monotonic() - began:.0f} s", flush=True)


def open_of(count: int) -> int:
    """Give how many dialogs are open in a house of so many messages."""
    return max(50, count // PER_DIALOG // 20)


def settle(data: Path, url: str) -> None:
    """Bring a filled store to the state of one that has long been in use.

    Its people were compared when they came, which a new hub does with all of them in its first
    minutes; and PostgreSQL's vacuum, which the bench's server has switched off, was there.
    """
    name = "acquaintance.contact"
    engine = make_engine(runtime_of(data, url).settings.database, writer=True)
    with engine.connect() as conn, conn.begin():
        done = conn.execute(select(cursors.c.event_id).where(cursors.c.name == name)).scalar()
        if done is None:
            people = list(conn.execute(select(contacts.c.id).order_by(contacts.c.id)).scalars())
            index_cards(conn, "contact", people)
            conn.execute(insert(cursors).values(name=name, event_id=people[-1]))
    if url:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
    engine.dispose()


async def _furnish(runtime: Runtime) -> tuple[list[UserId], list[AccountId]]:
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    users = await hub.do(
        *(
            CreateUser(
                email=f"agent{n}@example.com", name=f"Agent {n}",
                role="administrator" if n == 0 else "agent",
            )
            for n in range(AGENTS)
        )
    )  # fmt: skip
    accounts = await hub.do(
        *(CreateAccount(channel="bench", title=f"Bench {n}") for n in range(ACCOUNTS))
    )
    await runtime.stop()
    return users, accounts


class Past:
    """What was said: ten messages to a dialog on average, two dialogs to a person, the newest still open."""

    def __init__(
        self, count: int, users: list[UserId], accounts: list[AccountId], opened: int
    ) -> None:
        self.dialogs = count // PER_DIALOG
        self._people = max(1, self.dialogs // 2)
        self._open = opened or open_of(count)
        self._users, self._accounts = users, accounts
        self._words = Vocabulary()
        self._dice = random.Random(17)
        # One message a step, the last of them a minute ago.
        self._begin = system_now() - (count + 1) * STEP_US
        self._rows: dict[Any, list[dict[str, Any]]] = {}

    def write(self, conn: Connection, numbers: range) -> None:
        """Write some dialogs with all that belongs to them."""
        tables = (contacts, addresses, dialogs, messages, arrivals, deliveries, parts)
        self._rows = {table: [] for table in tables}
        for number in numbers:
            self._dialog(number)
        for table in tables:
            if self._rows[table]:
                conn.execute(insert(table), self._rows[table])
        index_messages(conn, [(one["id"], f"\n{one['text']}") for one in self._rows[messages]])
        values = {one["contact_id"]: one["value"] for one in self._rows[addresses]}
        index_contacts(
            conn, [(one["id"], [one["name"], values[one["id"]]]) for one in self._rows[contacts]]
        )

    def _at(self, message: int) -> Micros:
        return Micros(self._begin + message * STEP_US)

    def _id(self, message: int, kind: int) -> int:
        return id_for_instant(self._at(message)) + kind

    def _dialog(self, number: int) -> None:
        person = number % self._people
        first, length = _place(number)
        contact_id = self._id(person * PER_DIALOG, 1)
        address_id = contact_id + 1
        dialog_id = self._id(first, 3)
        account_id = self._accounts[person % ACCOUNTS]
        agent = self._users[number % AGENTS]
        if number < self._people:
            self._contact(person, contact_id, address_id)
        is_open = number >= self.dialogs - self._open
        waiting_since, inbound, answered = 0, 0, 0
        last: dict[str, Any] = {}
        last_in: dict[str, Any] = {}
        for n in range(first, first + length):
            incoming = n == first or self._dice.random() < 0.55
            last = {
                "id": self._id(n, 4), "dialog_id": dialog_id, "account_id": account_id,
                "contact_id": contact_id, "direction": "in" if incoming else "out",
                "author_kind": "contact" if incoming else "user",
                "author_id": contact_id if incoming else agent,
                "author_name": f"Person {person}" if incoming else "Agent",
                "text": self._words.text(self._dice), "external_id": f"{'in' if incoming else 'out'}-{n}",
                "at": self._at(n), "received_at": self._at(n), "status": "" if incoming else "sent",
                "people": {}, "cause": {}, "extra": {},
            }  # fmt: skip
            self._rows[messages].append(last)
            if incoming:
                last_in = last
                inbound += 1
                waiting_since = waiting_since or last["at"]
                self._rows[arrivals].append(
                    {"account_id": account_id, "dedupe_key": f"in-{n}", "message_id": last["id"], "at": last["at"]}
                )  # fmt: skip
            else:
                waiting_since = 0
                answered = answered or last["at"]
                self._delivery(n, last, address_id)
        self._rows[dialogs].append(
            {
                "id": dialog_id, "account_id": account_id, "channel": "bench",
                "contact_id": contact_id, "address_id": address_id,
                "status": "open" if is_open else "closed", "is_open": is_open,
                "assignee_id": agent if number % 3 else 0, "created_at": self._at(first),
                "closed_at": 0 if is_open else last["at"], "last_at": last["at"],
                "last_message_id": last["id"], "last_direction": last["direction"],
                "preview": last["text"][:160], "waiting_since": waiting_since if is_open else 0,
                "first_response_at": answered, "last_inbound_at": last_in["at"],
                "last_inbound_id": last_in["id"], "inbound_count": inbound,
                "message_count": length,
            }
        )  # fmt: skip

    def _contact(self, person: int, contact_id: int, address_id: int) -> None:
        name, at = f"Person {person}", self._at(person * PER_DIALOG)
        self._rows[contacts].append(
            {"id": contact_id, "name": name, "name_folded": fold(name), "created_at": at, "last_at": at}
        )  # fmt: skip
        self._rows[addresses].append(
            {
                "id": address_id, "contact_id": contact_id, "kind": "bench", "value": f"p{person}",
                "name": name, "profile": {}, "created_at": at,
            }
        )  # fmt: skip

    def _delivery(self, n: int, message: dict[str, Any], address_id: int) -> None:
        delivery_id = self._id(n, 5)
        self._rows[deliveries].append(
            {
                "id": delivery_id, "message_id": message["id"], "dialog_id": message["dialog_id"],
                "account_id": message["account_id"], "address_id": address_id, "status": "sent",
                "due_at": message["at"], "attempts": 1, "idempotency_key": f"message:{message['id']}",
                "created_at": message["at"], "sent_at": message["at"],
            }
        )  # fmt: skip
        self._rows[parts].append(
            {"account_id": message["account_id"], "external_id": f"out-{n}", "delivery_id": delivery_id}
        )  # fmt: skip

    def check(self, conn: Connection) -> None:
        """Compare the counters of some dialogs with their messages, and the index with all."""
        total = conn.execute(select(func.count()).select_from(messages)).scalar_one()
        if total != self.dialogs * PER_DIALOG:
            raise SystemExit(f"{total} messages instead of {self.dialogs * PER_DIALOG}")
        for number in self._dice.sample(range(self.dialogs), min(SAMPLE, self.dialogs)):
            dialog_id = self._id(_place(number)[0], 3)
            dialog = conn.execute(select(dialogs).where(dialogs.c.id == dialog_id)).one()
            rows = conn.execute(
                select(messages)
                .where(messages.c.dialog_id == dialog_id)
                .order_by(messages.c.at, messages.c.id)
            ).all()
            incoming = [one for one in rows if one.direction == "in"]
            found = (len(rows), len(incoming), rows[-1].id, incoming[-1].id, rows[-1].text[:160])
            kept = (
                dialog.message_count, dialog.inbound_count, dialog.last_message_id,
                dialog.last_inbound_id, dialog.preview,
            )  # fmt: skip
            if found != kept:
                raise SystemExit(f"dialog {dialog_id} does not agree with its messages")


def _place(number: int) -> tuple[int, int]:
    """Give the number of a dialog's first message, and how many it has."""
    block, within = divmod(number, BLOCK)
    first = block * BLOCK * PER_DIALOG + within * SHORT
    return first, SHORT if within < BLOCK - 1 else BLOCK * PER_DIALOG - SHORT * (BLOCK - 1)
