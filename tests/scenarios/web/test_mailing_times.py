"""Mailings that repeat, chains, orders of channels, newcomers, frozen audiences, speeds and prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import plugins.mailings
from hub import (
    AccountId,
    AddAddress,
    Address,
    CreateAccount,
    CreateContact,
    CreateObject,
    GiveConsent,
    Measure,
    PermanentFailure,
    RejectReason,
    SetSendingLimits,
    WinInterest,
)
from plugins.mailings import sending
from plugins.mailings.audience import sends_of
from plugins.mailings.checking import findings
from plugins.mailings.commands import SteerMailing
from plugins.mailings.doing import again, mailing_of, send
from plugins.mailings.plans import read_plan
from plugins.mailings.reached import ways
from plugins.mailings.reports import as_json, report_of
from plugins.mailings.results import funnel_of, state_of
from plugins.mailings.times import next_occurrence, wall_clock
from tests.houses import US, World, letter, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import _draft, _own, _ready

DAY = 86_400 * US
HOUR = 3_600 * US


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def house(tmp_path: Path, database_url: str, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), ("mailings", plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        one.runtime.now = world.now
        one.runtime.database.set_clock(world.now)
        yield one


def _has_sent(world: World, count: int) -> bool:
    return len(world.sent) == count


async def ticked(house: House, number: int) -> Any:
    hub = _own(house)
    await sending.tick(hub, {})
    return await mailing_of(hub, str(number))


async def finished(house: House, number: int) -> bool:
    hub = _own(house)
    funnel = await funnel_of(hub, await mailing_of(hub, str(number)))
    return not funnel.waiting


async def test_a_mailing_comes_round_and_reaches_who_is_there_then(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 2)
    hub = _own(house)
    number = await _draft(house, segment, account, repeat="day", repeat_every=2)
    await send(hub, await mailing_of(hub, str(number)))
    one = await ticked(house, number)
    assert (one.state, one.occurrence) == ("scheduled", 1)
    await until(lambda: len(world.sent) == 2)
    world.offset_us += DAY
    assert (await ticked(house, number)).occurrence == 1
    (late,) = await house.system.do(
        CreateContact(name="Late", addresses=(Address(kind="email", value="late@example.org"),))
    )
    await house.system.do(GiveConsent(contact_id=late, how="form"))
    world.offset_us += DAY + 60 * US
    one = await ticked(house, number)
    assert (one.state, one.occurrence) == ("scheduled", 2)
    await until(lambda: len(world.sent) == 5)
    assert len(await sends_of(hub, one)) == 3
    # Somebody was away for a week: what was missed is asked about, and never made up for.
    world.offset_us += 7 * DAY
    one = await ticked(house, number)
    assert (one.state, one.reason) == ("paused", "late")
    await hub.do(SteerMailing(mailing_id=number, state="cancelled"))
    assert len(world.sent) == 5


@pytest.mark.parametrize(
    ("plan", "number", "clock"),
    [
        ({"at": "2027-01-31T09:00", "repeat": "month"}, 1, "2027-02-28T09:00:00"),
        ({"at": "2027-01-31T09:00", "repeat": "month", "repeat_every": 2}, 7, "2028-03-31T09:00:00"),
        ({"at": "2027-03-10T09:00", "repeat": "week"}, 3, "2027-03-31T09:00:00"),
        ({"at": "2027-03-10T09:00", "repeat": "day", "repeat_every": 5}, 2, "2027-03-20T09:00:00"),
    ],
)  # fmt: skip
def test_the_wall_clock_of_each_time(plan: dict[str, Any], number: int, clock: str) -> None:
    assert wall_clock(read_plan(plan), number) == clock
    # Summer time comes between: it is nine o'clock all the same, and nothing after the last day.
    spring = read_plan(
        {"at": "2027-03-27T09:00", "repeat": "day", "repeat_until": "2027-03-29T00:00"}
    )
    first = next_occurrence(spring, "Europe/Berlin", 0, 0)
    assert first == (1, 1_806_217_200 * US)
    assert next_occurrence(spring, "Europe/Berlin", 0, 1) == (0, 0)
    # Where no time was given it comes at the hour at which it began, whatever the clocks do.
    begun = (1_806_217_200 - 23 * 3_600) * US
    plain = read_plan({"repeat": "day"})
    assert next_occurrence(plain, "Europe/Berlin", begun, 0, begun=begun) == first
    assert next_occurrence(plain, "no zone", begun, 0, begun=begun) == (1, begun + DAY)


async def test_a_chain_goes_on_for_who_did_not_answer(house: House, world: World) -> None:
    segment, account = await _ready(house, 2)
    hub = _own(house)
    steps = [
        {"days": 3, "subject": "Second", "text": "Still there?"},
        {"days": 7, "subject": "Casino, казино", "text": "No risk"},
    ]
    number = await _draft(house, segment, account, steps=steps)
    found = {
        one.text: one.detail for one in await findings(hub, await mailing_of(hub, str(number)))
    }
    assert found["words that look like spam"] == "«Casino, казино»: казино, no risk"
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    await until(lambda: len(world.sent) == 2)
    first = world.sent[0]
    answer = letter(
        "a1", first.to.value, text="Yes",
        in_reply_to=f"out-{first.idempotency_key}", references=(f"out-{first.idempotency_key}",),
    )  # fmt: skip
    held = await house.system.account(AccountId(account))
    await house.runtime.receive(held, [answer])
    world.offset_us += 3 * DAY - 3_600 * US
    await ticked(house, number)
    assert len(world.sent) == 2
    world.offset_us += 2 * 3_600 * US
    await until(lambda: len(world.sent) == 3)
    assert (world.sent[2].subject, world.sent[2].to.value != first.to.value) == ("Second", True)
    world.offset_us += 4 * DAY
    await until(lambda: finished(house, number))
    assert [one.subject for one in world.sent[2:]] == ["Second", "Casino, казино"]
    one = await mailing_of(hub, str(number))
    funnel = await funnel_of(hub, one)
    assert (funnel.planned, funnel.sent, funnel.answered) == (6, 4, 1)
    assert funnel.reasons == (("suppressed", "answered", 2),)


async def test_a_chain_is_compared_by_people_and_by_the_days_of_each_of_its_letters(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 12)
    hub = _own(house)
    steps = [{"days": 10, "subject": "Second", "text": "Still there?"}]
    number = await _draft(house, segment, account, steps=steps, hold_out=40)
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    one = await mailing_of(hub, str(number))
    got = 12 - one.held_out
    assert 0 < one.held_out < 12
    await until(lambda: len(world.sent) == got)
    world.offset_us += 12 * DAY
    await until(lambda: len(world.sent) == 2 * got)
    # Everybody buys, twelve days after the first letter and two after the second.
    for person in await hub.audience((await hub.segments())[0], channel="email"):
        values = {"title": "Sail", "contact_id": person.contact_id, "amount": 5, "currency": "EUR"}
        (interest,) = await house.system.do(CreateObject(kind="interest", values=values))
        await house.system.do(WinInterest(interest_id=interest))
    report = await report_of(hub, one, days=7)
    assert (report.with_it.people, report.without_it.people) == (got, one.held_out)
    assert (report.share_with, report.share_without, report.more) == (100.0, 100.0, 0.0)
    assert as_json(report)["compared"]["got"] == got
    assert (await report_of(hub, one, days=1)).without_it.people == 0


async def test_newcomers_get_it_once_and_a_frozen_audience_has_none(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 1)
    hub = _own(house)
    living = await _draft(house, segment, account, repeat="enter")
    frozen = await _draft(house, segment, account, audience="frozen")
    for one in (living, frozen):
        await send(hub, await mailing_of(hub, str(one)))
    (late,) = await house.system.do(
        CreateContact(name="Late", addresses=(Address(kind="email", value="late@example.org"),))
    )
    await house.system.do(GiveConsent(contact_id=late, how="form"))
    await ticked(house, living)
    await until(lambda: len(world.sent) == 3)
    assert [one.to.value for one in world.sent].count("late@example.org") == 1
    world.offset_us += 600 * US
    await ticked(house, living)
    assert (await funnel_of(hub, await mailing_of(hub, str(living)))).planned == 2
    assert (await funnel_of(hub, await mailing_of(hub, str(frozen)))).planned == 1
    assert (await mailing_of(hub, str(living))).state == "scheduled"


async def test_a_hub_that_was_off_asks_before_a_late_start_and_goes_on_looking_for_newcomers(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 1)
    hub = _own(house)
    living = await _draft(house, segment, account, repeat="enter")
    await send(hub, await mailing_of(hub, str(living)))
    # Planned for a moment of the night in which nobody looked: it asks, and goes once allowed.
    world.offset_us += 8 * HOUR
    one = await ticked(house, living)
    assert (one.state, one.reason, world.sent) == ("paused", "late", [])
    await hub.do(SteerMailing(mailing_id=living, state="running"))
    await ticked(house, living)
    await until(partial(_has_sent, world, 1))
    # It has begun, and waits for newcomers: however long nobody looked, it only looks again.
    world.offset_us += 3 * DAY
    (late,) = await house.system.do(
        CreateContact(name="Late", addresses=(Address(kind="email", value="late@example.org"),))
    )
    await house.system.do(GiveConsent(contact_id=late, how="form"))
    one = await ticked(house, living)
    assert (one.state, one.reason) == ("scheduled", "")
    await until(partial(_has_sent, world, 2))
    assert world.sent[1].to.value == "late@example.org"


async def test_what_repeats_in_local_time_asks_once_after_the_hub_was_off(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 1)
    hub = _own(house)
    # Two hours ago by its wall clock: the world's earliest zone had it sixteen hours ago.
    at = datetime.fromtimestamp((world.now() - 2 * HOUR) / US, UTC).strftime("%Y-%m-%dT%H:%M")
    number = await _draft(house, segment, account, at=at, local=True, repeat="day")
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    world.offset_us += 3 * DAY
    assert (await ticked(house, number)).reason == "late"
    await hub.do(SteerMailing(mailing_id=number, state="running"))
    assert (await ticked(house, number)).state == "scheduled"
    one = await ticked(house, number)
    assert (one.state, one.reason) == ("scheduled", "")


async def test_an_order_of_channels_its_price_and_each_ones_path(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 2)
    hub = _own(house)
    (second,) = await house.system.do(CreateAccount(channel="pigeon", title="Pigeons"))
    both = Address(kind="email", value="both@example.org"), Address(kind="pigeon", value="both")
    made = await house.system.do(
        CreateContact(name="Both", addresses=both),
        CreateContact(name="Bird", addresses=(Address(kind="pigeon", value="bird"),)),
        CreateContact(name="Nobody"),
    )
    await house.system.do(*(GiveConsent(contact_id=one, how="form") for one in made))
    await house.system.do(SetSendingLimits(account_id=second, price=250, currency="rub"))

    def refuse(message: Any) -> Any:
        async def outcome() -> None:
            if message.to.value == "both@example.org":
                raise PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 nobody")

        return outcome()

    world.outcomes = [refuse] * 20
    variants = [{"subject": "News", "text": "# A long letter", "short": "Short words"}]
    number = await _draft(house, segment, account, accounts=[str(account), str(second)],
                          variants=variants)  # fmt: skip
    programs = Programs(house)
    program = await programs.program("marketer")
    check = await program.ok("GET", f"/mailings/mailings/{number}/check")
    texts = {one["text"]: one["detail"] for one in check["findings"]}
    assert texts["People who get it"] == "4"
    assert texts["It costs, if the first channel of everybody arrives"] == "2.50 RUB"
    # Whoever has both may cost both: what left in vain is paid for too.
    assert texts["It costs at most"] == "5.00 RUB"
    browser = await house.logged_in()
    page = (await browser.get(f"/p/mailings/{number}")).text
    assert "4 of 5 get it" in page
    assert "at most 5.00 RUB" in page
    # A provider that counts parts is paid for each of them: of the person who needs most.
    pigeon = house.runtime.channels["pigeon"]
    monkeypatch.setattr(pigeon, "measure", lambda _, text: Measure(parts=1 + len(text) // 10))
    check = await program.ok("GET", f"/mailings/mailings/{number}/check")
    assert {one["text"]: one["detail"] for one in check["findings"]}["It costs at most"] == (
        "10.00 RUB"
    )
    assert "5.00 RUB, ×2" in (await browser.get(f"/p/mailings/{number}")).text
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    await until(lambda: finished(house, number))
    mailing = await mailing_of(hub, str(number))
    found = {one.name: [(w.state, w.reason) for w in one.ways] for one in await ways(hub, mailing)}
    assert found["Both"] == [("passed", "invalid_address"), ("sent", "")]
    assert found["Bird"] == [("passed", "no_address"), ("sent", "")]
    assert found["Nobody"][-1] == ("suppressed", "no_address")
    assert found["Person0"] == [("sent", "")]
    pigeons = [one.text for one in world.sent if one.to.kind == "pigeon"]
    assert pigeons == ["Short words", "Short words"]
    # Two of them left over it, each in two parts: the report says what was really paid.
    assert (await report_of(hub, mailing)).costs == (("RUB", 2 * 2 * 250),)
    shown = (await browser.get(f"/p/mailings/{number}/people?state=kept_back")).text
    assert "Nobody" in shown
    assert "Both" not in shown
    answer = await program.ok("GET", f"/mailings/mailings/{number}/ways?reason=no_address")
    assert [one["name"] for one in answer["items"]] == ["Nobody"]
    # Again to those of one cause: one of them has an address by now.
    copied = await again(hub, mailing, failed=False, reason="no_address")
    plan = (await mailing_of(hub, str(copied))).plan
    kept = next(one for one in await hub.segments() if one.id == plan.segment_id)
    assert [one.name for one in await hub.audience(kept, channel="email")] == ["Nobody"]
    # It is a mailing of its own: from the first channel on, each person once, all asked anew.
    [nobody] = [one.contact_id for one in await hub.audience(kept, channel="email")]
    await house.system.do(AddAddress(contact_id=nobody, address=Address(kind="email", value="n@x.example")))  # fmt: skip
    before = len(world.sent)
    await send(hub, await mailing_of(hub, str(copied)))
    await ticked(house, copied)
    await until(lambda: finished(house, copied))
    [(again_to, tried)] = [
        (one.name, [(w.account_id, w.state) for w in one.ways])
        for one in await ways(hub, await mailing_of(hub, str(copied)))
    ]
    assert (again_to, tried) == ("Nobody", [(plan.accounts[0], "sent")])
    assert [one.to.value for one in world.sent[before:]] == ["n@x.example"]
    assert state_of(mailing, await funnel_of(hub, mailing)) == "finished"
    for each in programs.programs:
        await each.aclose()


async def test_an_account_warms_up_day_by_day(house: House, world: World) -> None:
    segment, account = await _ready(house, 7)
    hub = _own(house)
    programs = Programs(house)
    program = await programs.program("marketer")
    limits = {"per_day": 100, "warm_from": "2020-01-01", "warm_first": 0}
    await program.refused(422, "invalid", "PUT", f"/mailings/senders/{account}", json=limits)
    await house.system.do(
        SetSendingLimits(
            account_id=AccountId(account), per_day=4, warm_from=hub.now(), warm_first=2,
            warm_percent=50,
        )
    )  # fmt: skip
    number = await _draft(house, segment, account)
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    for leaves in (2, 5, 7):
        await until(partial(_has_sent, world, leaves))
        assert not await finished(house, number) or leaves == 7
        world.offset_us += DAY
    await until(lambda: finished(house, number))
    listed = await program.ok("GET", "/mailings/senders")
    assert listed["items"][0]["per_day"] == 4
    browser = await house.logged_in()
    form = {"per_minute": "30", "price": "1,5", "currency": "RUB"}
    await browser.submit(f"/p/mailings/senders/{account}", "/p/mailings/senders", form)
    page = (await browser.get("/p/mailings/senders")).text
    assert 'value="1.50"' in page
    assert 'value="30"' in page
    # What cannot be is said over its form, with all that was typed.
    for wrong in ({"price": "much"}, {"price": "1e999"}, {"currency": "roubles"}):
        typed = {**form, "per_minute": "77", **wrong}
        page = await browser.submit(f"/p/mailings/senders/{account}", "/p/mailings/senders", typed)
        assert page.status_code == 422
        assert 'role="alert"' in page.text
        assert 'value="77"' in page.text
        assert f'value="{next(iter(wrong.values()))}"' in page.text
    slip = {"title": "Spring", "plan": {"quiet_form": "21:00"}}
    await program.refused(422, "invalid", "POST", "/mailings/mailings", json=slip)
    for each in programs.programs:
        await each.aclose()


async def test_advertising_carries_its_mark(house: House, world: World) -> None:
    segment, account = await _ready(house, 1)
    hub = _own(house)
    number = await _draft(house, segment, account, ad_kind="third", advertiser="OOO Sail")
    programs = Programs(house)
    program = await programs.program("marketer")
    one = f"/mailings/mailings/{number}"
    found = (await program.ok("GET", f"{one}/check"))["findings"]
    words = [each["text"] for each in found if each["level"] == "bad"]
    assert words == ["Advertising of others needs its advertiser and erid"]
    await program.refused(422, "invalid", "POST", f"{one}/send", json={})
    await program.ok("PUT", one, json={"plan": {"erid": "2VtzqwE", "inn": "7701"}})
    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    await until(lambda: len(world.sent) == 1)
    assert "Реклама. OOO Sail, ИНН 7701. erid: 2VtzqwE" in world.sent[0].text
    assert "https://shop.example/sale?erid=2VtzqwE" in world.sent[0].text

    async def creative() -> str:
        return str((await program.get("/mailings/creatives")).text.splitlines()[1])

    assert (await creative()).startswith("Spring,third,OOO Sail,7701,2VtzqwE,")

    async def counted() -> bool:
        return (await creative()).endswith(",1,A,1")

    # It has left; that is written down a moment later.
    await until(counted)
    for each in programs.programs:
        await each.aclose()


async def test_each_creative_has_its_erid_and_the_house_says_who_needs_one(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 1)
    hub = _own(house)
    (second,) = await house.system.do(CreateAccount(channel="pigeon", title="Pigeons"))
    bird = Address(kind="pigeon", value="bird")
    (made,) = await house.system.do(CreateContact(name="Bird", addresses=(bird,)))
    await house.system.do(GiveConsent(contact_id=made, how="form"))
    variants = [
        {"subject": "A", "text": "# Sails", "short": "Short", "erid": "LETTER", "short_erid": "SMS"}
    ]
    number = await _draft(
        house, segment, account, accounts=[str(account), str(second)], variants=variants,
        ad_kind="own", advertiser="OOO Sail",
    )  # fmt: skip
    programs = Programs(house)
    marketer, owner = await programs.program("marketer"), await programs.program()
    one = f"/mailings/mailings/{number}"

    async def red() -> list[tuple[str, str]]:
        found = (await marketer.ok("GET", f"{one}/check"))["findings"]
        return [(each["text"], each["detail"]) for each in found if each["level"] == "bad"]

    assert await marketer.ok("GET", "/mailings/obligatory") == {"kinds": ["third"]}
    assert await red() == []
    # What the house holds to be obligatory blocks: no mark at all, and one creative without an erid.
    await marketer.refused(
        403, "not_allowed", "PUT", "/mailings/obligatory", json={"kinds": ["own"]}
    )
    await owner.ok("PUT", "/mailings/obligatory", json={"kinds": ["own", "third"]})
    bare = [{**variants[0], "short_erid": ""}]
    await marketer.ok("PUT", one, json={"plan": {"variants": bare}})
    own = "Advertising of your own needs its advertiser and erid here"
    assert await red() == [(own, "A2")]
    await marketer.ok("PUT", one, json={"plan": {"variants": variants, "ad_kind": ""}})
    assert [text for text, _ in await red()] == [
        "Say what kind of advertising it is: here every one carries its mark"
    ]
    await marketer.ok("PUT", one, json={"plan": {"ad_kind": "own"}})
    assert await red() == []
    browser = house.browser()
    await browser.log_in("administrator@example.org")
    assert 'value="LETTER"' in (await browser.get(f"/p/mailings/{number}")).text
    await browser.submit("/p/mailings/senders/erid", "/p/mailings/senders", {"third": "yes"})
    assert await owner.ok("GET", "/mailings/obligatory") == {"kinds": ["third"]}

    await send(hub, await mailing_of(hub, str(number)))
    await ticked(house, number)
    await until(lambda: len(world.sent) == 2)
    texts = {one.to.kind: one.text for one in world.sent}
    assert "Реклама. OOO Sail. erid: LETTER" in texts["email"]
    assert "Реклама. OOO Sail. erid: SMS" in texts["pigeon"]
    wanted = [["LETTER", "A", "1"], ["SMS", "A2", "1"]]

    async def counted() -> bool:
        register = (await marketer.get("/mailings/creatives")).text.splitlines()
        return [one.split(",")[4:5] + one.split(",")[-2:] for one in register[1:]] == wanted

    await until(counted)
    for each in programs.programs:
        await each.aclose()
