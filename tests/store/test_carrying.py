"""What is claimed ahead is not on the wire: it can be stopped, and never holds an answer up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from crm_store.tables.outbox import deliveries
from hub import (
    OutboundMessage,
    SendMessage,
    SteerMany,
    TemporaryFailure,
    UpdateAccount,
    WithdrawConsent,
)
from hub.dispatcher import Dispatcher
from tests.houses import House, house, letter, until
from tests.store.test_many_limits import person, sent_to

CONNECTIONS = 4


class Held(list[Any]):
    """The far side takes its time until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    def __bool__(self) -> bool:
        return True

    def pop(self, index: Any = -1) -> Any:
        async def outcome(message: OutboundMessage) -> None:
            await self.free.wait()

        return outcome


class Running:
    """A house whose dispatcher alone runs."""

    def __init__(self, home: House) -> None:
        self.home = home
        self.held = Held()
        home.world.outcomes = self.held
        self.dispatcher = Dispatcher(home.runtime)
        self.task = asyncio.create_task(self.dispatcher.run())

    async def counts(self) -> dict[str, int]:
        def read(conn: Connection) -> dict[str, int]:
            rows = conn.execute(
                select(deliveries.c.status, func.count()).group_by(deliveries.c.status)
            )
            return dict(rows.all())

        return await self.home.runtime.database.read(read)

    async def busy(self) -> None:
        """Wait until all connections but the one for people are in use."""
        await until(lambda: len(self.home.world.sent) == CONNECTIONS - 1)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    async with house(tmp_path, database_url) as home:
        one = Running(home)
        try:
            yield one
        finally:
            one.held.free.set()
            await one.stop()


async def people(home: House, count: int) -> list[Any]:
    return [await person(home, f"p{n}@a.example") for n in range(count)]


async def test_no_more_is_being_sent_than_there_are_connections(running: Running) -> None:
    home = running.home
    await sent_to(home, home.letter, await people(home, 20))
    await running.busy()
    await asyncio.sleep(0.2)
    found = await running.counts()
    assert found["sending"] == CONNECTIONS - 1
    assert found["claimed"] > CONNECTIONS
    running.held.free.set()
    await until(lambda: len(home.world.sent) == 20)
    assert len({one.to.value for one in home.world.sent}) == 20


@pytest.mark.parametrize("state", ["paused", "cancelled"])
async def test_a_stopped_mailing_stops_what_was_claimed_ahead(running: Running, state: str) -> None:
    home = running.home
    send = await sent_to(home, home.letter, await people(home, 20))
    await running.busy()
    await home.user.do(SteerMany(send_id=send, state=state))
    running.held.free.set()
    ended = {"paused": "paused", "cancelled": "suppressed"}[state]
    await until(lambda: _are(running, {"sent": CONNECTIONS - 1, ended: 20 - CONNECTIONS + 1}))
    assert len(home.world.sent) == CONNECTIONS - 1
    if state == "paused":
        await home.user.do(SteerMany(send_id=send, state="running"))
        await until(lambda: len(home.world.sent) == 20)


async def _are(running: Running, wanted: dict[str, int]) -> bool:
    return await running.counts() == wanted


async def test_a_paused_account_stops_what_was_claimed_ahead(running: Running) -> None:
    home = running.home
    await sent_to(home, home.letter, await people(home, 20))
    await running.busy()
    await home.user.do(UpdateAccount(account_id=home.letter, paused=True))
    running.held.free.set()
    await until(lambda: _are(running, {"sent": CONNECTIONS - 1, "queued": 20 - CONNECTIONS + 1}))
    await home.user.do(UpdateAccount(account_id=home.letter, paused=False))
    await until(lambda: len(home.world.sent) == 20)


async def test_who_refuses_meanwhile_is_not_sent_what_was_claimed_ahead(running: Running) -> None:
    home = running.home
    everybody = await people(home, 12)
    await sent_to(home, home.letter, everybody)
    await running.busy()
    reached = {one.to.value for one in home.world.sent}
    late = next(one for one in everybody if one.addresses[0].value not in reached)
    await home.user.do(WithdrawConsent(contact_id=late.id, how="link"))
    running.held.free.set()
    await until(lambda: _are(running, {"sent": 11, "suppressed": 1}))
    assert late.addresses[0].value not in {one.to.value for one in home.world.sent}


async def test_an_answer_does_not_wait_for_a_mailing(running: Running) -> None:
    home = running.home
    (received,) = await home.receive(letter("one"), letter=True)
    await sent_to(home, home.letter, await people(home, 20))
    await running.busy()
    await home.user.do(SendMessage(dialog_id=received.dialog_id, text="An answer"))
    await until(lambda: len(home.world.sent) == CONNECTIONS)
    assert home.world.sent[-1].text == "An answer"


async def test_what_was_claimed_ahead_goes_back_when_the_hub_stops(running: Running) -> None:
    home = running.home
    await sent_to(home, home.letter, await people(home, 20))
    await running.busy()
    running.task.cancel()
    await asyncio.sleep(0.05)
    running.held.free.set()
    await asyncio.gather(running.task, return_exceptions=True)
    assert await running.counts() == {"sent": CONNECTIONS - 1, "queued": 20 - CONNECTIONS + 1}


async def test_the_cap_counts_what_another_mailing_has_claimed(running: Running) -> None:
    home = running.home
    running.held.free.set()
    await running.stop()
    everybody = await people(home, 8)
    for number in (1, 2):
        await sent_to(
            home, home.letter, everybody, number=number, advertising=True, cap_count=1, cap_days=7
        )
    running.task = asyncio.create_task(running.dispatcher.run())
    await until(lambda: _are(running, {"sent": 8, "suppressed": 8}))
    assert len({one.to.value for one in home.world.sent}) == len(home.world.sent) == 8


async def test_one_that_fails_does_not_hold_the_others_up(running: Running) -> None:
    home = running.home
    outcomes: list[Any] = [TemporaryFailure("later")]
    home.world.outcomes = outcomes
    await sent_to(home, home.letter, await people(home, 20))
    await until(lambda: len(home.world.sent) >= 20)
    await until(lambda: _are(running, {"sent": 19, "queued": 1}))
