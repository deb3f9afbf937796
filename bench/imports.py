"""Rows of an import per second, against the rawest way to put as many rows into the same tables.

    python -m bench.imports [--rows 20000] [--database sqlite|postgres]

The raw limit inserts ready rows of clients, contacts and addresses in the same batches and
transactions, without reading a file, matching, checking or recording anything.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.figures import load, share
from bench.house import DURABLE, ROOMY
from crm_store import imports as store
from crm_store.bulk import create_many
from crm_store.objects import NOUNS
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import Transaction, UnitOfWork
from hub import SYSTEM, StartImport
from hub.handle import BoundHub
from hub.importing import BATCH, upload, work
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from tests.servers.postgres import Postgres

GATE, GOAL = 0.2, 0.4


def a_file(folder: Path, rows: int) -> Path:
    """A file of people as a spreadsheet writes it."""
    lines = [f"Person {n};+7912{n:07};p{n}@example.org;Pskov" for n in range(rows)]
    path = folder / "people.csv"
    path.write_text("\n".join(["Name;Phone;Email;Region", *lines]))
    return path


def raw_batch(tx: Transaction, calls: list[list[int]]) -> list[None]:
    """Ready rows of the same tables."""
    uow = UnitOfWork(tx, actor=SYSTEM)
    for numbers in calls:
        ids = [(n, uow.new_id(), uow.new_id()) for n in numbers]
        people = [
            {"name": f"Raw {n}", "phone": f"+7913{n:07}", "email": f"r{n}@example.org",
             "region": "Pskov"}
            for n, _, _ in ids
        ]  # fmt: skip
        pairs = [(client, values) for (_, client, _), values in zip(ids, people, strict=True)]
        create_many(uow, NOUNS["client"], pairs)
        uow.conn.execute(
            insert(contacts),
            [
                {"id": person, "client_id": client, "name": f"Raw {n}", "name_folded": f"raw {n}",
                 "created_at": uow.now, "last_at": uow.now}
                for n, client, person in ids
            ],
        )  # fmt: skip
        uow.conn.execute(
            insert(addresses),
            [
                {"id": uow.new_id(), "contact_id": person, "kind": kind, "value": value,
                 "name": "", "profile": {}, "created_at": uow.now}
                for n, _, person in ids
                for kind, value in (("phone", f"+7913{n:07}"), ("email", f"r{n}@example.org"))
            ],
        )  # fmt: skip
    return [None] * len(calls)


async def raw(hub: BoundHub, rows: int) -> float:
    """Give rows per second of the raw limit."""
    began = time.perf_counter()
    for start in range(0, rows, BATCH):
        await hub.runtime.database.write(raw_batch, list(range(start, min(rows, start + BATCH))))
    return rows / (time.perf_counter() - began)


async def imported(hub: BoundHub, path: Path, rows: int) -> tuple[float, float, float]:
    """Give rows per second of the dry run, of the import, and of taking it back."""
    import_id = await upload(hub, "client", path.name, path)
    found = []
    for what in ("check", "run", "undo"):
        await hub.do(StartImport(import_id=import_id, what=what))
        began = time.perf_counter()
        await work(hub, import_id)
        found.append(rows / (time.perf_counter() - began))
    one = await hub.read(store.one_import, import_id)
    assert one.counts["created"] == one.undone["removed"] == rows, one
    return found[0], found[1], found[2]


async def measure(folder: Path, url: str, rows: int) -> dict[str, Any]:
    """Measure one database."""
    settings = HubSettings(data=folder / "data", database_url=url)
    runtime = Runtime(settings, plugins=PluginHost())
    runtime.migrate()
    await runtime.start()
    try:
        hub = runtime.handle(SYSTEM)
        limit = await raw(hub, rows)
        check, run, undo = await imported(hub, a_file(folder, rows), rows)
        return {"limit": limit, "check": check, "run": run, "undo": undo}
    finally:
        await runtime.stop()


def main() -> None:
    """Print what each database reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    kinds = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    for kind in kinds:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = ""
            if kind == "postgres":
                server = stack.enter_context(Postgres(DURABLE | ROOMY))
                url = server.cluster.create_database("imports")
            found = asyncio.run(measure(folder, url, given.rows))
        ratio = found["run"] / found["limit"]
        print(
            f"{kind}: import {found['run']:.0f} rows/s of {found['limit']:.0f} raw = {ratio:.2f} "
            f"{share(ratio, GATE, GOAL)}; dry run {found['check']:.0f}, "
            f"undo {found['undo']:.0f} rows/s; {load()}"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
