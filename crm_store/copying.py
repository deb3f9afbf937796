"""Copying a whole database: SQLite as its file, both kinds as rows that either can take in.

Rows are JSON lines, one file a table: the first line names the columns, each further one is a
row. What can be made again (search index) or must not come back (sessions, leases) is left out.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    LargeBinary,
    MetaData,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    union,
)

from crm_store.holding import ALIVE, hold_everything
from crm_store.journal import new_epoch, set_meta
from crm_store.search_index import start_reindex
from crm_store.tables.dialogs import attachments, blobs, bodies, dialogs, messages
from crm_store.tables.journal import leases, workers
from crm_store.tables.people import contacts
from crm_store.tables.users import accounts, sessions, users
from crm_store.work import living_workers
from hub.records.system import Held

BATCH = 500
LEFT_OUT = (
    "message_terms",
    "dialog_terms",
    "contact_grams",
    "grams_",
    "funnel_",
    "sessions",
    "leases",
    "workers",
)
VERSIONS = "schema_version"
COUNTED = (users, accounts, contacts, dialogs, messages, blobs)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a living SQLite database in one consistent step; writers are not held up."""
    with sqlite3.connect(source, timeout=30) as origin, sqlite3.connect(target) as copy:
        origin.backup(copy)
        # One file that needs no companions.
        copy.execute("PRAGMA journal_mode = DELETE")
    origin.close()
    copy.close()


def counts(conn: Connection) -> dict[str, int]:
    """Count what a person would ask after."""
    return {
        one.name: int(conn.execute(select(func.count()).select_from(one)).scalar_one())
        for one in COUNTED
    }


def holds_anything(conn: Connection) -> bool:
    """Say whether there is something that a restore would destroy."""
    return any(
        conn.execute(select(one.c.id).limit(1)).first() is not None
        for one in (users, accounts, dialogs)
    )


def is_running(conn: Connection, now: int) -> bool:
    """Say whether some process works on the database."""
    return bool(living_workers(conn, now))


def blob_ids(conn: Connection) -> list[str]:
    """Give the name of every file that some row names."""
    named = union(
        select(blobs.c.id),
        select(bodies.c.raw_blob).where(bodies.c.raw_blob != ""),
        select(attachments.c.blob_id).where(attachments.c.blob_id != ""),
    )
    return sorted(conn.execute(named).scalars())


# -- rows ----------------------------------------------------------------------------------


def tables_of(conn: Connection) -> list[Table]:
    """Give every table whose rows are copied, plugins' too, as the database has them."""
    names = [
        name
        for name in inspect(conn).get_table_names()
        if not name.startswith(LEFT_OUT)
        and not name.endswith(VERSIONS)
        and not name.startswith("sqlite_")
    ]
    metadata = MetaData()
    metadata.reflect(conn, only=names)
    return [metadata.tables[name] for name in sorted(names)]


def dump(conn: Connection, table: Table) -> Iterator[bytes]:
    """Give a table as lines; what the database works out itself is left out."""
    columns = [one for one in table.columns if one.computed is None]
    binary = [isinstance(one.type, LargeBinary) for one in columns]
    yield orjson.dumps([one.name for one in columns]) + b"\n"
    streamed = conn.execution_options(stream_results=True, yield_per=BATCH)
    for row in streamed.execute(select(*columns)):
        values = [
            base64.b64encode(value).decode() if is_raw else value
            for value, is_raw in zip(row, binary, strict=True)
        ]
        yield orjson.dumps(values) + b"\n"


def load(conn: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Take a table's lines in; gives how many rows."""
    source = iter(lines)
    names = orjson.loads(next(source))
    binary = {one.name for one in table.columns if isinstance(one.type, LargeBinary)}
    rows: list[dict[str, Any]] = []
    total = 0
    conn.execute(delete(table))
    for line in source:
        row = dict(zip(names, orjson.loads(line), strict=True))
        for name in binary & row.keys():
            row[name] = base64.b64decode(row[name])
        rows.append(row)
        if len(rows) == BATCH:
            total += _insert(conn, table, rows)
            rows = []
    return total + _insert(conn, table, rows)


def _insert(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    if rows:
        conn.execute(insert(table), rows)
    return len(rows)


def drop_everything(conn: Connection) -> None:
    """Empty a PostgreSQL schema of every table, ours and the plugins'."""
    for name in inspect(conn).get_table_names():
        quoted = conn.dialect.identifier_preparer.quote(name)
        conn.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted} CASCADE")


def finish_loading(conn: Connection) -> None:
    """Make what the rows do not bring: counters of the journal, the search index."""
    if conn.dialect.name == "postgresql":
        conn.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('journal', 'id'),"
                " (SELECT coalesce(max(id), 1) FROM journal),"
                " EXISTS (SELECT 1 FROM journal))"
            )
        )
    start_reindex(conn)


# -- after a restore -----------------------------------------------------------------------


def make_safe(conn: Connection, now: int) -> Held:
    """Turn a restored database into one that may be started: nothing of it leaves by itself.

    A new epoch sends every reader of the event stream through a resync. Whoever was logged in
    then is not now: a session that was ended since would live again.
    """
    new_epoch(conn)
    for table in (sessions, leases, workers):
        conn.execute(delete(table))
    held = hold_everything(conn, now)
    set_meta(conn, ALIVE, str(now))
    return held
