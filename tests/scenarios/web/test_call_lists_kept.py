"""Call lists while they run: who is called no more, by whom, and what of a call is never lost."""

from __future__ import annotations

import httpx2
from sqlalchemy import select

from hub import (
    ContactId,
    GiveConsent,
    MergeContacts,
    ReleaseAddress,
    SaveRole,
    UndoMerge,
    UpdateContact,
    WithdrawConsent,
)
from hub.handle import BoundHub
from plugins.telemarketing.calling import Outcome, Seat, held_seat, next_seat, record, undo
from plugins.telemarketing.commands import SaveCallList, SteerCallList
from plugins.telemarketing.doing import add_numbers, add_people, list_of, unasked
from plugins.telemarketing.plans import CallList, Question, script_of, with_numbers
from plugins.telemarketing.reports import report_of
from plugins.telemarketing.tables import people as places
from plugins.telemarketing.taking import LEASE_US, US, GiveBack
from tests.houses import World, until
from tests.scenarios.web.house import House
from tests.scenarios.web.test_call_lists import (
    DAY,
    NAME,
    SCRIPT,
    house,
    own,
    people,
    running,
)

__all__ = ("house",)


async def standing(hub: BoundHub, one: CallList) -> dict[ContactId, tuple[str, str]]:
    rows = await hub.store.all(select(places).where(places.c.list_id == one.id))
    return {row["contact_id"]: (row["state"], row["result"]) for row in rows}


async def taken(hub: BoundHub, one: CallList) -> Seat:
    seat = await next_seat(hub, one)
    assert seat is not None
    return seat


async def said(hub: BoundHub, one: CallList, seat: Seat, result: str) -> None:
    await record(hub, one, seat, Outcome(result=result, answers={}), result)


async def test_who_wants_no_advertising_is_called_no_more_on_a_list_that_runs(house: House) -> None:
    (ann, bob, cid, dan), segment = await people(house, 4)
    hub = own(house, await house.user("supervisor"))
    await house.system.do(GiveConsent(contact_id=ann), GiveConsent(contact_id=dan))
    one = await running(hub, segment)
    service = await running(hub, segment, advertising=False)
    assert await unasked(hub, one) == 2
    await house.system.do(UpdateContact(contact_id=ann, values={"do_not_disturb": True}))
    seat = await taken(hub, one)
    assert seat.contact.id == bob
    # He refuses elsewhere while he is on the line: whatever comes of the call, it is the last.
    await house.system.do(WithdrawConsent(contact_id=bob))
    await said(hub, one, seat, "missed")
    kept_out = ("done", "kept_out")
    assert await standing(hub, one) == {
        ann: kept_out, bob: ("done", "missed"), cid: ("waiting", ""), dan: ("waiting", "")
    }  # fmt: skip
    # About something else everybody is called, until that list becomes advertising too.
    seat = await taken(hub, service)
    assert seat.contact.id == ann
    await hub.do(GiveBack(person_id=seat.person_id))
    plan = service.plan.as_json() | {"advertising": True}
    await hub.do(SaveCallList(list_id=service.id, title="Spring", plan=plan))
    assert (await taken(hub, service)).contact.id == cid
    assert (await standing(hub, service))[ann] == kept_out
    browser = house.browser()
    await browser.log_in("supervisor@example.org")
    assert (
        "Without consent to advertising" in (await browser.get(f"/p/telemarketing/{one.id}")).text
    )


async def test_a_number_found_wrong_is_called_from_no_list_until_it_is_right_again(
    house: House,
) -> None:
    (ann, bob), segment = await people(house, 2)
    hub = own(house, await house.user("supervisor"))
    first, second = await running(hub, segment), await running(hub, segment, advertising=False)
    seat = await taken(hub, first)
    await said(hub, first, seat, "wrong")
    assert (await taken(hub, second)).contact.id == bob
    assert await standing(hub, second) == {ann: ("done", "kept_out"), bob: ("waiting", "")}
    # What is taken back is the number that was called, and it may be listed again.
    await undo(hub, first)
    back = await taken(hub, first)
    assert (back.contact.id, back.address_id) == (ann, seat.address_id)
    await said(hub, first, back, "wrong")
    await house.system.do(ReleaseAddress(address_id=seat.address_id, reason="by_hand"))
    third = await running(hub, segment)
    assert set(await standing(hub, third)) == {ann, bob}


async def test_who_sees_few_people_leaves_the_others_on_the_list(house: House) -> None:
    made, segment = await people(house, 3)
    boss = own(house, await house.user("supervisor"))
    one = await running(boss, segment)
    await house.system.do(SaveRole(name="narrow", based_on="agent", scopes={"contacts": "own"}))
    low = own(house, await house.user("narrow", "n@example.org"))
    assert await next_seat(low, one) is None
    assert await standing(boss, one) == dict.fromkeys(made, ("waiting", ""))
    assert (await list_of(boss, str(one.id))).state == "running"
    # What he takes back of a list that was ended starts it for nobody.
    agent = own(house, await house.user("agent", "z@example.org"))
    await said(agent, one, await taken(agent, one), "talked")
    await boss.do(SteerCallList(list_id=one.id, state="done"))
    await undo(agent, one)
    assert (await list_of(boss, str(one.id))).state == "done"
    assert await held_seat(agent, one) is not None


async def test_a_long_call_is_kept_and_a_lost_one_can_be_copied(house: House) -> None:
    (ann, _bob), segment = await people(house, 2)
    browser = await house.logged_in("supervisor")
    form = {"title": "S", "segment_id": str(segment), "script": SCRIPT, "do": "start", **DAY}
    address = (await browser.submit("/p/telemarketing/new", data=form)).headers["location"]
    desk = f"{address}/desk"
    await browser.submit(desk, data={"do": "next"})
    world = World()
    house.runtime.now = world.now  # type: ignore[method-assign]
    house.runtime.database.set_clock(world.now)

    async def after_the_lease(note: str, before: BoundHub | None = None) -> httpx2.Response:
        page = (await browser.get(desk)).text
        person = page.split('name="person" value="')[1].split('"')[0]
        world.offset_us += LEASE_US + US
        await browser.log_in("supervisor@example.org")
        if before is not None:
            assert str((await taken(before, one)).person_id) == person
        call = {"person": person, "note": note, "answer_1": "speed", "do": "result-talked"}
        return await browser.submit(desk, data=call)

    one = await list_of(house.system.for_plugin(NAME), address.rpartition("/")[2])
    assert (await after_the_lease("a long good talk")).status_code == 303
    assert "a long good talk" in (await browser.get(f"/contacts/{ann}")).text
    other = own(house, await house.user("agent", "z@example.org"))
    lost = await after_the_lease("an even longer one", other)
    assert lost.status_code == 422
    assert "a colleague has this person now" in lost.text
    assert "What matters? — speed\nan even longer one</textarea>" in lost.text


async def test_answers_stay_with_their_question_when_the_script_changes(house: House) -> None:
    _made, segment = await people(house, 2)
    hub = own(house, await house.user("supervisor"))
    one = await running(hub, segment, questions=script_of("What do you usse?\nWhy?"))
    talk = Outcome(result="talked", answers={"0": "Excel", "1": "cheap"})
    await record(hub, one, await taken(hub, one), talk, "talked")
    script = "How many seats? | number\nWhat do you use?\nWhy? | number"
    plan = one.plan.as_json() | {"questions": script_of(script)}
    await hub.do(SaveCallList(list_id=one.id, title="Spring", plan=plan))
    one = await list_of(hub, str(one.id))
    given = [(each.number, each.answers) for each in (await report_of(hub, one)).questions]
    assert given == [(2, ()), (0, (("Excel", 1),)), (3, ())]
    # A program may turn a question into another one: what was no number then is left out of the mean.
    plan["questions"] = [{"number": 0, "text": "Seats?", "kind": "number"}]
    await hub.do(SaveCallList(list_id=one.id, title="Spring", plan=plan))
    one = await list_of(hub, str(one.id))
    talk = Outcome(result="talked", answers={"0": "4"})
    await record(hub, one, await taken(hub, one), talk, "talked")
    (only,) = (await report_of(hub, one)).questions
    assert (only.people, only.mean) == (2, 4.0)
    # A number that was given once is no other question's, even when its own is gone.
    (new,) = with_numbers([Question(text="New?", number=-1)], one.plan.questions, one.plan.numbered)
    assert new.number == 4


async def test_every_line_of_pasted_numbers_is_taken_or_said(house: House) -> None:
    hub = own(house, await house.user("supervisor"))
    (number,) = await hub.do(SaveCallList(title="Other", plan=DAY))
    one = await list_of(hub, str(number))
    lines = [*(f"line {n}" for n in range(501)), "+7 911 222-33-44; Zoe Tern"]
    assert await add_numbers(hub, one, "\n".join(lines)) == (1, lines[:-1])


async def test_places_find_their_person_again_through_merges_of_merges(house: House) -> None:
    (ann, bob, cid), segment = await people(house, 3)
    hub = own(house, await house.user("administrator"))
    one = await running(hub, segment)
    (other,) = await hub.do(SaveCallList(title="Other", plan=DAY))
    two = await list_of(hub, str(other))
    await add_people(hub, two, [ann])

    async def whose() -> list[tuple[ContactId, str]]:
        rows = await hub.store.all(select(places).order_by(places.c.id))
        return [(row["contact_id"], row["state"]) for row in rows if row["list_id"] == two.id] + [
            (row["contact_id"], row["state"]) for row in rows if row["list_id"] == one.id
        ]

    async def are(*wanted: tuple[ContactId, str]) -> bool:
        return await whose() == list(wanted)

    go, no = "waiting", "done"
    (first,) = await hub.do(MergeContacts(survivor_id=bob, merged_id=ann))
    await until(lambda: are((bob, go), (ann, no), (bob, go), (cid, go)))
    (second,) = await hub.do(MergeContacts(survivor_id=cid, merged_id=bob))
    await until(lambda: are((cid, go), (ann, no), (bob, no), (cid, go)))
    await hub.do(UndoMerge(merge_id=second))
    await until(lambda: are((bob, go), (ann, no), (bob, go), (cid, go)))
    await hub.do(UndoMerge(merge_id=first))
    await until(lambda: are((ann, go), (ann, go), (bob, go), (cid, go)))
