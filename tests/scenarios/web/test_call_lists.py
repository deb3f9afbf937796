"""Telemarketing: a list from its segment to its report, called from one screen by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import consents
from hub import (
    Actor,
    ActorKind,
    AddAddress,
    Address,
    Conflict,
    ContactId,
    CreateContact,
    EraseContact,
    GiveConsent,
    MergeContacts,
    SaveRole,
    SaveSegment,
    SplitContact,
    UndoMerge,
    UndoSplit,
    UpdateUser,
    UserId,
    WithdrawConsent,
)
from hub.handle import BoundHub
from plugins import telemarketing
from plugins.telemarketing import filling
from plugins.telemarketing.calling import Outcome, next_seat, record, undo
from plugins.telemarketing.commands import AddToCallList, Listed, SaveCallList
from plugins.telemarketing.doing import list_of, progress, steer
from plugins.telemarketing.plans import CallList, script_of
from plugins.telemarketing.reports import report_of
from tests.houses import World, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house

NAME = "telemarketing"
NAMES = ("Ann", "Bob", "Cid", "Dan", "Eve", "Fay")
SCRIPT = "Do you sail, {{ contact.first_name }}? | yes/no\nWhat matters? | price / speed\nWhy?"
DAY = {"call_from": "00:00", "call_until": "00:00"}


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(World())), (NAME, telemarketing))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def people(house: House, count: int) -> tuple[list[ContactId], int]:
    """People with telephones, and a segment of all."""
    made = await house.system.do(
        *(
            CreateContact(
                name=f"{name} Gull", addresses=(Address(kind="phone", value=f"+7900000000{n}"),)
            )
            for n, name in enumerate(NAMES[:count])
        )
    )
    (segment,) = await house.system.do(SaveSegment(name="Everybody"))
    return list(made), segment


def own(house: House, user_id: UserId) -> BoundHub:
    """A colleague's hands on this plugin's tables."""
    return house.runtime.handle(Actor(kind=ActorKind.USER, id=user_id)).for_plugin(NAME)


async def running(hub: BoundHub, segment: int, **more: object) -> CallList:
    plan = {"segment_id": str(segment), "questions": script_of(SCRIPT), **DAY, **more}
    (number,) = await hub.do(SaveCallList(title="Spring", plan=plan))
    await steer(hub, await list_of(hub, str(number)), "running")
    return await list_of(hub, str(number))


async def test_a_list_is_planned_called_and_reported_on_its_pages(house: House) -> None:
    made, segment = await people(house, 3)
    await house.system.do(WithdrawConsent(contact_id=made[2]))
    browser = await house.logged_in("supervisor")
    assert "No call lists yet" in (await browser.get("/p/telemarketing/")).text
    form = {"title": "Spring", "segment_id": str(segment), "script": SCRIPT, "advertising": "yes"}
    form |= DAY | {"words": "Hello, {{ contact.first_name }}!", "own": "+ Thinks"}
    bad = await browser.submit("/p/telemarketing/new", data=form | {"attempts": "0", "do": "start"})
    assert bad.status_code == 422
    assert "this number is not possible" in bad.text
    saved = await browser.submit("/p/telemarketing/new", data=form | {"do": "start"})
    assert saved.status_code == 303, saved.text
    address = saved.headers["location"]
    page = (await browser.get(address)).text
    assert "0 of 2 are done" in page
    assert "? | yes/no\nWhat matters? | price / speed" in page
    desk = f"{address}/desk"
    assert "Nobody is on the line" in (await browser.get(desk)).text
    assert (await browser.submit(desk, data={"do": "next"})).status_code == 303
    page = (await browser.get(desk)).text
    assert "Hello, Ann!" in page
    assert 'href="tel:+79000000000"' in page
    person = page.split('name="person" value="')[1].split('"')[0]

    # What is not understood is said, and what was typed stays.
    call = {"person": person, "note": "sounds busy", "again": "blue", "do": "result-later"}
    call |= {"answer_0": "yes", "answer_1": "price", "answer_2": "no reason"}
    refused = await browser.submit(desk, data=call)
    assert refused.status_code == 422
    assert "sounds busy" in refused.text
    call |= {"do": "result-talked", "made_kind": "interest", "made_title": "A sail"}
    assert (await browser.submit(desk, data=call)).status_code == 303
    page = (await browser.get(desk)).text
    assert "Bob" in page
    assert "Ann Gull" in page
    card = (await browser.get(f"/contacts/{made[0]}")).text
    assert "sounds busy" in card
    report = (await browser.get(f"{address}/report")).text
    assert "What matters?" in report
    behind = await browser.submit(f"{address}/report", data={"what": "answer:1:price"})
    assert "Ann" in (await browser.get(behind.headers["location"])).text
    table = await browser.get(f"{address}/calls.csv")
    assert "no reason" in table.text
    assert (await browser.get(f"{address}/calls.xlsx")).content[:2] == b"PK"
    # Who may export, and not see mailings, gets the answers by no file either.
    permissions = frozenset({"lists.export", "contacts.view"})
    await house.system.do(SaveRole(name="exporter", based_on="agent", permissions=permissions))
    await house.user("exporter", "e@example.org")
    exporter = house.browser()
    await exporter.log_in("e@example.org")
    for name in ("calls.csv", "calls.xlsx"):
        assert (await exporter.get(f"{address}/{name}")).status_code == 403

    # Taken back: the note and the interest are in the bin, and he is on the line again.
    assert (await browser.submit(desk, data={"do": "undo"})).status_code == 303
    assert "Hello, Ann!" in (await browser.get(desk)).text
    assert "sounds busy" not in (await browser.get(f"/contacts/{made[0]}")).text
    assert "A sail" not in (await browser.get("/interests")).text


async def test_a_long_list_is_filled_behind_its_page_and_goes_on_where_it_stood(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BATCH", 2)
    # The hub's own job stands still meanwhile.
    monkeypatch.setattr(filling, "BATCHES_A_RUN", 0)
    _made, segment = await people(house, 6)
    boss = own(house, await house.user("supervisor", "boss@example.org"))
    job = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    one = await running(boss, segment)
    browser = await house.logged_in("supervisor")
    address = f"/p/telemarketing/{one.id}"

    async def state() -> tuple[str, str, int, int]:
        known = await filling.fill_of(job, one.id)
        held = (await progress(job, [one.id]))[one.id]["people"]
        return (await list_of(job, str(one.id))).state, known.state, known.added, held

    async def stands(wanted: tuple[str, str, int, int]) -> bool:
        await filling.work(job, {})
        return await state() == wanted

    # The first are there at once; nobody is called before everybody is.
    assert await state() == ("draft", "running", 2, 2)
    page = (await browser.get(address)).text
    assert "2 looked at, 2 new" in page
    assert "data-refresh" in page
    twice = await browser.submit(address, data={"do": "running"})
    assert "this call list is being filled" in twice.text
    known = await filling.fill_of(job, one.id)
    batch = filling.FillOn(list_id=one.id, began_at=known.began_at, before=0, after=1, looked=2)
    with pytest.raises(Conflict, match="already"):
        await job.do(batch)
    for added in (4, 6):
        await filling.turn(job, boss, one, batches=1)
        assert await state() == ("draft", "running", added, added)
    monkeypatch.setattr(filling, "BATCHES_A_RUN", 40)
    await filling.work(job, {})
    await until(lambda: stands(("running", "done", 6, 6)))
    # A job that comes once more does nothing; who joins the segment later is added by a press.
    await filling.work(job, {})
    phone = Address(kind="phone", value="+79000000099")
    await house.system.do(CreateContact(name="Gus Gull", addresses=(phone,)))
    assert (await browser.submit(address, data={"do": "fill"})).status_code == 303
    await until(lambda: stands(("running", "done", 1, 7)))


async def test_filling_a_list_ends_at_a_press_or_with_the_rights_of_who_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "BATCH", 2)
    monkeypatch.setattr(filling, "BATCHES_A_RUN", 0)
    _made, segment = await people(house, 6)
    chief = await house.user("supervisor", "boss@example.org")
    boss = own(house, chief)
    job = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    one = await running(boss, segment)
    programs = Programs(house)
    program = await programs.program("supervisor")
    path = f"/telemarketing/lists/{one.id}"
    assert (await program.ok("GET", path))["filling"]["state"] == "running"
    stopped = await program.ok("DELETE", f"{path}/filling")
    assert (stopped["state"], stopped["filling"]["state"]) == ("draft", "cancelled")
    await filling.work(job, {})
    assert (await progress(job, [one.id]))[one.id]["people"] == 2
    # Who may not send any more lends nobody his eyes.
    await steer(boss, await list_of(boss, str(one.id)), "running")
    await house.system.do(UpdateUser(user_id=chief, role="agent"))
    await filling.work(job, {})
    known = await filling.fill_of(job, one.id)
    assert (known.state, known.reason) == ("failed", filling.GONE)
    assert (await list_of(job, str(one.id))).state == "draft"
    shown = await (await house.logged_in()).get(f"/p/telemarketing/{one.id}")
    assert "not filled to the end" in shown.text
    for each in programs.programs:
        await each.aclose()


async def test_several_callers_never_get_the_same_person(house: House) -> None:
    _made, segment = await people(house, 6)
    callers = [await house.user("agent", f"a{n}@example.org") for n in range(4)]
    boss = own(house, await house.user("supervisor"))
    one = await running(boss, segment)
    seats = await asyncio.gather(*(next_seat(own(house, each), one) for each in callers))
    taken = [seat.person_id for seat in seats if seat is not None]
    assert len(set(taken)) == len(callers)
    # Who asks again has him still.
    again = await next_seat(own(house, callers[0]), one)
    assert again is not None
    assert again.person_id == taken[0]


async def test_attempts_refusals_wrong_numbers_and_the_end(house: House) -> None:
    made, segment = await people(house, 3)
    hub = own(house, await house.user("supervisor"))
    one = await running(hub, segment, attempts=1)
    for result in ("missed", "refused", "wrong"):
        seat = await next_seat(hub, one)
        assert seat is not None
        await record(hub, one, seat, Outcome(result=result, answers={}), result)
    assert await next_seat(hub, one) is None
    assert (await list_of(hub, str(one.id))).state == "done"
    counted = (await report_of(hub, one)).results
    assert [n for _code, _label, n in counted] == [0, 1, 0, 1, 1]
    # Neither who refused nor who has another number is called from the next list.
    other = await running(hub, segment)
    assert (await progress(hub, [other.id]))[other.id]["people"] == 1
    left = await next_seat(hub, other)
    assert left is not None
    assert left.contact.id == made[0]


async def test_a_refusal_that_is_taken_back_takes_back_what_it_caused_and_only_that(
    house: House,
) -> None:
    (ann, bob), segment = await people(house, 2)
    hub = own(house, await house.user("supervisor"))
    one = await running(hub, segment, advertising=False)

    async def refused(person: ContactId) -> list[tuple[str, str]]:
        found = await house.system.read(consents.standing, person)
        return [(each.state, each.channel) for each in found.current]

    # One of them had refused before, in his own words: those stand whatever becomes of the call.
    await house.system.do(
        GiveConsent(contact_id=ann, channel="phone"), WithdrawConsent(contact_id=bob, channel="phone")
    )  # fmt: skip
    for person, before in ((ann, "given"), (bob, "withdrawn")):
        seat = await next_seat(hub, one)
        assert seat is not None
        assert seat.contact.id == person
        await record(hub, one, seat, Outcome(result="refused", answers={}), "Refused")
        assert await refused(person) == [("withdrawn", "phone")]
        await undo(hub, one)
        assert await refused(person) == [(before, "phone")]
        seat = await next_seat(hub, one)
        assert seat is not None
        # What he says after the call is not that call's either.
        await record(hub, one, seat, Outcome(result="refused", answers={}), "Refused")
        await house.system.do(WithdrawConsent(contact_id=person, channel="phone"))
        await undo(hub, one)
        assert await refused(person) == [("withdrawn", "phone")]
        seat = await next_seat(hub, one)
        assert seat is not None
        await record(hub, one, seat, Outcome(result="talked", answers={}), "Talked")


async def test_merges_and_erasure_reach_the_lists(house: House) -> None:
    made, segment = await people(house, 2)
    hub = own(house, await house.user("administrator"))
    one = await running(hub, segment)
    seat = await next_seat(hub, one)
    assert seat is not None
    said = Outcome(result="talked", answers={"2": "zugzwangwort"})
    await record(hub, one, seat, said, "Talked")

    async def holders() -> set[int]:
        rows = await hub.store.all(telemarketing.tables.calls.select())
        return {row["contact_id"] for row in rows}

    (merge,) = await hub.do(MergeContacts(survivor_id=made[1], merged_id=made[0]))
    await until(lambda: _same(holders, {made[1]}))
    await hub.do(UndoMerge(merge_id=merge))
    await until(lambda: _same(holders, {made[0]}))
    # Who was split off, listed and given back has his place again as the one he was.
    given = Address(kind="phone", value="+79110000000")
    (phone,) = await hub.do(AddAddress(contact_id=made[1], address=given))
    (new,) = await hub.do(SplitContact(address_id=phone))
    (other,) = await hub.do(SaveCallList(title="Other", plan=DAY))
    await hub.do(AddToCallList(list_id=other, people=(Listed(new, phone),)))
    await hub.do(UndoSplit(contact_id=new))

    async def listed() -> set[int]:
        rows = await hub.store.all(telemarketing.tables.people.select())
        return {row["contact_id"] for row in rows if row["list_id"] == other}

    await until(lambda: _same(listed, {made[1]}))
    assert "zugzwangwort" in str(await hub.store.all(telemarketing.tables.calls.select()))
    await hub.do(EraseContact(contact_id=made[0]))

    async def forgotten() -> bool:
        rows = [
            *await hub.store.all(telemarketing.tables.calls.select()),
            *await hub.store.all(telemarketing.tables.people.select()),
        ]
        return "zugzwangwort" not in str(rows)

    await until(forgotten)


async def _same(holders: object, wanted: set[int]) -> bool:
    assert callable(holders)
    return set(await holders()) == wanted


async def test_a_program_calls_a_list(house: House) -> None:
    made, _segment = await people(house, 2)
    await house.system.do(WithdrawConsent(contact_id=made[1], channel="phone"))
    program = await Programs(house).program()
    plan = {"questions": [{"text": "How many?", "kind": "number"}], **DAY}
    one = await program.ok("POST", "/telemarketing/lists", json={"title": "May", "plan": plan})
    path = f"/telemarketing/lists/{one['id']}"
    to_run = {"state": "running"}
    assert "nobody" in str(
        await program.refused(422, "invalid", "PUT", f"{path}/state", json=to_run)
    )
    given = {"contact_ids": [str(each) for each in made]}
    assert (await program.ok("POST", f"{path}/people", json=given))["added"] == 1
    await program.ok("PUT", path, json={"plan": {"attempts": 2}})
    await program.ok("PUT", f"{path}/state", json=to_run)
    seat = await program.ok("POST", f"{path}/next")
    assert (seat["name"], seat["number"]) == ("Ann Gull", "+79000000000")
    call = {"person_id": seat["person_id"], "result": "later", "again": "tomorrow 15:00"}
    wrong = call | {"answers": {"0": "many"}}
    await program.refused(422, "invalid", "POST", f"{path}/calls", json=wrong)
    await program.ok("POST", f"{path}/calls", json=call)
    assert (await program.ok("POST", f"{path}/next"))["person_id"] is None
    # Taken back, he is called with a number for an answer, and a task is made at once.
    assert (await program.ok("POST", f"{path}/undo"))["person_id"] == seat["person_id"]
    call |= {"result": "talked", "answers": {"0": "7,5"}, "made_kind": "task", "made_title": "Send"}
    await program.ok("POST", f"{path}/calls", json=call)
    report = await program.ok("GET", f"{path}/report")
    assert report["questions"][0]["mean"] == 7.5
    assert report["made"] == {"task": 1}
    assert report["attempts"] == [{"attempts": 1, "people": 1}]
    calls = (await program.ok("GET", f"{path}/calls"))["items"]
    assert [each["result"] for each in calls] == ["talked"]
    noted = await program.ok("GET", f"/meetings/{calls[0]['meeting_id']}")
    assert noted["form"] == "call"
    assert "7.5" in noted["result"]
    await program.ok("POST", f"{path}/segment", json={"what": "result:talked"})
    assert (await program.ok("GET", path))["state"] == "done"

    # Numbers by hand: who is known is found (and was called), who is not becomes a person.
    typed = {"numbers": "8 (900) 000-00-00; Ann\n+7 911 222-33-44; Zoe Tern\nno number"}
    assert await program.ok("POST", f"{path}/people", json=typed) == {
        "added": 1,
        "left": ["no number"],
        "filling": False,
    }
    await program.ok("PUT", f"{path}/state", json=to_run)
    assert (await program.ok("POST", f"{path}/next"))["name"] == "Zoe Tern"
