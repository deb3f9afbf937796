"""T6, T7 and T12: a mailing from the durable queue to the wire, and the queue alone.

    python -m bench.mailing --letters 4000 --database both

Personalised HTML letters with an unsubscribe link, one process, into Postfix's smtp-sink, with and
without a DKIM signature (RSA-2048). The yardstick of the same run is `smtp-source -d` over ten
sessions: no queue, no words, no rights. T12 claims and settles the same rows without the wire, by
hundreds, against jobs of 1 KB claimed and settled by hundreds in a bare table. Rows, memory and the
first against the last quarter are printed beside it. A long mailing, whose memory must stay flat:

    python -m bench.mailing --letters 100000 --database sqlite --long
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection, func, insert, select, text

from bench.figures import load, share
from bench.house import DURABLE
from bench.rule_load import resident_mb
from channels import email as email_plugin
from crm_store.engine import make_engine
from crm_store.tables.consents import consents
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses, contacts
from hub import (
    SYSTEM,
    AccountId,
    ClaimDeliveries,
    CreateAccount,
    DeliveryStatus,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
    SettleDelivery,
)
from hub.dispatcher import Dispatcher
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.terms import fold
from tests.servers.postgres import Postgres
from tests.servers.process import find_binary
from tests.servers.smtp_sink import SmtpSink

STYLE = "font-family:sans-serif;color:#222;" * 20
HTML = (
    f'<html><body><p style="{STYLE}">Hello, {{{{ contact.first_name }}}}!</p>'
     "<p>" + "Our spring sale has begun. " * 220 + "</p>"
    '<a href="https://shop.example/sale">Look</a> <a href="{{ unsubscribe_url }}">Unsubscribe</a>'
    "</body></html>"
)  # fmt: skip
TEXT = "Hello, {{ contact.first_name }}!\n\n" + "Our spring sale has begun.\n" * 60
SESSIONS = 10
PARTS = 20
PEERS = {"django-mailer": 289, "Mailman": 100}
"""Letters a second of T7's peers as docs/performance.md has them; they were not run here."""


def signing() -> dict[str, str]:
    """Give the settings of an account that signs, with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"dkim_selector": "hub", "dkim_key": key.decode()}


def _new_id(runtime: Runtime) -> int:
    maker = runtime.database.new_id
    assert maker is not None
    return maker()


def make_people(runtime: Runtime, count: int, kind: str = "email") -> list[tuple[int, int]]:
    """Put people with addresses and consent straight into the tables."""
    made = []

    def write(conn: Connection) -> None:
        now = runtime.now()
        for start in range(0, count, 5_000):
            people, places, words = [], [], []
            for n in range(start, min(count, start + 5_000)):
                person, place = _new_id(runtime), _new_id(runtime)
                made.append((int(person), int(place)))
                people.append(
                    {
                        "id": person,
                        "name": f"Person{n} Smith",
                        "name_folded": fold(f"Person{n} Smith"),
                        "language": "en" if n % 4 else "ru",
                        "language_folded": "en" if n % 4 else "ru",
                        "created_at": now,
                    }
                )
                places.append(
                    {
                        "id": place,
                        "contact_id": person,
                        "kind": kind,
                        "value": f"p{n}@away{n % 50}.example",
                        "created_at": now,
                    }
                )
                words.append({"contact_id": person, "channel": "", "topic": "", "state": "given",
                              "at": now})  # fmt: skip
            for table, rows in ((contacts, people), (addresses, places), (consents, words)):
                known = {one.name for one in table.columns}
                conn.execute(insert(table),
                             [{k: v for k, v in row.items() if k in known} for row in rows])  # fmt: skip

    engine = make_engine(runtime.settings.database, writer=True)
    with engine.begin() as conn:
        write(conn)
    engine.dispose()
    return made


async def queued(runtime: Runtime, account: AccountId, people: list[tuple[int, int]]) -> float:
    """Plan a send and fill the outbox; gives rows a second."""
    hub = runtime.handle(SYSTEM)
    content = ManyContent(subject="News for {{ contact.first_name }}", text=TEXT, html=HTML)
    number = _new_id(runtime)
    ((send_id, ids),) = await hub.do(PlanMany(mailing_id=int(number), contents=(content,)))
    began = time.perf_counter()
    for start in range(0, len(people), 500):
        recipients = tuple(
            ManyRecipient(contact_id=person, address_id=place, account_id=account, content_id=ids[0])  # type: ignore[arg-type]
            for person, place in people[start : start + 500]
        )  # fmt: skip
        await hub.do(SendMany(send_id=send_id, recipients=recipients))
    return len(people) / (time.perf_counter() - began)


def left(conn: Connection) -> int:
    """Count what has not left."""
    waiting = deliveries.c.status.in_(("queued", "claimed", "sending"))
    return int(conn.execute(select(func.count()).where(waiting)).scalar_one())


async def sent(runtime: Runtime, count: int, memory: list[float]) -> tuple[float, float, float]:
    """Let the dispatcher carry everything; gives letters a second, the last quarter's pace against
    the first one's, and the process's time of processor per letter in microseconds. After each
    twentieth the resident memory is noted."""
    used = time.process_time()
    dispatcher = Dispatcher(runtime)
    began = time.perf_counter()
    running = asyncio.create_task(dispatcher.run())
    marks = [began]
    # Counting what is left costs as much as there is, and is done a few hundred times.
    pause = max(0.05, count / 200_000)
    for part in range(PARTS - 1, -1, -1):
        while await runtime.database.read(left) > count * part // PARTS:
            await asyncio.sleep(pause)
        marks.append(time.perf_counter())
        memory.append(resident_mb())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    used = time.process_time() - used
    quarter = PARTS // 4
    growth = (marks[-1] - marks[-1 - quarter]) / (marks[quarter] - marks[0])
    return count / (marks[-1] - began), growth, used / count * 1e6


async def queue_alone(runtime: Runtime, account: AccountId, count: int) -> float:
    """T12: claim and settle by hundreds, without a wire; gives rows a second."""
    hub = runtime.handle(SYSTEM)
    began, done = time.perf_counter(), 0
    while done < count:
        claim = ClaimDeliveries(account_id=account, worker="bench", limit=100, lease_us=60_000_000)
        (found,) = await hub.do(claim)
        if not found:
            break
        # As the dispatcher does it: what ended together is settled together.
        await hub.do(
            *(
                SettleDelivery(delivery_id=number, fence=fence, status=DeliveryStatus.SENT,
                               external_ids=(f"<x{number}@b>",))
                for number, fence in found
            )
        )  # fmt: skip
        done += len(found)
    return done / (time.perf_counter() - began)


RAW_QUEUE = (
    (
        "CREATE TABLE bench_raw (id BIGINT PRIMARY KEY, state TEXT NOT NULL, due_at BIGINT NOT NULL,"
        " leased_until BIGINT NOT NULL, worker TEXT NOT NULL, payload TEXT NOT NULL)"
    ),
    "CREATE INDEX ix_bench_raw ON bench_raw (due_at, id) WHERE state = 'queued'",
)
RAW_CLAIM = (
    "UPDATE bench_raw SET state = 'claimed', leased_until = 5, worker = 'bench' WHERE id IN (SELECT id"
    " FROM bench_raw WHERE state = 'queued' AND due_at <= 1 ORDER BY due_at, id LIMIT 100 {})"
    " RETURNING id, payload"
)
RAW_SETTLE = "UPDATE bench_raw SET state = 'done', leased_until = 0, worker = '' WHERE id {}"


def raw_queue(runtime: Runtime, count: int) -> float:
    """The raw engine: jobs of 1 KB in a bare table of the same database with one index, claimed
    and settled by hundreds through the bare driver; gives jobs a second."""
    sqlite = runtime.database.dialect == "sqlite"
    engine = make_engine(runtime.settings.database, writer=True)
    with engine.begin() as conn:
        for one in RAW_QUEUE:
            conn.execute(text(one))
        conn.execute(
            text("INSERT INTO bench_raw VALUES (:n, 'queued', 0, 0, '', :payload)"),
            [{"n": n, "payload": "x" * 1000} for n in range(count)],
        )
    claim = RAW_CLAIM.format("" if sqlite else "FOR UPDATE SKIP LOCKED")
    settle = RAW_SETTLE.format("= ?" if sqlite else "= ANY(%s)")
    began, done = time.perf_counter(), 0
    while done < count:
        with engine.begin() as conn:
            ids = [one[0] for one in conn.exec_driver_sql(claim).all()]
        with engine.begin() as conn:
            conn.exec_driver_sql(settle, [(one,) for one in ids] if sqlite else (ids,))
        done += len(ids)
    took = time.perf_counter() - began
    with engine.begin() as conn:
        conn.execute(text("DROP TABLE bench_raw"))
    engine.dispose()
    return count / took


def row_bytes(runtime: Runtime) -> float:
    """Give how much room a finished row of a mailing takes with its indexes."""
    engine = make_engine(runtime.settings.database, writer=False)
    with engine.connect() as conn:
        rows = conn.execute(select(func.count()).select_from(deliveries)).scalar_one()
        if runtime.database.dialect == "postgresql":
            size = conn.execute(text("SELECT pg_total_relation_size('deliveries')")).scalar_one()
        else:
            names = "SELECT name FROM sqlite_master WHERE tbl_name = 'deliveries'"
            size = conn.execute(
                text(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})")
            ).scalar_one()
    return float(size) / rows


def pace_of_source(sink: SmtpSink, count: int) -> float:
    """The yardstick: letters of the same size without a hub; gives letters a second."""
    began = time.perf_counter()
    subprocess.run(
        [find_binary("smtp-source", "/usr/sbin", package="postfix"), "-d", "-s", str(SESSIONS),
         "-m", str(count), "-l", "9700", f"127.0.0.1:{sink.port}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return count / (time.perf_counter() - began)


async def measure(
    kind: str, url: str, folder: Path, count: int, *, signed: bool, long: bool
) -> None:
    """Measure one database; a `long` mailing is only sent."""
    host = PluginHost()
    host.add("email", email_plugin)
    settings = HubSettings(
        data=folder, database_url=url, hold_after_hours=1e6, public_url="https://hub.example"
    )
    runtime = Runtime(settings, plugins=host)
    runtime.migrate()
    await runtime.start()
    with SmtpSink() as sink:
        given: dict[str, Any] = {
            "address": "shop@hub.example", "imap_host": "127.0.0.1", "smtp_host": "127.0.0.1",
            "smtp_port": sink.port, "smtp_security": "none", "smtp_login": False,
            "letters_per_second": 5_000, "connections": SESSIONS,
        }  # fmt: skip
        if signed:
            given |= signing()
        command = CreateAccount(channel="email", title="Mail", settings=given)
        (account,) = await runtime.handle(SYSTEM).do(command)
        people = make_people(runtime, count)
        yardstick = pace_of_source(sink, count)
        filled = await queued(runtime, account, people)
        memory = [resident_mb()]
        pace, growth, used = await sent(runtime, count, memory)
        name = "T6 with DKIM" if signed else "T6 without DKIM"
        goal = 0.10 if signed else 0.2
        print(f"{kind:10} {name}: {pace:6.0f} letters/s, {pace / yardstick:.3f} of smtp-source's "
              f"{yardstick:.0f} {share(pace / yardstick, 0.05, goal)}; {used:.0f} us of processor a letter")  # fmt: skip
        for peer, rate in PEERS.items():
            print(f"{kind:10} T7 against {peer}'s {rate}: {pace / rate:.1f}x")
        print(f"{kind:10} filled {filled:.0f} rows/s; last quarter {growth:.2f} of the first; "
              f"{row_bytes(runtime):.0f} bytes a row; resident memory {memory[0]:.0f} MB before, "
              f"{memory[2]:.0f} after a tenth, at most {max(memory):.0f}, {memory[-1]:.0f} at the end")  # fmt: skip
        if not signed and not long:
            await queued(runtime, account, people)
            alone = await queue_alone(runtime, account, count)
            bare = raw_queue(runtime, count)
            print(f"{kind:10} T12: {alone:.0f} rows/s, {alone / bare:.3f} of the raw engine's "
                  f"{bare:.0f} {share(alone / bare, 0.3, 0.6)}")  # fmt: skip
    await runtime.stop()


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=4_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--long", action="store_true", help="only send, without DKIM")
    given = parser.parse_args()
    print(load())
    kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    for kind in kinds:
        for signed in (False,) if given.long else (False, True):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                url = ""
                if kind == "postgresql":
                    server = stack.enter_context(Postgres(DURABLE))
                    url = server.cluster.create_database(f"mailing_{int(signed)}")
                asyncio.run(
                    measure(
                        kind, url, folder / "data", given.letters, signed=signed, long=given.long
                    )
                )
    print(load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
