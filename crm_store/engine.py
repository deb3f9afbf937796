"""Engines: SQLite and PostgreSQL with the settings that the hub relies on."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from crm_store.rows import dumps

POSTGRES_WRITERS = 3
READERS = 8
PREPARED = 500
"""Statements that a PostgreSQL reader keeps prepared; a page alone has some thirty."""
ASKED_BEFORE = 2
"""So many times a reader asked a question before it is prepared: each of the pages is soon quick on
each connection, and what is asked once, as a list that somebody narrows, does not push them out."""
# A letter's bytes and its HTML are packed by the server: its old way costs more than all the rest
# of writing them. A server that was built without the new one keeps the old.
_PACKED_QUICKLY = (
    "SELECT set_config(name, 'lz4', false) FROM pg_settings"
    " WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
)


def make_engine(url: str, *, writer: bool) -> Engine:
    """Open an engine with the settings that the hub relies on.

    An error names its statement and never its values: it ends in a log, and they are what people
    wrote.
    """
    return (_sqlite if url.startswith("sqlite") else _postgres)(url, writer)


def _sqlite(url: str, writer: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writer else READERS,
        max_overflow=0 if writer else READERS,
        connect_args={"check_same_thread": False, "timeout": 15, "cached_statements": 500},
        json_serializer=dumps,
        json_deserializer=_loads,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        # The driver must not begin or commit by itself: we emit BEGIN, so that a group is
        # exactly one BEGIN and one COMMIT.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA busy_timeout = 15000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(f"PRAGMA cache_size = {-64000 if writer else -16000}")
        if writer:
            # What is removed is overwritten; not every build of SQLite does so unasked.
            cursor.execute("PRAGMA secure_delete = ON")
        else:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if writer:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        # Every page begins several reads, which wait for nobody: SQLAlchemy has nothing to add.
        raw: Any = connection.connection.driver_connection
        raw.execute("BEGIN")

    return engine


def _loads(stored: Any) -> Any:
    """Read a JSON value. To SQLite a column of the type JSON is one of numbers, so that a JSON
    number comes back as a number and not as its text (datatype3, "Determination Of Column
    Affinity")."""
    return stored if isinstance(stored, int | float) else orjson.loads(stored)


def _postgres(url: str, writer: bool) -> Engine:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    # A house on SQLite does without the driver.
    from crm_store.cursors import LazyCursor

    engine = create_engine(
        url,
        connect_args={"cursor_factory": LazyCursor},
        pool_size=POSTGRES_WRITERS if writer else READERS,
        max_overflow=0 if writer else READERS,
        # A reading is done once more where its connection is gone; who writes asks before.
        pool_pre_ping=writer,
        pool_use_lifo=not writer,
        pool_recycle=1800,
        json_serializer=dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,
        isolation_level="READ COMMITTED" if writer else "REPEATABLE READ",
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            if writer:
                cursor.execute(_PACKED_QUICKLY)
            else:
                # Lists are found by indexes of a part of their table ("snoozed", "failed"). A plan
                # made for all values of a prepared statement can use none of them, and walks through
                # all. Planning costs a writer's many small statements more than that would save them.
                cursor.execute("SET plan_cache_mode = force_custom_plan")
                cursor.execute("SET default_transaction_read_only = on")
                connection.prepared_max = PREPARED
                connection.prepare_threshold = ASKED_BEFORE
        connection.commit()

    return engine
