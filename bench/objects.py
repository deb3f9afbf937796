"""T8, T9 and T11 of the CRM store: lists, boards, cards, funnel, search and the check for duplicates.

    python -m bench.objects --messages 1000000 --database both

The house has a million messages, 100,000 dialogs, 200,000 clients, and leads, requests, interests and
tasks beside them (bench/customers.py). SQL: what the screens ask the store, with the rights of agents
and an administrator. HTTP: the same screens from the real server. T11 compares with a house of a tenth
of the size in the same run; what is found by names also with one of a tenth where as many clients have
a name, so that as much is found and shown. Raw limit: fifty clients read by index through the driver alone.
`--processor` counts this process's processor time instead of the clock: other work on the machine
spoils it less, and it is all there is to SQLite's questions; of PostgreSQL's it is the small part.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, func, select

from bench.customers import SHARES, customers
from bench.figures import against, load, quantile, timed
from bench.house import House, house
from bench.served import Caller, Served, serve
from crm_store import boards, duplicates, journey, objects, person_timeline, search, search_people
from crm_store.engine import make_engine
from crm_store.funnel import FunnelQuery, funnel
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from crm_store.sql import keep_plans, plan_anew, plan_for_all
from crm_store.tables.interests import stages
from crm_store.tables.people import clients, contacts
from crm_store.tables.users import users
from crm_store.viewer import Reader, load_viewer
from hub.ids import Micros, PipelineId
from hub.objects import Actor, ActorKind
from hub.properties import DAY
from hub.runtime import system_now
from hub.web.interest_boards import SHOWN

SQL_GATE, SQL_GOAL = 5.0, 3.0
HTTP_GATE, HTTP_GOAL = 20.0, 12.0
SEARCH = {"sqlite": (10.0, 5.0), "postgres": (100.0, 20.0)}
GROWTH_GATE, GROWTH_GOAL = 1.5, 1.2
FOUND = ("people found", "clients found", "search")
"""What is measured against T9 instead of T8."""
BY_NAME = ("clients found", "duplicates")
"""What grows with how many have a name."""
QUESTIONS, HTTP_QUESTIONS = 100, 60
WARM = 15
"""So many of each before anything is measured: a plan for all is made after some ten."""
Times = dict[str, list[float]]
Clock = Callable[[], float]


class Asking:
    """The questions of the screens over one house."""

    def __init__(self, one: House, conn: Connection) -> None:
        self._dice = random.Random(1)
        self._conn, self._kind = conn, one.kind
        # A server that is at work has its clients at hand. What is found by words stands all over
        # their table: the questions that warm it bring in all of a small one, and little of a large.
        conn.execute(select(func.count()).where(clients.c.version >= 0)).scalar_one()
        agents = list(conn.execute(select(users.c.id).order_by(users.c.id)).scalars())
        self._readers = [
            Reader(
                conn=conn,
                viewer=load_viewer(conn, Actor(kind=ActorKind.USER, id=agent)),
                now=system_now(),
            )
            for agent in agents
        ]
        self._clients = list(conn.execute(select(clients).limit(20_000)))
        self._dice.shuffle(self._clients)
        self._people = list(
            conn.execute(
                select(contacts.c.id, contacts.c.client_id, contacts.c.name)
                .where(contacts.c.client_id > 0)
                .limit(5000)
            )
        )
        self._stages = list(conn.execute(select(stages.c.id)).scalars())
        self._words = one.words
        client = NOUNS["client"]
        self._deep = objects.page(self._readers[0], client, ObjectQuery(limit=200)).next
        mark = "?" if one.kind == "sqlite" else "%s"
        self._raw = f"SELECT * FROM clients WHERE id < {mark} ORDER BY id DESC LIMIT 50"
        self._cursor = conn.connection.cursor()

    def _bare(self, client_id: int) -> None:
        self._cursor.execute(self._raw, (client_id,))
        self._cursor.fetchall()

    def _board(self, reader: Reader) -> None:
        keep_plans(reader.conn)
        open_ones = {"field": "interest.status", "operator": "equals", "value": "in_work"}
        boards.stage_heaps(reader, ObjectQuery(filter=open_ones))
        queries = []
        for stage in self._stages:
            of = {"field": "interest.stage", "operator": "equals", "value": stage}
            tree = {"all": [open_ones, of]}
            queries.append(ObjectQuery(filter=tree, sort="-stage_since"))
        objects.pages(reader, NOUNS["interest"], queries, SHOWN)

    def _card(self, reader: Reader, person: Any) -> None:
        # As the page does, in a transaction of its own.
        plan_for_all(reader.conn)
        card = objects.one(reader, NOUNS["client"], person.client_id)
        subject = person_timeline.of_card(reader, person.client_id)
        person_timeline.timeline(reader, subject)
        journey.way(reader, subject, card)

    def forget(self) -> None:
        """Let nobody know what an earlier question found out, nor how it was planned: each is a read
        of its own."""
        for reader in self._readers:
            reader.known.clear()
        plan_anew(self._conn)

    def round(self) -> dict[str, Any]:
        """Give one question of each kind."""
        dice = self._dice
        reader, client, person = (
            dice.choice(self._readers), dice.choice(self._clients), dice.choice(self._people),
        )  # fmt: skip
        word = client.name.split()[-1]
        mine = {"field": "client.owner", "operator": "equals", "value": "me"}
        late = {"field": "request.overdue", "operator": "equals", "value": True}
        page = partial(objects.page, reader)
        # The screen's own period.
        since = Micros(system_now() - 90 * DAY)
        card = {"name": client.name, "phone": client.phone, "email": "new@example.org"}
        return {
            "raw 50 clients": partial(self._bare, client.id),
            "clients": partial(page, NOUNS["client"], ObjectQuery()),
            "clients, deep": partial(page, NOUNS["client"], ObjectQuery(before=self._deep)),
            "clients by name": partial(page, NOUNS["client"], ObjectQuery(sort="name")),
            "my clients": partial(page, NOUNS["client"], ObjectQuery(filter=mine)),
            "clients found": partial(page, NOUNS["client"], ObjectQuery(text=word)),
            "client's card": partial(self._card, reader, person),
            "leads": partial(page, NOUNS["lead"], ObjectQuery()),
            "requests by date": partial(page, NOUNS["request"], ObjectQuery(sort="due_at")),
            "requests, late": partial(
                page, NOUNS["request"], ObjectQuery(filter=late, sort="due_at")
            ),
            "kanban": partial(self._board, reader),
            "funnel": partial(funnel, reader, FunnelQuery(pipeline_id=PipelineId(1), since=since)),
            "funnel, all time": partial(funnel, reader, FunnelQuery(pipeline_id=PipelineId(1))),
            "people found": partial(search_people.search_contacts, reader, person.name),
            "search": partial(search.search, reader, dice.choice(self._words["1 in 300"])),
            "duplicates": partial(duplicates.alike, reader, "client", card),
        }


def sql(one: House, questions: int, clock: Clock = time.perf_counter) -> Times:
    """Ask the store what the screens ask it; milliseconds by name."""
    engine = make_engine(one.runtime().settings.database, writer=False)
    times: Times = {}
    with engine.connect() as conn, conn.begin():
        asking = Asking(one, conn)
        for n in range(questions + WARM):
            for name, call in asking.round().items():
                asking.forget()
                took = timed(call, clock)
                if n >= WARM:
                    times.setdefault(name, []).append(took)
    engine.dispose()
    return times


async def http(one: House, served: Served, questions: int) -> Times:
    """Ask the server for the screens, one request at a time."""
    dice = random.Random(2)
    callers = [Caller(served, session) for session in served.sessions]
    engine = make_engine(one.runtime().settings.database, writer=False)
    with engine.connect() as conn:
        known = list(conn.execute(select(clients.c.id, clients.c.name).limit(5000)))
    engine.dispose()
    times: Times = {}
    for n in range(questions + WARM):
        caller, client = dice.choice(callers), dice.choice(known)
        word = client.name.split()[-1]
        asked = {
            "bare page": "/healthz",
            "clients": "/clients",
            "clients found": f"/clients?q={quote(word)}",
            "client's card": f"/clients/{client.id}",
            "leads": "/leads",
            "lead board": "/leads/board",
            "requests": "/requests",
            "request board": "/requests/board",
            "kanban": "/interests",
            "funnel": "/interests/funnel",
            "my day": "/day",
            "search": f"/search?q={quote(dice.choice(one.words['1 in 300']))}",
        }
        for name, path in asked.items():
            began = time.perf_counter()
            await caller.call("GET", path)
            if n >= WARM:
                times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    for caller in callers:
        caller.close()
    return times


def table(title: str, kind: str, times: Times, gate: float, goal: float) -> None:
    """Print one table with what each figure is held against."""
    print(title)
    for name, taken in times.items():
        p95 = quantile(taken, 0.95)
        of = SEARCH[kind] if name in FOUND and gate == SQL_GATE else (gate, goal)
        said = "" if name.startswith(("raw", "bare")) else against(p95, *of, " ms")
        print(f"  {name:18}{quantile(taken, 0.5):>9.2f}{p95:>9.2f}  {said}")


def growth(kind: str, found: dict[int, Times], alike: Times) -> None:
    """Print T11, each reading for itself; `alike` are those of as many namesakes in a smaller house."""
    small, large = sorted(found)
    print(f"T11, {kind}, {small:,} to {large:,} messages, growth of p95:")
    for name in found[large]:
        if not name.startswith("raw"):
            ratio = quantile(found[large][name], 0.95) / quantile(found[small][name], 0.95)
            print(f"  {name:18}{ratio:>9.2f}  {against(ratio, GROWTH_GATE, GROWTH_GOAL)}")
    for name, taken in alike.items():
        ratio = quantile(found[large][name], 0.95) / quantile(taken, 0.95)
        print(f"  {name:18}{ratio:>9.2f}  from as many namesakes in {small:,} messages")


def run(kind: str, count: int, questions: int, *, small_too: bool, processor: bool) -> None:
    """Measure one database at the size, and at a tenth of it."""
    clock, unit = (
        (time.process_time, "ms of the processor") if processor else (time.perf_counter, "ms")
    )
    with ExitStack() as stack:
        past = stack.enter_context(house(kind, count))
        large = stack.enter_context(customers(past))
        houses = [large]
        if small_too:
            little = stack.enter_context(house(kind, count // 10, past.cluster))
            houses.insert(0, stack.enter_context(customers(little)))
            crowded = stack.enter_context(customers(little, count // little.count))
        found: dict[int, Times] = {}
        for one in (*houses, *reversed(houses)):
            for name, taken in sql(one, questions, clock).items():
                found.setdefault(one.count, {}).setdefault(name, []).extend(taken)
        # Among all others, as in the large house: what is asked alone is quicker.
        every = sql(crowded, questions, clock) if small_too else {}
        alike = {name: taken for name, taken in every.items() if name in BY_NAME}
        pages: Times = {}
        if not processor:
            with serve(large, 20) as served:
                pages = asyncio.run(http(large, served, HTTP_QUESTIONS))
    sizes = ", ".join(f"{count // share:,} {name}s" for name, share in SHARES.items())
    title = f"{kind}, {count:,} messages, {sizes}"
    table(f"{title}: SQL, {unit}, p50 and p95; {load()}", kind, found[count], SQL_GATE, SQL_GOAL)
    if pages:
        table(f"{title}: HTTP, ms, p50 and p95; {load()}", kind, pages, HTTP_GATE, HTTP_GOAL)
    if small_too:
        growth(kind, found, alike)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--no-growth", action="store_true", help="the large house alone")
    parser.add_argument("--processor", action="store_true", help="processor time, no clock")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    for kind in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        run(
            kind,
            given.messages,
            given.questions,
            small_too=not given.no_growth,
            processor=given.processor,
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
