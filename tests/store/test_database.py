"""Group commit: one BEGIN and one COMMIT for many calls, and only the guilty call fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select

from crm_store.database import Database
from crm_store.journal import events_after
from crm_store.sql import keep_plans
from crm_store.tables.journal import journal
from crm_store.tables.users import teams
from crm_store.unit_of_work import Transaction
from hub import CreateContact, Invalid, PublishEvent
from hub.events import EventRegistry, TeamChanged
from hub.ids import IdMaker, TeamId
from hub.runtime import system_now
from tests.houses import house


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    one = Database(database_url, now=system_now)
    one.start(IdMaker(7, system_now))
    yield one
    one.close()


def add_team(tx: Transaction, names: list[str]) -> list[int]:
    """Write a row per name; a bad name fails."""
    made = []
    for name in names:
        if name == "bad":
            raise ValueError(name)
        number = tx.new_id()
        tx.conn.execute(insert(teams).values(id=number, name=name))
        tx.events.append(TeamChanged(team_id=TeamId(number)))
        made.append(number)
    return made


def blocked(database: Database) -> tuple[threading.Event, Any]:
    """Hold every writer, so that what comes meanwhile waits together."""
    gate = threading.Event()
    held = threading.Semaphore(0)

    def wait(tx: Transaction, items: list[None]) -> list[None]:
        held.release()
        gate.wait(60)
        return [None] * len(items)

    futures = []
    for n in range(len(database._threads)):
        futures.append(database.submit(wait, n))
        # One after the other: two that wait together would be taken by the same writer.
        assert held.acquire(timeout=60)
    return gate, futures


async def test_calls_that_wait_together_share_one_commit(database: Database) -> None:
    statements: list[str] = []
    gate, held = blocked(database)
    event.listen(database._writer, "begin", lambda conn: statements.append("BEGIN"))
    event.listen(database._writer, "commit", lambda conn: statements.append("COMMIT"))
    event.listen(database._writer, "savepoint", lambda conn, name: statements.append("SAVEPOINT"))
    waiting = [asyncio.ensure_future(database.write(add_team, f"t{n}")) for n in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    for one in held:
        one.result(10)
    assert "SAVEPOINT" not in statements
    groups = max(database.group_sizes)
    assert groups >= 20 / len(database._threads) / 2
    assert statements.count("COMMIT") <= 2 * len(database._threads) + 1


async def test_only_the_guilty_call_fails(database: Database) -> None:
    gate, _ = blocked(database)
    names = ["a", "b", "bad", "c"]
    waiting = [asyncio.ensure_future(database.write(add_team, name)) for name in names]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, ValueError) for one in results] == [False, False, True, False]
    rows = database.read_now(lambda conn: conn.execute(select(teams.c.name)).scalars().all())
    assert sorted(rows) == ["a", "b", "c"]
    facts = database.read_now(lambda conn: conn.execute(select(journal.c.type)).scalars().all())
    assert len(facts) == 3


async def test_a_reader_of_the_journal_never_skips(database: Database) -> None:
    registry = EventRegistry()
    registry.add(TeamChanged)
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        last = 0
        while True:
            finished = done.is_set()
            found, last = database.read_now(
                lambda conn, after=last: events_after(conn, registry, after, 100)
            )
            seen.extend(one.id for one in found)
            if finished and not found:
                return

    reader = asyncio.create_task(asyncio.to_thread(follow))
    for _ in range(10):
        await asyncio.gather(*(database.write(add_team, "x") for _ in range(40)))
    done.set()
    await reader
    assert len(seen) == 400
    assert seen == sorted(set(seen))


async def test_a_call_that_fails_leaves_nothing(database: Database) -> None:
    def half(tx: Transaction, items: list[str]) -> list[None]:
        tx.conn.execute(insert(teams).values(id=tx.new_id(), name="half"))
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await database.write(half, "x")
    assert database.read_now(lambda conn: conn.execute(select(teams.c.id)).all()) == []


async def test_readers_cannot_write(database: Database, tmp_path: Path) -> None:
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError):
        database.read_now(lambda conn: conn.execute(insert(teams).values(id=1, name="x")))


async def test_an_error_names_its_statement_and_none_of_its_values(database: Database) -> None:
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError) as found:
        database.read_now(lambda conn: conn.execute(insert(teams).values(id=1, name="platypus")))
    assert "INSERT INTO teams" in str(found.value)
    assert "platypus" not in str(found.value)


async def test_whatever_a_listener_raises_the_writer_goes_on(database: Database) -> None:
    def gone(events: object) -> None:
        # Not an Exception: what `except Exception` lets through.
        raise asyncio.CancelledError

    database.on_commit = gone
    for _ in range(2 * len(database._threads)):
        assert await asyncio.wait_for(database.write(add_team, "next"), 30)


async def test_what_fails_after_a_commit_does_not_repeat_it(database: Database) -> None:
    def add(tx: Transaction, names: list[str]) -> list[None]:
        add_team(tx, names)
        tx.after_commit.append(fail)
        return [None] * len(names)

    def fail() -> None:
        raise OSError("the disk is gone")

    await database.write(add, "once")
    rows = database.read_now(lambda conn: conn.execute(select(teams.c.name)).scalars().all())
    assert rows == ["once"]


async def test_a_call_that_nobody_waits_for_any_more_stops_nobody(database: Database) -> None:
    gate, _ = blocked(database)
    waiting = database.submit(add_team, "cancelled")
    assert waiting.cancel()
    gate.set()
    await asyncio.wait_for(database.write(add_team, "next"), 30)


async def test_a_question_that_is_asked_again_and_again_is_planned_by_its_values(
    database: Database,
) -> None:
    """A plan for all values knows no index of "queued" or "snoozed" alone."""
    if database.dialect != "postgresql":
        pytest.skip("SQLite looks at the values by itself")
    question = select(teams.c.id).where(teams.c.name == "sales")

    def ask(conn: Connection) -> tuple[int, int]:
        for _ in range(15):
            conn.execute(question)
        made = conn.exec_driver_sql(
            "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements"
            # This question is prepared too, once it was asked so often.
            " WHERE statement LIKE '%%teams%%' AND statement NOT LIKE '%%prepared%%'"
        ).one()
        return int(made[0]), int(made[1])

    def ask_alike(conn: Connection) -> tuple[int, int]:
        keep_plans(conn)
        return ask(conn)

    kept, by_values = database.read_now(ask)
    assert kept == 0
    assert by_values >= 5
    kept, by_values = database.read_now(ask_alike)
    assert kept >= 10
    # For that transaction alone.
    again, more = database.read_now(ask)
    assert again == kept
    assert more > by_values


async def test_a_reading_is_done_once_more_where_its_connection_is_gone(database: Database) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite has no server")

    def backend(conn: Connection) -> int:
        return int(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    before = database.read_now(backend)
    with database.administer() as conn:
        conn.exec_driver_sql("SELECT pg_terminate_backend(%s, 10000)", (before,))
    assert database.read_now(backend) != before


async def test_a_sign_that_cannot_be_kept_refuses_its_command_alone(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        bad = PublishEvent(name="order.ready", text="half a pair: \ud800")
        with pytest.raises(Invalid, match="cannot be kept"):
            await home.system.do(bad)
        gate, _ = blocked(home.runtime.database)
        given = [
            CreateContact(name="Anna"),
            bad,
            CreateContact(name="\udfff"),
            CreateContact(name="Olga"),
        ]
        waiting = [asyncio.ensure_future(home.user.do(one)) for one in given]
        await asyncio.sleep(0.1)
        gate.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(one, Invalid) for one in results] == [False, True, True, False]
