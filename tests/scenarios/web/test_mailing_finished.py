"""A mailing that is finished is a fact: told once, whoever looks and dies, and rules begin with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import select

import plugins.mailings
from crm_store.tables.journal import journal
from crm_store.tables.outbox import deliveries
from crm_store.viewer import Reader
from hub import Conflict, PermanentFailure, RejectReason, SaveRule, UnitOfWork
from hub.handle import BoundHub
from plugins import crm_actions
from plugins.mailings import finishing, sending
from plugins.mailings.commands import SteerMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.finishing import TellFinished, was_told
from tests.houses import US, World, plugin_of, until
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import NAME, _draft, _own, _ready
from triggers import runs
from triggers.moments import all_moments

DAY = 86_400 * US


@pytest.fixture
async def world() -> World:
    return World()


@asynccontextmanager
async def opened(folder: Path, url: str, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), (NAME, plugins.mailings), ("crm_actions", crm_actions))
    async with open_house(folder, url, *parts) as one:
        one.runtime.now = world.now
        one.runtime.database.set_clock(world.now)
        yield one


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    async with opened(tmp_path, database_url, world) as one:
        yield one


def told(reader: Reader) -> list[dict[str, Any]]:
    """Give what the journal holds of finished mailings."""
    rows = reader.conn.execute(
        select(journal.c.data).where(journal.c.type == "mailings.finished").order_by(journal.c.id)
    )
    return [dict(row.data) for row in rows]


async def begun(house: House, number: int) -> BoundHub:
    hub = _own(house)
    await send(hub, await mailing_of(hub, str(number)))
    await sending.tick(hub, {})
    return hub


async def test_a_finished_mailing_is_told_once_and_begins_a_rule(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 4)
    world.outcomes = [PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 nobody")]
    some = {"field": "mailings.failed", "operator": "greater", "value": 0}
    many = {"field": "mailings.failed", "operator": "greater", "value": 3}
    then = [{"action": "crm_actions.notify", "params": {"supervisors": True, "responsible": False}}]
    for name, condition in (("Some", some), ("Many", many)):
        rule = {"name": name, "when": [{"event": "mailings.finished"}], "if": condition}
        await house.system.do(SaveRule(definition={**rule, "then": then}, enabled=True))
    number = await _draft(house, segment, account)
    hub = await begun(house, number)
    assert await house.system.read(told) == [], "it is under way"

    async def finished() -> bool:
        await sending.tick(hub, {})
        return bool(await house.system.read(told))

    await until(finished)
    for _ in range(3):
        await sending.tick(hub, {})
    # Another process that saw the same rows, and one that was killed before its commit.
    assert await hub.do(TellFinished(mailing_id=number, sent=3, failed=1)) == [False]
    with pytest.raises(Conflict, match="finished"):
        await hub.do(SteerMailing(mailing_id=number, state="cancelled"))
    (fact,) = await house.system.read(told)
    assert (fact["sent"], fact["failed"], fact["unknown"], fact["kept_back"]) == (3, 1, 0, 0)

    async def ran() -> bool:
        return len(await house.system.read(lambda reader: runs.page(reader))) == 1

    await until(ran)


async def test_two_that_finish_at_once_tell_it_once(
    house: House, world: World, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 2)
    number = await _draft(house, segment, account)
    hub = await begun(house, number)
    # On record as sent, and not only on the wire: nothing is finished before.
    left = select(deliveries.c.id).where(deliveries.c.send_id > 0, deliveries.c.status == "sent")
    read = house.runtime.database.read_now
    await until(lambda: len(read(lambda conn: conn.execute(left).all())) == 2)
    two = database_url.startswith("postgresql")
    # Each waits for the other between its look and its word, unless the other cannot come so far.
    looks = Barrier(2 if two else 1)

    def looking(uow: UnitOfWork, mailing_id: int, occurrence: int) -> bool:
        known = was_told(uow, mailing_id, occurrence)
        with suppress(BrokenBarrierError):
            looks.wait(0.5)
        return known

    monkeypatch.setattr(finishing, "was_told", looking)
    async with (
        opened(tmp_path / "second", database_url, world) if two else nullcontext(house) as other
    ):
        tells = (one.do(TellFinished(mailing_id=number)) for one in (hub, _own(other)))
        found = await asyncio.gather(*tells)
    assert sorted(found) == [[False], [True]]
    assert len(await house.system.read(told)) == 1


async def test_what_may_go_on_by_another_channel_is_not_finished(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 2)
    number = await _draft(house, segment, account, fall_back_minutes=30)
    await begun(house, number)
    await until(lambda: len(world.sent) == 2)
    for _ in range(2):
        await sending.tick(_own(house), {})
    assert await house.system.read(told) == []
    world.offset_us += 32 * 60 * US

    async def is_told() -> bool:
        await sending.tick(_own(house), {})
        return len(await house.system.read(told)) == 1

    await until(is_told)


async def test_each_occurrence_is_told_after_its_chain_and_a_cancelled_one_never(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 2)
    steps = [{"days": 1, "subject": "Second", "text": "Still there?"}]
    number = await _draft(house, segment, account, repeat="day", repeat_every=3, steps=steps)
    hub = await begun(house, number)
    await until(lambda: len(world.sent) == 2)
    await sending.tick(hub, {})
    assert await house.system.read(told) == [], "the second letter waits for its day"
    world.offset_us += DAY + 60 * US
    await until(lambda: len(world.sent) == 4)

    async def first() -> bool:
        await sending.tick(hub, {})
        return [one["occurrence"] for one in await house.system.read(told)] == [0]

    await until(first)
    cancelled = await _draft(house, segment, account)
    await hub.do(SteerMailing(mailing_id=number, state="cancelled"))
    await send(hub, await mailing_of(hub, str(cancelled)))
    await hub.do(SteerMailing(mailing_id=cancelled, state="cancelled"))
    await sending.tick(hub, {})
    assert len(await house.system.read(told)) == 1


def test_rules_call_a_fact_of_a_plugin_by_its_words() -> None:
    moment = all_moments((), plugins.mailings.register_events())["mailings.finished"]
    assert moment.label == "A mailing is finished: nobody waits for it any more"
    assert moment.label_in("ru") == "рассылка завершена: её больше никто не ждёт"
