"""How often and how long a delivery is tried: what was not tried yet is neither old nor tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.tables.outbox import attempts, deliveries
from hub import AccountId, RetryDelivery, SendMessage, TemporaryFailure, Throttled
from hub.carrier import Carrier
from hub.many_rendering import Contents
from hub.notice_letters import NoticeLetters
from hub.outcomes import MAX_ATTEMPTS, limiter_of
from tests.houses import US, House, house, message
from tests.store.test_many_limits import DAY, Still, person, sent_to

HOUR = 3_600 * US


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, world=Still()) as one:
        yield one


async def carry(home: House, account_id: AccountId) -> None:
    """Carry what is due now of an account."""
    _, channel = await home.runtime.channel_host.get(account_id)
    letters = NoticeLetters(home.runtime)
    limiter = limiter_of(1_000)
    await Carrier(
        home.runtime, account_id, channel, limiter, Contents(), letters, lambda: 0
    ).run()  # fmt: skip


async def states(home: House) -> list[tuple[str, str, int]]:
    asked = select(deliveries.c.status, deliveries.c.reason, deliveries.c.attempts)
    found = await home.user.read(lambda reader: reader.conn.execute(asked).all())
    return [tuple(row) for row in found]


async def test_what_our_own_limits_hold_up_was_not_tried(home: House) -> None:
    await sent_to(home, home.letter, [await person(home, "anna@a.example")])
    for _ in range(MAX_ATTEMPTS):
        home.world.outcomes = [Throttled("full", retry_after=timedelta(seconds=6))]
        await carry(home, home.letter)
        home.world.offset_us += 6 * US
    assert await states(home) == [("queued", "", 0)]
    await carry(home, home.letter)
    assert await states(home) == [("sent", "", 1)]
    lines = select(func.count()).select_from(attempts)
    assert await home.user.read(lambda reader: reader.conn.execute(lines).scalar()) == 0


async def test_what_waited_for_days_is_tried_for_days(home: House) -> None:
    later = TemporaryFailure("later", retry_after=timedelta(hours=20))
    due_at = home.system.now() + 7 * DAY
    await sent_to(home, home.letter, [await person(home, "anna@a.example")], due_at=due_at)
    home.world.offset_us += 7 * DAY
    for tries in range(1, 4):
        home.world.outcomes = [later]
        await carry(home, home.letter)
        assert await states(home) == [("queued", "", tries)]
        home.world.offset_us += 20 * HOUR
    # Two days after the first try it is given up.
    home.world.outcomes = [later]
    await carry(home, home.letter)
    assert await states(home) == [("failed", "expired", 4)]


async def test_what_a_colleague_sends_again_is_tried_from_the_start(home: House) -> None:
    [given] = await home.receive(message("k1"))
    (number,) = await home.user.do(SendMessage(dialog_id=given.dialog_id, text="Hello"))
    later = TemporaryFailure("later", retry_after=timedelta(seconds=1))
    for _ in range(MAX_ATTEMPTS):
        home.world.outcomes = [later]
        await carry(home, home.pigeon)
        home.world.offset_us += 2 * US
    [(status, _, tries)] = await states(home)
    assert (status, tries) == ("failed", MAX_ATTEMPTS)
    await home.user.do(RetryDelivery(message_id=number))
    for _ in range(2):
        home.world.outcomes = [later]
        await carry(home, home.pigeon)
        home.world.offset_us += 2 * US
    assert await states(home) == [("queued", "", 3)]
