"""The feed never stops: a fact that nobody can read is put aside by its number."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from crm_store.tables.journal import parked_events
from hub.events import MessageReceived
from tests.houses import House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor_kind", "'nobody'"), ("data", "'[1]'"), ("data", "'{\"bad\": '"), ("cause", "'7'")],
)
async def test_a_fact_that_cannot_be_read_is_parked_and_the_next_is_told(
    home: House, column: str, value: str
) -> None:
    database = home.runtime.database
    if "bad" in value and database.dialect == "postgresql":
        pytest.skip("PostgreSQL keeps nothing that is no JSON")
    await home.runtime.feed.stop()
    await home.receive(message("k1"))

    def spoil(number: int) -> None:
        with database.administer() as conn:
            conn.execute(text(f"UPDATE journal SET {column} = {value} WHERE id = {number}"))

    [(first, _)] = [
        (row[0], row[1])
        for row in await database.read(
            lambda conn: conn.execute(
                text("SELECT id, type FROM journal WHERE type = 'dialog.opened'")
            ).all()
        )
    ]
    spoil(first)
    async with home.runtime.feed.subscribe() as subscription:
        home.runtime.feed.recent.start(0)
        home.runtime.feed._task = asyncio.create_task(home.runtime.feed._run())
        told: list[object] = []
        async with asyncio.timeout(20):
            while not any(isinstance(one, MessageReceived) for one in told):
                told += await subscription.get()
        async with asyncio.timeout(20):
            while not (
                found := await database.read(lambda conn: conn.execute(select(parked_events)).all())
            ):
                await asyncio.sleep(0.02)
    assert [(one.plugin, one.event_id) for one in found] == [("feed", first)]
