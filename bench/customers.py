"""A house with customers: clients, their people, leads, requests, interests and tasks beside a long past.

    with house("sqlite", 1_000_000) as past, customers(past) as one:
        ... one.url, one.data ...

Per million messages: 200,000 clients, 50,000 leads, 50,000 requests, 50,000 interests with their ways
through the stages, 100,000 tasks; most of them over, as in a house that is years old. It is kept
beside the house it was made of, under TMPDIR, and used again by every run with the same TMPDIR; whoever
fills it proves by a count that all is there.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from bench.house import BATCH_DIALOGS, STEP_US, House, Vocabulary, cache, runtime_of, settle
from crm_store import funnel_sums
from crm_store.bulk import create_many
from crm_store.duplicates import index_cards
from crm_store.engine import make_engine
from crm_store.nouns import NOUNS
from crm_store.tables.interests import interest_stays, stages
from crm_store.tables.journal import cursors
from crm_store.tables.people import clients, contacts
from crm_store.tables.requests import sequences
from crm_store.tables.users import users
from crm_store.unit_of_work import Transaction, UnitOfWork
from hub import SYSTEM, CountFunnels
from hub.capabilities import Abilities
from hub.ids import id_for_instant
from hub.runtime import system_now

SHARES = {"client": 5, "lead": 20, "request": 20, "interest": 20, "task": 10}
"""One object of the kind for so many messages."""
SOURCES = ("site", "telegram", "fair", "referral", "search")
FILLER = 2
DAY_US = 86_400_000_000


@contextmanager
def customers(past: House, namesakes: int = 1) -> Iterator[House]:
    """Give a house with customers; the first time takes minutes.

    With `namesakes` each name stands so many times as often: as in a house so many times as large.
    """
    alike = f"_{namesakes}" if namesakes > 1 else ""
    folder = cache() / f"customers-{FILLER}-{past.kind}-{past.count}{alike}"
    name = f"customers_{past.count}{alike}"
    ready = (folder / "ready").exists()
    url = past.url
    if past.cluster is not None:
        ready = ready and past.cluster.has_database(name)
        if not ready and past.cluster.has_database(name):
            past.cluster.drop_database(name)
        url = (
            past.cluster.url(name)
            if ready
            else past.cluster.create_database(name, template=past.url.rpartition("/")[2])
        )
    if not ready:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(past.data, folder / "data")
    one = House(
        kind=past.kind, url=url, data=folder / "data", count=past.count, words=past.words,
        cluster=past.cluster,
    )  # fmt: skip
    if not ready:
        fill(one, namesakes)
        (folder / "ready").touch()
    else:
        runtime_of(one.data, one.url).migrate()
    count_funnels(one)
    # Cards and sums are as new to PostgreSQL as the past was: vacuum comes by in every house.
    settle(one.data, one.url)
    yield one


def count_funnels(one: House) -> None:
    """Count what a hub at work would have counted in the background."""
    engine = make_engine(runtime_of(one.data, one.url).settings.database, writer=True)
    counted = 1
    while counted:
        with engine.connect() as conn, conn.begin():
            tx = Transaction(
                conn=conn,
                now=system_now(),
                new_id=int,
                channels=Abilities({}),
                dialect=conn.dialect.name,
            )
            uow = UnitOfWork(tx, actor=SYSTEM)
            counted = funnel_sums.count_funnels(uow, CountFunnels())
    engine.dispose()


def fill(one: House, namesakes: int) -> None:
    """Fill a copy of a past with customers."""
    runtime = runtime_of(one.data, one.url)
    runtime.migrate()
    engine = make_engine(runtime.settings.database, writer=True)
    began = time.monotonic()
    with engine.connect() as conn, conn.begin():
        agents = list(conn.execute(select(users.c.id).order_by(users.c.id)).scalars())
        steps = list(
            conn.execute(select(stages.c.id, stages.c.pipeline_id).order_by(stages.c.position))
        )
    numbers = count(id_for_instant(system_now()))

    def next_id() -> int:
        return next(numbers)

    book = Book(one, agents, [(row.id, row.pipeline_id) for row in steps], namesakes)
    for kind, share in SHARES.items():
        total = one.count // share
        for start in range(0, total, BATCH_DIALOGS * 5):
            with engine.connect() as conn, conn.begin():
                tx = Transaction(
                    conn=conn,
                    now=system_now(),
                    new_id=next_id,
                    channels=Abilities({}),
                    dialect=conn.dialect.name,
                )
                uow = UnitOfWork(tx, actor=SYSTEM)
                book.write(uow, kind, range(start, min(start + BATCH_DIALOGS * 5, total)))
    with engine.connect() as conn, conn.begin():
        book.end(conn)
        # Each client was compared when it came; a new hub looks through all of them once.
        last = conn.execute(select(func.max(clients.c.id))).scalar_one()
        conn.execute(insert(cursors).values(name="acquaintance.client", event_id=last))
        conn.execute(text("ANALYZE" if one.url else "PRAGMA optimize=0x10002"))
    engine.dispose()
    print(f"added the customers of {one.count:,} messages in {time.monotonic() - began:.0f} s")


class Book:
    """Who the customers are and what they want."""

    def __init__(
        self, one: House, agents: list[int], steps: list[tuple[int, int]], namesakes: int
    ) -> None:
        self._count, self._agents, self._steps = one.count, agents, steps
        self._dice = random.Random(23)
        names = Vocabulary().names()
        self._names = [word.title() for word in names[: len(names) // namesakes]]
        self._begin = system_now() - (one.count + 1) * STEP_US
        self._now = system_now()

    def _at(self, kind: str, n: int) -> int:
        return self._begin + n * SHARES[kind] * STEP_US

    def _id(self, kind: str, n: int) -> int:
        # The first five numbers of an instant are those of the past.
        return id_for_instant(self._at(kind, n)) + 10 + list(SHARES).index(kind)  # type: ignore[arg-type]

    def write(self, uow: UnitOfWork, kind: str, numbers: range) -> None:
        """Write some objects of a kind."""
        make = getattr(self, f"_{kind}")
        rows = [
            (self._id(kind, n), {"created_at": self._at(kind, n), **make(uow, n)}) for n in numbers
        ]
        create_many(uow, NOUNS[kind], rows)
        if kind == "client":
            index_cards(uow.conn, "client", [number for number, _ in rows])

    def _owner(self, n: int) -> int:
        return self._agents[n % len(self._agents)] if n % 7 else 0

    def _of(self, n: int) -> dict[str, Any]:
        return {"client_id": self._id("client", n * 3 % (self._count // SHARES["client"]))}

    def name_of(self, n: int) -> str:
        """Give the name of a client."""
        names = self._names
        return f"{names[n * 7919 % len(names)]} {names[n * 104_729 % len(names)]}"

    def _client(self, uow: UnitOfWork, n: int) -> dict[str, Any]:
        return {
            "name": self.name_of(n), "phone": f"+7912{n:07}", "email": f"p{n}@example.org",
            "organisation": n % 3 == 0, "status": ("prospect", "active", "lost")[n % 3],
            "region": ("Pskov", "Moscow", "Kazan")[n % 3], "source": SOURCES[n % len(SOURCES)],
            "owner_id": self._owner(n), "completeness": n % 101,
            **({"tags": ("vip",)} if n % 50 == 0 else {}),
        }  # fmt: skip

    def _lead(self, uow: UnitOfWork, n: int) -> dict[str, Any]:
        last = n >= self._count // SHARES["lead"] * 19 // 20
        status = ("new", "in_work")[n % 2] if last else ("qualified", "unqualified")[n % 2]
        return {
            "title": f"Lead {self.name_of(n)}", "name": self.name_of(n), "status": status,
            "phone": f"+7913{n:07}", "source": SOURCES[n % len(SOURCES)],
            "owner_id": self._owner(n), "closed_at": 0 if last else self._at("lead", n) + DAY_US,
        }  # fmt: skip

    def _request(self, uow: UnitOfWork, n: int) -> dict[str, Any]:
        last = n >= self._count // SHARES["request"] * 19 // 20
        at = self._at("request", n)
        due = self._now + self._dice.randrange(-3 * DAY_US, 10 * DAY_US) if last else 0
        return {
            "number": n + 1, "title": f"Request {self.name_of(n)}", "due_at": due,
            "status": ("new", "in_work", "waiting")[n % 3] if last else "closed",
            "priority": ("normal", "low", "high", "urgent")[n % 4], "owner_id": self._owner(n),
            "solution_due": due, "overdue": bool(due and due < self._now),
            "closed_at": 0 if last else at + DAY_US, "solved_at": 0 if last else at + DAY_US,
            **self._of(n),
        }  # fmt: skip

    def _interest(self, uow: UnitOfWork, n: int) -> dict[str, Any]:
        last = n >= self._count // SHARES["interest"] * 19 // 20
        at = self._at("interest", n)
        way = self._steps[: 1 + n % len(self._steps)]
        stays = [
            {
                "id": self._id("interest", n) * 1 + 20 + k, "interest_id": self._id("interest", n),
                "stage_id": stage, "entered_at": at + k * DAY_US // 8,
                "left_at": 0 if last and k == len(way) - 1 else at + (k + 1) * DAY_US // 8,
            }
            for k, (stage, _) in enumerate(way)
        ]  # fmt: skip
        uow.conn.execute(insert(interest_stays), stays)
        status = "in_work" if last else ("won", "lost", "lost")[n % 3]
        return {
            "title": f"Interest {self.name_of(n)}", "status": status, "pipeline_id": way[-1][1],
            "stage_id": way[-1][0], "stage_since": at + (len(way) - 1) * DAY_US // 8,
            "amount": n % 1000 * 10_000, "currency": "RUB", "owner_id": self._owner(n),
            "source": SOURCES[n % len(SOURCES)], "next_step_at": self._now + DAY_US if last else 0,
            "closed_at": 0 if last else at + DAY_US, **self._of(n),
        }  # fmt: skip

    def _task(self, uow: UnitOfWork, n: int) -> dict[str, Any]:
        last = n >= self._count // SHARES["task"] * 19 // 20
        due = self._now + self._dice.randrange(-2 * DAY_US, 14 * DAY_US)
        return {
            "title": f"Task {n}", "status": "open" if last else "done",
            "owner_id": self._agents[n % len(self._agents)], "due_at": due if last else 0,
            "object_kind": "client", "object_id": self._of(n)["client_id"],
        }  # fmt: skip

    def end(self, conn: Connection) -> None:
        """Join people with their cards, and count."""
        people = list(conn.execute(select(contacts.c.id).order_by(contacts.c.id)).scalars())
        cursor = conn.connection.cursor()
        mark = "?" if conn.dialect.name == "sqlite" else "%s"
        cursor.executemany(
            f"UPDATE contacts SET client_id = {mark} WHERE id = {mark}",
            [(self._id("client", n * 4), one) for n, one in enumerate(people) if n % 2],
        )
        cursor.close()
        number = self._count // SHARES["request"]
        conn.execute(delete(sequences).where(sequences.c.name == "request:1"))
        conn.execute(insert(sequences).values(name="request:1", value=number))
        for kind, share in SHARES.items():
            table = NOUNS[kind].table
            found = conn.execute(select(func.count()).select_from(table)).scalar_one()
            if found != self._count // share:
                raise SystemExit(f"{found} {kind}s instead of {self._count // share}")

    def some_clients(self, conn: Connection, dice: random.Random, count: int) -> list[Any]:
        """Give some clients at random."""
        total = self._count // SHARES["client"]
        ids = [self._id("client", dice.randrange(total)) for _ in range(count)]
        return list(conn.execute(select(clients).where(clients.c.id.in_(ids))))
