"""What goes wrong with one mailing stays with it, and what cannot be meant is said before it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import plugins.mailings
from hub import Hub, RemoveSegment
from plugins.mailings import sending
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.plans import Mailing, moment, read_plan
from plugins.mailings.texts import translator
from plugins.mailings.times import LATE_US, passed, past, past_somewhere
from plugins.mailings.wordings import Wording, better
from tests.houses import US, World, plugin_of
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import NAME, _draft, _own, _ready

MAY = moment("2027-05-01T09:00", "Europe/Moscow")


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(World())), (NAME, plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def test_a_mailing_that_cannot_go_on_stops_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 2)
    hub = _own(house)
    orphan, broken, sound = [await _draft(house, segment, account) for _ in range(3)]
    for number in (orphan, broken, sound):
        await send(hub, await mailing_of(hub, str(number)))
    whole = sending.audience_of

    async def torn(hub: Hub, mailing: Mailing) -> Any:
        if mailing.id == broken:
            raise RuntimeError("a mistake of ours")
        if mailing.id == orphan:
            await house.system.do(RemoveSegment(segment_id=segment))
        return await whole(hub, mailing)

    monkeypatch.setattr(sending, "audience_of", torn)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await sending.tick(hub, {})
    gone = await mailing_of(hub, str(orphan))
    assert (gone.state, "segment was removed" in gone.reason) == ("paused", True)
    assert translator("ru")(gone.reason).startswith("её сегмент удалён")
    assert (await mailing_of(hub, str(broken))).state == "scheduled", "it is tried again"
    assert (await mailing_of(hub, str(sound))).state == "paused", "of the same segment, reached"


async def test_what_was_typed_stays_whatever_is_wrong_with_it(house: House) -> None:
    segment, account = await _ready(house, 1)
    browser = await house.logged_in("marketer")
    draft = f"/p/mailings/{await _draft(house, segment, account)}"
    typed = {
        "do": "save", "title": "Autumn", "segment_id": str(segment), f"account_{account}": "1",
        "subject_0": "Leaves", "text_0": "They fall", "hold_out": "95", "step_days_0": "",
        "step_text_0": "They fell", "quiet_from": "29:00", "at": "soon",
    }  # fmt: skip
    for address in ("/p/mailings/new", draft):
        page = await browser.submit(address, data=typed)
        assert page.status_code == 422
        for kept in ("Autumn", "Leaves", "They fall", "They fell", 'value="95"'):
            assert kept in page.text, kept


@pytest.mark.parametrize(
    ("first", "second", "won"),
    [
        ({"sent": 10, "clicked": 2, "answered": 0}, {"sent": 9, "clicked": 1, "answered": 9}, "A"),
        ({"sent": 10, "answered": 1}, {"sent": 5, "answered": 1}, "B"),
        ({"sent": 10}, {"sent": 10}, "A"),
        ({}, {}, "A"),
    ],
)
def test_of_messages_the_wording_more_people_answer_is_better(
    first: dict[str, int], second: dict[str, int], won: str
) -> None:
    two = [
        Wording(name=name, subject="", content_id=n, **numbers)
        for n, (name, numbers) in enumerate((("A", first), ("B", second)))
    ]
    assert better(two).name == won


@pytest.mark.parametrize(
    ("plan", "now", "found"),
    [
        ({"at": "2027-05-01T09:00"}, MAY - US, []),
        ({"at": "2027-05-01T09:00"}, MAY + US, ["warn"]),
        ({"at": "2027-05-01T09:00", "local": True}, MAY + LATE_US + US, ["bad"]),
        ({"local": True}, MAY, ["bad"]),
        ({"repeat": "day", "repeat_until": "2027-05-01T09:00"}, MAY + US, ["warn"]),
        ({"repeat": "day", "repeat_until": "2027-05-01T09:00"}, MAY - US, []),
        ({"repeat_until": "2027-05-01T09:00"}, MAY + US, []),
    ],
)
def test_times_that_passed_are_said_before_it_leaves(
    plan: dict[str, Any], now: int, found: list[str]
) -> None:
    assert [level for level, _ in passed(read_plan(plan), "Europe/Moscow", now)] == found


def test_zones_where_the_hour_has_passed_are_named_those_of_most_first() -> None:
    people = {"": 4, "Europe/Moscow": 3, "Asia/Vladivostok": 2, "Asia/Tokyo": 5, "Nowhere/X": 1}
    plan = read_plan({"at": "2027-05-01T09:00", "local": True})
    before = past(plan, "Europe/Moscow", MAY - US, people)
    assert before == [("Asia/Tokyo", 5), ("Asia/Vladivostok", 2)]
    assert past(plan, "Europe/Moscow", MAY + US, people)[0] == ("Europe/Moscow", 7)
    assert past_somewhere(plan, MAY - US)
    assert not past_somewhere(plan, MAY - 12 * 3_600 * US)
    assert not past_somewhere(read_plan({"at": "2027-05-01T09:00"}), MAY)
