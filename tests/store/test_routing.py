"""Giving out dialogs: who is asked, in which order, and that no place is filled twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_store import desks as desk_reads
from crm_store.tables.people import contacts
from hub import (
    AssignDialog,
    CreateClient,
    CreateUser,
    DialogId,
    Invalid,
    NotAllowed,
    RemoveDeskStatus,
    RouteDialog,
    RouteWaiting,
    SaveCalendar,
    SaveDeskStatus,
    SaveRoute,
    SaveTeam,
    SendMessage,
    SetDesk,
    SetDialogStatus,
    TeamId,
    UpdateAccount,
    UserId,
)
from hub.handle import BoundHub
from tests.houses import US, House, house, message

AT_WORK, NO_NEW, BREAK = 1, 2, 3


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


class Office:
    """A team at the pigeons' account."""

    def __init__(self, home: House, people: Sequence[BoundHub], team: TeamId) -> None:
        self.home, self.people, self.team = home, people, team
        self.ids = [UserId(one.actor.id) for one in people]
        self._count = 0

    async def rule(self, mode: str = "evenly", **more: Any) -> None:
        await self.home.user.do(
            SaveRoute(kind="account", subject_id=self.home.pigeon, mode=mode, **more)
        )

    async def write(self, sender: str = "") -> DialogId:
        self._count += 1
        name = sender or f"person{self._count}"
        return (await self.home.receive(message(f"k{self._count}", name)))[0].dialog_id

    async def give(self) -> int:
        given: int = (await self.home.system.do(RouteWaiting()))[0]
        return given

    async def who(self, dialog_id: DialogId) -> int:
        """The number of the one who has a dialog, -1 for nobody."""
        found = (await self.home.user.dialog(dialog_id)).assignee_id
        return self.ids.index(found) if found else -1

    async def status(self, number: int, status_id: int) -> None:
        await self.people[number].do(SetDesk(status_id=status_id))

    async def places(self, number: int, capacity: int) -> None:
        await self.home.user.do(SetDesk(user_id=self.ids[number], capacity=capacity))


async def office(home: House, count: int = 3, *, at_work: bool = True) -> Office:
    people = []
    for n in range(count):
        made = await home.user.do(
            CreateUser(email=f"a{n}@example.com", name=f"Agent {n}", role="agent")
        )
        people.append(home.system.as_user(UserId(made[0])))
    ids = tuple(UserId(one.actor.id) for one in people)
    team = (await home.user.do(SaveTeam(name="Sales", members=ids)))[0]
    await home.user.do(UpdateAccount(account_id=home.pigeon, team_id=team))
    one = Office(home, people, team)
    if at_work:
        for n in range(count):
            await one.status(n, AT_WORK)
    return one


async def test_evenly_means_whoever_got_none_for_the_longest(home: House) -> None:
    room = await office(home)
    await room.rule("evenly")
    numbers = [await room.write() for _ in range(5)]
    assert await room.give() == 5
    assert [await room.who(one) for one in numbers] == [0, 1, 2, 0, 1]
    history = (await home.user.thread(numbers[0])).history
    routed = next(one for one in history if one.type == "dialog.routed")
    assert routed.data["reason"] == "evenly"
    assigned = next(one for one in history if one.type == "dialog.assigned")
    assert (assigned.cause.kind, assigned.cause.text) == ("routing", "evenly")


async def test_in_order_goes_round_and_least_busy_looks_at_the_load(home: House) -> None:
    room = await office(home)
    await room.rule("in_order")
    numbers = [await room.write() for _ in range(4)]
    await room.give()
    assert [await room.who(one) for one in numbers] == [0, 1, 2, 0]
    await home.user.do(SetDialogStatus(dialog_id=numbers[1], status="closed"))
    await room.rule("least_busy")
    await room.write()
    more = await room.write()
    await room.give()
    assert [one.load for one in await home.user.read(desk_reads.all_desks) if one.load] == [2, 1, 2]
    assert await room.who(more) == 2


async def test_only_who_takes_new_ones_is_asked_and_a_full_desk_is_passed_by(home: House) -> None:
    room = await office(home)
    await room.rule("evenly")
    await room.status(0, NO_NEW)
    await room.places(1, 1)
    await room.status(2, BREAK)
    first, second, third = [await room.write() for _ in range(3)]
    assert await room.give() == 1
    assert [await room.who(one) for one in (first, second, third)] == [1, -1, -1]
    waiting = await home.user.read(desk_reads.waiting_dialogs)
    assert [(one.dialog_id, one.reason) for one in waiting] == [(second, "full"), (third, "full")]
    said = [one.data for one in (await home.user.thread(second)).history if "routed" in one.type]
    assert [(one["user_id"], one["reason"]) for one in said] == [(0, "full")]
    assert await room.give() == 0
    assert len((await home.user.thread(second)).history) == 2
    # A place becomes free: the oldest gets it. Somebody comes: the rest.
    await home.user.do(SetDialogStatus(dialog_id=first, status="closed"))
    assert await room.give() == 1
    assert [await room.who(one) for one in (second, third)] == [1, -1]
    await room.status(0, AT_WORK)
    assert await room.give() == 1
    assert await room.who(third) == 0
    assert await home.user.read(desk_reads.waiting_dialogs) == []


async def test_two_dialogs_at_once_never_fill_one_place_twice(home: House) -> None:
    room = await office(home, 2)
    await room.rule("nobody", owner_first=True)
    for n in range(2):
        await room.places(n, 3)
    numbers = [await room.write() for _ in range(12)]
    command = [RouteDialog(dialog_id=one, mode="evenly") for one in numbers]
    await asyncio.gather(*(home.user.do(one) for one in command))
    loads = [one.load for one in await home.user.read(desk_reads.all_desks, room.ids)]
    assert loads == [3, 3]
    assert len(await home.user.read(desk_reads.waiting_dialogs)) == 6


async def test_the_clients_owner_comes_first_then_who_answered_last(home: House) -> None:
    room = await office(home)
    await room.rule("evenly", owner_first=True, last_days=7)
    came = await room.write("anna")
    await room.give()
    assert await room.who(came) == 0
    await home.user.do(AssignDialog(dialog_id=came, user_id=room.ids[1]))
    await room.people[1].do(SendMessage(dialog_id=came, text="I know you"))
    await home.user.do(SetDialogStatus(dialog_id=came, status="closed"))
    await home.user.do(AssignDialog(dialog_id=came, user_id=UserId(0)))
    assert await room.write("anna") == came
    await room.give()
    assert await room.who(came) == 1
    made = await home.user.do(CreateClient(name="Oak", values={"owner_id": room.ids[2]}))
    contact = (await home.user.dialog(came)).contact_id

    def belong(tx: Any, items: list[int]) -> list[None]:
        tx.conn.execute(contacts.update().where(contacts.c.id == contact).values(client_id=made[0]))
        return [None] * len(items)

    await home.runtime.database.write(belong, 0)
    await home.user.do(AssignDialog(dialog_id=came, user_id=UserId(0)))
    assert (await home.user.do(RouteDialog(dialog_id=came)))[0] == room.ids[2]
    reasons = [
        one.data["reason"]
        for one in (await home.user.thread(came)).history
        if one.type == "dialog.routed"
    ]
    assert reasons == ["evenly", "last", "owner"]


async def test_what_nobody_answers_goes_on_to_the_next(home: House) -> None:
    room = await office(home, 2)
    await room.rule("evenly", idle_minutes=5)
    silent, answered = await room.write(), await room.write()
    await room.give()
    await room.people[1].do(SendMessage(dialog_id=answered, text="yes?"))
    home.world.offset_us += 4 * 60 * US
    assert await room.give() == 0
    home.world.offset_us += 2 * 60 * US
    assert await room.give() == 1
    assert [await room.who(one) for one in (silent, answered)] == [1, 1]
    # Nobody else is left: it is offered round again.
    home.world.offset_us += 6 * 60 * US
    assert await room.give() == 0
    home.world.offset_us += 6 * 60 * US
    assert await room.give() == 1
    assert await room.who(silent) == 0
    # Whoever gave it away by his own decision has ended that.
    await home.user.do(AssignDialog(dialog_id=silent, user_id=room.ids[1]))
    home.world.offset_us += 60 * 60 * US
    assert await room.give() == 0


async def test_hours_in_which_nobody_works_are_no_idle_time(home: House) -> None:
    room = await office(home, 2)
    today = datetime.now(UTC)
    opens = (today + timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)
    day = opens.strftime("%a").lower()
    hours = SaveCalendar(name="Mornings", time_zone="UTC", week={day: [["09:00", "10:00"]]})
    await room.rule("evenly", idle_minutes=30, calendar_id=(await home.user.do(hours))[0])
    # It comes ten minutes before the end of the working day: twenty are left of the next one.
    home.world.offset_us += round((opens - today).total_seconds() + 50 * 60) * US
    silent = await room.write()
    assert await room.give() == 1
    before = await room.who(silent)
    home.world.offset_us += (7 * 24 * 60 - 50 + 15) * 60 * US
    assert await room.give() == 0
    home.world.offset_us += 10 * 60 * US
    assert await room.give() == 1
    assert await room.who(silent) != before


async def test_one_who_comes_back_is_not_glued_to_one_who_left(home: House) -> None:
    room = await office(home, 2)
    await room.rule("evenly")
    came = await room.write("anna")
    await room.give()
    await home.user.do(SetDialogStatus(dialog_id=came, status="closed"))
    await room.write("anna")
    await room.give()
    assert await room.who(came) == 0
    await home.user.do(SetDialogStatus(dialog_id=came, status="closed"))
    await room.status(0, BREAK)
    await room.write("anna")
    await room.give()
    assert await room.who(came) == 1


async def test_outside_working_hours_dialogs_wait(home: House) -> None:
    room = await office(home, 1)
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    other = SaveCalendar(name="Another day", week={day: [["09:00", "10:00"]]})
    await room.rule("evenly", calendar_id=(await home.user.do(other))[0])
    came = await room.write()
    assert await room.give() == 0
    assert (await home.user.read(desk_reads.waiting_dialogs))[0].reason == "closed"
    await room.rule("evenly")
    assert await room.give() == 1
    assert await room.who(came) == 0


async def test_statuses_are_the_houses_own_and_set_by_whom_they_concern(home: House) -> None:
    room = await office(home, 2, at_work=False)
    assert (await home.user.read(desk_reads.desk, room.ids[0])).works is False
    made = await home.user.do(SaveDeskStatus(name="On the phone", works=True, takes_new=False))
    await room.people[0].do(SetDesk(status_id=made[0], comment="till noon"))
    found = await home.user.read(desk_reads.desk, room.ids[0])
    assert (found.status, found.comment, found.takes_new) == ("On the phone", "till noon", False)
    with pytest.raises(Exception, match="have this status"):
        await home.user.do(RemoveDeskStatus(status_id=made[0]))
    with pytest.raises(NotAllowed):
        await room.people[0].do(SetDesk(user_id=room.ids[1], status_id=AT_WORK))
    with pytest.raises(NotAllowed):
        await room.people[0].do(SetDesk(capacity=5))
    with pytest.raises(Invalid):
        await home.user.do(SaveDeskStatus(name="x", works=False, takes_new=True))
    with pytest.raises(Invalid):
        await room.rule("evenly", idle_minutes=721)
