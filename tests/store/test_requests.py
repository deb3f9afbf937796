"""Requests: numbers, deadlines over weekends, holidays and pauses, answers, merging, thousands due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_store import (
    notices,
    objects,
    request_checklists,
    request_deadlines,
    request_times,
)
from crm_store.journal import events_after
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    CalendarId,
    CancelSend,
    ChangeChecklist,
    ChangeObject,
    Conflict,
    CreateObject,
    CreateUser,
    DialogId,
    EraseContact,
    Invalid,
    LinkDialog,
    LogTime,
    MergeDialogs,
    MergeRequests,
    NotAllowed,
    NotFound,
    RemoveObject,
    RemoveTime,
    Request,
    RequestId,
    SaveCalendar,
    SaveSlaPolicy,
    SendMessage,
    SetRequestStatus,
    SlaPolicyId,
    UndoMergeRequests,
    UpdateBrand,
    WatchDeadlines,
)
from hub.runtime import system_now
from tests.houses import House, World, house, message

REQUEST = NOUNS["request"]
MOSCOW = ZoneInfo("Europe/Moscow")


class Clock(World):
    """A world whose clock stands where the test puts it."""

    def set(self, text: str) -> None:
        """Turn the clock."""
        moment = datetime.fromisoformat(text).replace(tzinfo=MOSCOW)
        self.offset_us = int(moment.timestamp() * 1_000_000) - system_now()


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    clock = Clock()
    clock.set("2027-03-01 09:00")
    async with house(tmp_path, database_url, world=clock) as one:
        brand = await one.user.brand()
        await one.user.do(
            UpdateBrand(brand_id=brand.id, time_zone="Europe/Moscow"),
            SaveSlaPolicy(
                policy_id=SlaPolicyId(2),
                first_minutes=120,
                next_minutes=240,
                solution_minutes=480,
                warn_minutes=30,
            ),
        )
        yield one


def turn(home: House, text: str) -> None:
    assert isinstance(home.world, Clock)
    home.world.set(text)


async def shown(home: House, request_id: int) -> Request:
    found: Request = await home.user.read(objects.one, REQUEST, request_id)
    return found


def wall(micros: int) -> str:
    if not micros:
        return ""
    moment = datetime.fromtimestamp(0, MOSCOW) + timedelta(microseconds=micros)
    return (moment + timedelta(seconds=30)).strftime("%m-%d %H:%M")


async def dues(home: House, request_id: int) -> list[str]:
    found = await home.user.read(
        lambda reader: request_deadlines.deadlines_of(reader.conn, request_id)
    )
    return [f"{one.goal} {one.state} {wall(one.due_at)}".strip() for one in found]


async def told(home: House) -> list[str]:
    """What was told of deadlines since the beginning; looks at the clocks until nothing is due."""
    while (await home.system.do(WatchDeadlines()))[0]:
        pass
    read = home.runtime.database.read
    found, _ = await read(lambda conn: events_after(conn, home.runtime.registry, 0, 5000))
    names = {"request.deadline_near": "near", "request.deadline_missed": "missed"}
    return [f"{one.goal} {names[one.type]}" for one in found if one.type in names]  # type: ignore[attr-defined]


async def asked(home: House, key: str = "1", **more: Any) -> DialogId:
    return (await home.receive(message(key, **more)))[0].dialog_id


async def made(home: House, dialog_id: DialogId, **values: object) -> RequestId:
    command = CreateObject(kind="request", values=values, dialog_id=dialog_id)
    return RequestId((await home.user.do(command))[0])


async def answer(home: House, dialog_id: DialogId, **more: Any) -> Any:
    return (await home.user.do(SendMessage(dialog_id=dialog_id, text="On it", **more)))[0]


async def test_the_first_answer_of_a_person_meets_the_first_deadline(home: House) -> None:
    dialog_id = await asked(home, text="The boat leaks")
    turn(home, "2027-03-01 09:30")
    request_id = await made(home, dialog_id)
    request = await shown(home, request_id)
    assert (request.number, request.title, request.status) == (1001, "The boat leaks", "new")
    # The promise counts from the client's words, the work from the request.
    assert await dues(home, request_id) == [
        "first running 03-01 11:00",
        "solution running 03-01 17:30",
    ]
    assert wall(request.due_at) == "03-01 11:00"
    await answer(home, dialog_id, automated=True)
    assert (await dues(home, request_id))[0] == "first running 03-01 11:00"
    turn(home, "2027-03-01 10:00")
    await answer(home, dialog_id)
    assert (await dues(home, request_id))[0] == "first met 03-01 11:00"
    assert (await shown(home, request_id)).first_responded_at
    # Now the client writes again: the next answer is owed, and given.
    turn(home, "2027-03-01 16:00")
    await asked(home, "2", automated=True)
    assert len(await dues(home, request_id)) == 2
    await asked(home, "3")
    assert "next running 03-02 11:00" in await dues(home, request_id)
    assert wall((await shown(home, request_id)).due_at) == "03-01 17:30"
    await answer(home, dialog_id)
    assert "next met 03-02 11:00" in await dues(home, request_id)
    assert await told(home) == []


async def test_a_deadline_is_missed_once_over_weekend_and_holiday(home: House) -> None:
    first = CalendarId(1)
    await home.user.do(
        SaveCalendar(calendar_id=first, add_special={"2027-03-08": {"name": "holiday"}})
    )
    turn(home, "2027-03-05 17:00")
    dialog_id = await asked(home)
    request_id = await made(home, dialog_id, owner_id=home.user.actor.id)
    assert (await dues(home, request_id))[0] == "first running 03-09 10:00"
    turn(home, "2027-03-09 09:29")
    assert await told(home) == []
    turn(home, "2027-03-09 09:31")
    assert await told(home) == ["first near"]
    turn(home, "2027-03-09 10:01")
    assert await told(home) == ["first near", "first missed"]
    request = await shown(home, request_id)
    assert request.overdue
    # Whoever answers now is too late, and it is not told again.
    await answer(home, dialog_id)
    assert (await dues(home, request_id))[0] == "first failed 03-09 10:00"
    assert not (await shown(home, request_id)).overdue
    turn(home, "2027-03-09 15:31")
    await asked(home, "4")
    assert await told(home) == ["first near", "first missed", "solution near"]
    read = await home.user.read(notices.page)
    assert [one.kind for one in read] == [
        "request.deadline_near",
        "request.deadline_missed",
        "request.deadline_near",
    ]


async def test_waiting_for_the_client_stops_the_clock_and_his_word_starts_it(home: House) -> None:
    dialog_id = await asked(home)
    request_id = await made(home, dialog_id)
    await answer(home, dialog_id)
    turn(home, "2027-03-01 12:00")
    await home.user.do(
        SetRequestStatus(request_id=request_id, status="waiting", reason="needs a photo")
    )
    request = await shown(home, request_id)
    assert (request.due_at, request.pause_reason) == (0, "needs a photo")
    assert (await dues(home, request_id))[1] == "solution paused"
    turn(home, "2027-03-04 12:00")
    assert await told(home) == []
    await asked(home, "2")
    request = await shown(home, request_id)
    assert (request.status, request.pause_reason) == ("in_work", "")
    # Each turn of the clock leaves it running.
    assert abs(timedelta(microseconds=request.paused_us) - timedelta(days=3)) < timedelta(minutes=1)
    # Three hours were used, five are left.
    assert (await dues(home, request_id))[2] == "solution running 03-04 17:00"
    await home.user.do(
        SetRequestStatus(request_id=request_id, status="solved", solution="a new plank")
    )
    assert [one.split()[1] for one in await dues(home, request_id)] == ["met", "met", "met"]
    assert (await shown(home, request_id)).solution == "a new plank"
    with pytest.raises(Conflict):
        await home.user.do(
            SetRequestStatus(request_id=request_id, status="closed", expected="in_work")
        )


async def test_an_answer_that_is_taken_back_has_not_answered(home: House) -> None:
    dialog_id = await asked(home)
    request_id = await made(home, dialog_id)
    later = home.user.now() + 60_000_000
    first = await answer(home, dialog_id, due_at=later)
    assert (await dues(home, request_id))[0].startswith("first met")
    await home.user.do(CancelSend(message_id=first))
    assert (await dues(home, request_id))[0] == "first running 03-01 11:00"
    assert not (await shown(home, request_id)).first_responded_at
    one, two = [await answer(home, dialog_id, due_at=later) for _ in range(2)]
    await home.user.do(CancelSend(message_id=one))
    assert (await dues(home, request_id))[0].startswith("first met")
    await home.user.do(CancelSend(message_id=two))
    assert (await dues(home, request_id))[0] == "first running 03-01 11:00"
    # An answer in another dialog of the same request has answered it too.
    other = await asked(home, "9", sender="boris")
    linked = LinkDialog(dialog_id=other, kind="request", object_id=request_id)
    await home.user.do(linked)
    one = await answer(home, dialog_id, due_at=later)
    await answer(home, other)
    await home.user.do(CancelSend(message_id=one))
    assert (await dues(home, request_id))[0].startswith("first met")


async def test_the_policy_follows_the_priority_and_a_deadline_is_set_by_hand(home: House) -> None:
    request_id = await made(home, DialogId(0), title="By telephone")
    assert await dues(home, request_id) == [
        "first running 03-01 11:00",
        "solution running 03-01 17:00",
    ]
    await home.user.do(
        ChangeObject(kind="request", object_id=request_id, values={"priority": "urgent"})
    )
    assert (await dues(home, request_id))[0] == "first running 03-01 10:00"
    # Without a dialog, beginning to work is the answer.
    await home.user.do(SetRequestStatus(request_id=request_id, status="in_work"))
    request = await shown(home, request_id)
    assert (await dues(home, request_id))[0].startswith("first met")
    assert request.owner_id == home.user.actor.id
    due = int(datetime(2027, 3, 3, 12, tzinfo=MOSCOW).timestamp()) * 1_000_000
    await home.user.do(
        ChangeObject(kind="request", object_id=request_id, values={"solution_due": due})
    )
    assert wall((await shown(home, request_id)).due_at) == "03-03 12:00"
    with pytest.raises(Invalid):
        await home.user.do(
            ChangeObject(kind="request", object_id=request_id, values={"satisfaction": 9})
        )


async def test_another_policy_keeps_pauses_and_what_was_set_by_hand(home: House) -> None:
    await home.user.do(SaveSlaPolicy(policy_id=SlaPolicyId(1), solution_minutes=240))
    dialog_id = await asked(home)
    request_id = await made(home, dialog_id)
    await answer(home, dialog_id)
    turn(home, "2027-03-01 12:00")
    await home.user.do(SetRequestStatus(request_id=request_id, status="waiting"))
    turn(home, "2027-03-04 12:00")
    named = ChangeObject(kind="request", object_id=request_id, values={"priority": "urgent"})
    await home.user.do(named)
    assert (await dues(home, request_id))[1] == "solution paused"
    await asked(home, "2")
    # Three of the four hours of what is urgent were used before the pause.
    assert (await dues(home, request_id))[-1] == "solution running 03-04 13:00"
    assert await told(home) == []
    due = int(datetime(2027, 3, 9, 12, tzinfo=MOSCOW).timestamp()) * 1_000_000
    by_hand = {"solution_due": due}
    await home.user.do(ChangeObject(kind="request", object_id=request_id, values=by_hand))
    normal = ChangeObject(kind="request", object_id=request_id, values={"priority": "normal"})
    await home.user.do(normal)
    assert (await dues(home, request_id))[-1] == "solution running 03-09 12:00"


async def test_a_policy_without_a_solution_ends_a_paused_promise(home: House) -> None:
    request_id = await made(home, await asked(home))
    await home.user.do(SetRequestStatus(request_id=request_id, status="waiting"))
    is_low = {"field": "request.priority", "operator": "equals", "value": "low"}
    only_answers = SaveSlaPolicy(name="Answers", position=0, filter=is_low, first_minutes=60)
    await home.user.do(only_answers)
    low = ChangeObject(kind="request", object_id=request_id, values={"priority": "low"})
    await home.user.do(low)
    assert [one.split()[0] for one in await dues(home, request_id)] == ["first"]
    # What is done gets no new promises.
    await home.user.do(SetRequestStatus(request_id=request_id, status="solved"))
    normal = ChangeObject(kind="request", object_id=request_id, values={"priority": "normal"})
    await home.user.do(normal)
    assert [one.split()[:2] for one in await dues(home, request_id)] == [["first", "met"]]


async def test_no_request_is_a_part_of_its_own_parts(home: House) -> None:
    one, two, three = [await made(home, DialogId(0), title=str(n)) for n in range(3)]

    def part(request_id: int, of: int) -> ChangeObject:
        return ChangeObject(kind="request", object_id=request_id, values={"parent_id": of})

    await home.user.do(part(two, one), part(three, two))
    with pytest.raises(Invalid):
        await home.user.do(part(one, three))


async def test_undoing_a_merge_breaks_no_promise_of_what_was_solved(home: House) -> None:
    first, second = await made(home, await asked(home)), await made(home, DialogId(0), title="2")
    await home.user.do(SetRequestStatus(request_id=first, status="solved"))
    await home.user.do(MergeRequests(request_id=first, into_id=second))
    await home.user.do(UndoMergeRequests(request_id=first))
    assert [one.split()[1] for one in await dues(home, first)] == ["met", "met"]


async def test_requests_are_merged_and_taken_apart_again(home: House) -> None:
    one, two = await asked(home), await asked(home, "2", sender="boris")
    first, second = await made(home, one), await made(home, two)
    await home.user.do(MergeRequests(request_id=second, into_id=first))
    gone = await shown(home, second)
    assert (gone.status, gone.merged_into, gone.due_at) == ("closed", first, 0)
    # Who answers the other's client answers the request that is left.
    await answer(home, two)
    assert (await dues(home, first))[0].startswith("first met")
    with pytest.raises(Conflict):
        await home.user.do(MergeRequests(request_id=second, into_id=first))
    await home.user.do(UndoMergeRequests(request_id=second))
    back = await shown(home, second)
    assert (back.status, back.merged_into) == ("new", 0)
    assert await dues(home, second) == ["first running 03-01 11:00", "solution running 03-01 17:00"]
    found = await home.user.read(objects.of_dialog, REQUEST, two)
    assert [each.id for each in found] == [second]


async def test_a_request_in_the_bin_breaks_no_promise(home: House) -> None:
    request_id = await made(home, await asked(home))
    await home.user.do(RemoveObject(kind="request", object_id=request_id))
    turn(home, "2027-03-01 10:31")
    assert await told(home) == []
    await home.user.do(RemoveObject(kind="request", object_id=request_id, restore=True))
    assert await told(home) == ["first near"]


async def test_checklist_rights_and_erasure(home: House) -> None:
    dialog_id = await asked(home, text="secretword")
    request_id = await made(home, dialog_id, solution="secretword")
    points = (
        await home.user.do(ChangeChecklist(request_id=request_id, add=("secretword", "pay")))
    )[0]
    await home.user.do(ChangeChecklist(request_id=request_id, tick=(points[1],)))
    found = await home.user.read(request_checklists.checklist, request_id)
    assert [(one.text, bool(one.done_at)) for one in found] == [
        ("secretword", False),
        ("pay", True),
    ]
    auditor = await home.user.do(CreateUser(email="a@example.org", name="A", role="auditor"))
    looks = home.system.as_user(auditor[0])
    await looks.read(objects.one, REQUEST, request_id)
    with pytest.raises(NotAllowed):
        await looks.do(SetRequestStatus(request_id=request_id, status="closed"))
    contact_id = (await home.user.dialog(dialog_id)).contact_id
    await home.user.do(EraseContact(contact_id=contact_id))
    request = await shown(home, request_id)
    assert (request.title, request.description, request.solution) == ("", "", "")
    assert await home.user.read(request_checklists.checklist, request_id) == []


async def test_time_spent_is_noted_summed_and_taken_back_by_whose_it_is(home: House) -> None:
    request_id = await made(home, await asked(home))
    first, _ = await home.user.do(
        LogTime(request_id=request_id, minutes=25), LogTime(request_id=request_id, minutes=60)
    )
    assert (await shown(home, request_id)).spent_minutes == 85
    noted = await home.user.read(request_times.times, request_id)
    assert [(one.user_id, one.minutes) for one in noted] == [
        (home.user.actor.id, 60),
        (home.user.actor.id, 25),
    ]
    for wrong in (0, -5, 1441):
        with pytest.raises(Invalid):
            await home.user.do(LogTime(request_id=request_id, minutes=wrong))
    agent = await home.user.do(CreateUser(email="b@example.org", name="B", role="agent"))
    other = home.system.as_user(agent[0])
    own = (await other.do(LogTime(request_id=request_id, minutes=5)))[0]
    with pytest.raises(NotAllowed):
        await other.do(RemoveTime(request_id=request_id, entry_id=first))
    await other.do(RemoveTime(request_id=request_id, entry_id=own))
    await home.user.do(RemoveTime(request_id=request_id, entry_id=first))
    assert (await shown(home, request_id)).spent_minutes == 60
    with pytest.raises(NotFound):
        await home.user.do(RemoveTime(request_id=request_id, entry_id=first))
    long = {"field": "request.spent_minutes", "operator": "greater", "value": 30}
    assert await home.user.read(objects.count, REQUEST, ObjectQuery(filter=long)) == 1


async def test_a_merge_adds_up_the_time_spent_and_undoing_gives_it_back(home: House) -> None:
    one, two, three = [
        await made(home, DialogId(0), title=title) for title in ("One", "Two", "Three")
    ]
    agent = await home.user.do(CreateUser(email="b@example.org", name="B", role="agent"))
    other = home.system.as_user(agent[0])
    await other.do(LogTime(request_id=one, minutes=25))
    mine = (await home.user.do(LogTime(request_id=one, minutes=5)))[0]
    await home.user.do(LogTime(request_id=two, minutes=60))

    async def spent() -> list[int]:
        return [(await shown(home, each)).spent_minutes for each in (one, two, three)]

    async def worked(request_id: RequestId) -> set[tuple[int, int]]:
        noted = await home.user.read(request_times.times, request_id)
        return {(each.user_id, each.minutes) for each in noted}

    await home.user.do(MergeRequests(request_id=one, into_id=two))
    assert await spent() == [0, 90, 0]
    # Whoever worked stays named.
    assert await worked(two) == {(agent[0], 25), (home.user.actor.id, 5), (home.user.actor.id, 60)}
    with pytest.raises(Conflict):
        await home.user.do(LogTime(request_id=one, minutes=1))
    # Merged on, it goes along; and each undoing takes its own back, whichever comes first.
    await home.user.do(MergeRequests(request_id=two, into_id=three))
    assert await spent() == [0, 0, 90]
    await home.user.do(RemoveTime(request_id=three, entry_id=mine))
    await home.user.do(UndoMergeRequests(request_id=one))
    assert await spent() == [25, 0, 60]
    assert await worked(one) == {(agent[0], 25)}
    await home.user.do(UndoMergeRequests(request_id=two))
    assert await spent() == [25, 60, 0]


async def test_numbers_are_given_once_to_many_at_a_time(home: House) -> None:
    makers = [
        home.user.do(CreateObject(kind="request", values={"title": f"{n}"})) for n in range(40)
    ]
    ids = [one[0] for one in await asyncio.gather(*makers)]
    numbers = [(await shown(home, one)).number for one in ids]
    assert sorted(numbers) == list(range(1001, 1041))


@pytest.mark.slow
async def test_hundreds_due_at_once_are_each_told_once_by_rivals(home: House) -> None:
    for start in range(0, 600, 100):
        await home.user.do(
            *(CreateObject(kind="request", values={"title": f"{start + n}"}) for n in range(100))
        )
    turn(home, "2027-03-01 12:00")
    # Several processes look at the same time, and one of them was stopped in the middle.
    while any(
        found[0]
        for found in await asyncio.gather(
            *(home.system.do(WatchDeadlines(limit=70)) for _ in range(4))
        )
    ):
        pass
    assert await told(home) == ["first missed"] * 600


async def test_a_merged_dialog_brings_its_requests_along(home: House) -> None:
    one, two = await asked(home), await asked(home, "2", sender="boris")
    request_id = await made(home, two)
    await home.user.do(MergeDialogs(survivor_id=one, merged_id=two))
    await answer(home, one)
    assert (await dues(home, request_id))[0].startswith("first met")
    found = await home.user.read(lambda reader: request_deadlines.dues_of(reader.conn, [one, two]))
    assert wall(found[one]) == "03-01 17:00"
