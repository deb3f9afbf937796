"""Working calendars: the first two, one default, holidays added, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_store import calendars as reads
from hub import (
    CalendarId,
    Conflict,
    CreateUser,
    Invalid,
    Micros,
    NotAllowed,
    RemoveCalendar,
    SaveCalendar,
    UpdateBrand,
    UpdateProfile,
)
from hub.calendars import ALWAYS_WEEK, HOUR
from tests.houses import House, house

FRIDAY = Micros(int(datetime(2026, 12, 25, 12, tzinfo=UTC).timestamp()) * 1_000_000)


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def due(home: House, calendar_id: int, hours: int) -> str:
    calendar = await home.user.read(lambda reader: reads.working(reader.conn, calendar_id))
    at = calendar.add_working(FRIDAY, hours * HOUR)
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%d.%m %H:%M")


async def test_a_house_begins_with_office_hours_and_one_around_the_clock(home: House) -> None:
    found = await home.user.read(reads.all_calendars)
    assert [(one.name, one.is_default) for one in found] == [
        ("Working hours", True),
        ("Around the clock", False),
    ]
    assert await due(home, 0, 8) == "28.12 11:00"
    assert await due(home, found[1].id, 8) == "25.12 20:00"
    # The organisation's time zone is the calendar's, unless it has its own.
    brand = await home.user.brand()
    await home.user.do(UpdateBrand(brand_id=brand.id, time_zone="Europe/Moscow"))
    assert await due(home, 0, 8) == "28.12 11:00"
    assert await due(home, 0, 2) == "25.12 14:00"
    assert await due(home, 0, 4) == "28.12 07:00"


async def test_holidays_move_a_deadline_and_one_calendar_is_the_default(home: House) -> None:
    days = {"2026-12-28": {"name": "holiday"}, "2026-12-26": {"hours": [["10:00", "12:00"]]}}
    first = (await home.user.read(reads.all_calendars))[0]
    await home.user.do(SaveCalendar(calendar_id=first.id, add_special=days))
    await home.user.do(
        SaveCalendar(calendar_id=first.id, add_special={"2026-12-29": {"name": "more"}})
    )
    assert await due(home, 0, 9) == "30.12 10:00"
    made = (await home.user.do(SaveCalendar(name="Nights", week=ALWAYS_WEEK, make_default=True)))[0]
    found = await home.user.read(reads.all_calendars)
    assert [one.id for one in found if one.is_default] == [made]
    assert await due(home, 0, 8) == "25.12 20:00"
    await home.user.do(RemoveCalendar(calendar_id=first.id))
    with pytest.raises(Conflict):
        await home.user.do(RemoveCalendar(calendar_id=made))


async def test_what_cannot_be_kept_is_refused(home: House) -> None:
    first = (await home.user.read(reads.all_calendars))[0]
    for wrong in (
        SaveCalendar(name="", week=ALWAYS_WEEK),
        SaveCalendar(name="none", week={}),
        SaveCalendar(name="zone", week=ALWAYS_WEEK, time_zone="Mars/Olympus"),
        SaveCalendar(calendar_id=first.id, add_special={"31.12": {}}),
        UpdateProfile(time_zone="Mars/Olympus"),
        UpdateBrand(brand_id=(await home.user.brand()).id, time_zone="../etc/passwd"),
    ):
        with pytest.raises(Invalid):
            await home.user.do(wrong)
    with pytest.raises(Conflict):
        await home.user.do(SaveCalendar(calendar_id=first.id, name="late", version=7))
    made = await home.user.do(CreateUser(email="agent@example.org", name="Agent", role="agent"))
    agent = home.user.as_user(made[0])
    assert await agent.read(reads.all_calendars)
    with pytest.raises(NotAllowed):
        await agent.do(SaveCalendar(calendar_id=CalendarId(first.id), name="mine"))
