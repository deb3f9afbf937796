"""Where there is no room: all or nothing, said apart from other failures, and over by itself."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from crm_store.blobs import BlobStore
from crm_store.room import lacks_room
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.tables.people import contacts
from tests.houses import House, house, message


@contextmanager
def no_more_pages(home: House) -> Iterator[None]:
    """Let the database grow no more (SQLite's own limit), then again as it likes."""
    database = home.runtime.database
    with database.administer() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1")
    try:
        yield
    finally:
        with database.administer() as conn:
            conn.exec_driver_sql("PRAGMA max_page_count = 4294967294")


async def test_a_database_without_room_takes_whole_groups_or_nothing(
    tmp_path: Path, database_url: str
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("the room of PostgreSQL is its server's")
    async with house(tmp_path, database_url) as home:
        await home.receive(message("first"))
        account = await home.system.account(home.pigeon)
        many = [message(f"k{n}", f"person{n}", "x" * 900_000) for n in range(5)]
        with no_more_pages(home):
            with pytest.raises(OperationalError) as found:
                await home.runtime.receive(account, many, mark="5")
            assert lacks_room(found.value)
            assert home.runtime.lacks_room()
            with pytest.raises(OperationalError):
                await home.receive(*many)
        for table in (arrivals, messages, dialogs, contacts):
            rows = await home.runtime.database.read(
                lambda conn, t=table: conn.execute(select(t)).all()  # type: ignore[misc]
            )
            assert len(rows) == 1, table.name
        assert (await home.system.account(home.pigeon)).mark == ""
        await home.runtime.receive(account, many, mark="5")
        assert (await home.system.account(home.pigeon)).mark == "5"
        assert not home.runtime.lacks_room()


def test_a_file_without_room_leaves_nothing(tmp_path: Path) -> None:
    store, source = BlobStore(tmp_path / "blobs"), tmp_path / "large"
    source.write_bytes(b"x" * 300_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        for put, what in ((store.put, source.read_bytes()), (store.put_file, source)):
            with pytest.raises(OSError, match="too large") as found:
                put(what)  # type: ignore[operator]
            assert lacks_room(found.value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not [one for one in (tmp_path / "blobs").rglob("*") if one.is_file()]
    name, _, size = store.put(source.read_bytes())
    assert (len(store.get(name)), size) == (300_000, 300_000)


def test_other_failures_are_not_for_want_of_room() -> None:
    assert not lacks_room(TimeoutError())
    assert not lacks_room(OperationalError("insert", {}, sqlite3.OperationalError("locked")))
