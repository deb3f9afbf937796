"""A chain of letters keeps its distance and its hour, whatever holds one of them up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_store.tables.outbox import deliveries
from hub import ManyRecipient, PlanMany, SendMany, UpdateAccount, UpdateContact
from hub.zones import days_later
from tests.houses import US, House, house
from tests.store.test_many_limits import DAY, MINUTE, WORDS, Still, leave, person

BERLIN = "Europe/Berlin"


def in_berlin(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()) * US


async def chain(home: House, due_at: int, *days: int) -> list[int]:
    """Put one person into a chain; gives its sends."""
    anna = await person(home, "anna")
    await home.user.do(UpdateContact(contact_id=anna.id, time_zone=BERLIN))
    sends = []
    for step, later in enumerate(days):
        plan = PlanMany(mailing_id=1, step=step, days=later, topic="news", contents=(WORDS,))
        [(send, ids)] = await home.user.do(plan)
        to = ManyRecipient(
            contact_id=anna.id, address_id=anna.addresses[0].id, account_id=home.pigeon,
            content_id=ids[0], due_at=due_at,  # type: ignore[arg-type]
        )  # fmt: skip
        await home.user.do(SendMany(send_id=send, recipients=(to,)))
        sends.append(send)
    return sends


def test_so_many_days_later_is_the_same_time_of_day() -> None:
    before = in_berlin("2027-03-27T09:00")
    assert (
        days_later(before, 1, BERLIN) == in_berlin("2027-03-28T09:00") == before + DAY - 60 * MINUTE
    )
    assert days_later(before + 5, 0, BERLIN) == before + 5
    assert days_later(before, 2, "nowhere") == before + 2 * DAY


async def test_a_later_letter_is_due_at_the_hour_of_the_first_one(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url, world=Still()) as home:
        year = datetime.fromtimestamp(home.system.now() / US, ZoneInfo(BERLIN)).year + 1
        # Over the night in March in which clocks go on.
        await chain(home, in_berlin(f"{year}-03-20T09:00"), 0, 14)
        asked = select(deliveries.c.due_at).order_by(deliveries.c.due_at)
        due = await home.user.read(lambda reader: reader.conn.execute(asked).scalars().all())
        assert due == [in_berlin(f"{year}-03-20T09:00"), in_berlin(f"{year}-04-03T09:00")]


async def test_what_held_the_first_letter_up_moves_the_later_ones_on(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url, world=Still()) as home:
        await chain(home, 0, 0, 3, 7)
        await home.user.do(UpdateAccount(account_id=home.pigeon, paused=True))
        home.world.offset_us += 10 * DAY + 120 * MINUTE
        await home.user.do(UpdateAccount(account_id=home.pigeon, paused=False))
        left = []
        for _ in range(9):
            left += [await leave(home, home.pigeon), await leave(home, home.pigeon)]
            home.world.offset_us += DAY + 1
        assert left == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
