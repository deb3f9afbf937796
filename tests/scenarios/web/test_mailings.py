"""A mailing from its plan to its numbers: on the page, by the API, over a kill, with a test of words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import plugins.mailings
from crm_store import segments
from hub import (
    Actor,
    ActorKind,
    Address,
    Conflict,
    CreateAccount,
    CreateContact,
    GiveConsent,
    Invalid,
    PermanentFailure,
    RejectReason,
    RemoveSegment,
    SaveSegment,
    SaveTopic,
    SenderCheck,
    SetSendingLimits,
    TouchMany,
    UpdateContact,
)
from hub.handle import BoundHub
from plugins.mailings import doing, pages, sending
from plugins.mailings.audience import GONE, audience_of
from plugins.mailings.checking import findings
from plugins.mailings.commands import FillMailing, SaveMailing
from plugins.mailings.doing import mailing_of, send, steer
from plugins.mailings.judging import Judged, too_many
from plugins.mailings.letter import letter
from plugins.mailings.paths import path_of
from plugins.mailings.plans import part_of, read_plan
from plugins.mailings.results import Funnels, funnel_of, state_of
from tests.houses import World, message, plugin_of, until
from tests.parrots import Perch
from tests.parrots import plugin_of as parrots_of
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house

NAME = "mailings"
OF_THE_HOUSE = ("/mailings/obligatory", "put")
TEXT = "# Hello, {{ contact.first_name }}!\n\nSee [our sale](https://shop.example/sale).\n\n[[Order|https://shop.example/order]]"


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), (NAME, plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


def _own(house: House) -> BoundHub:
    return house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))


async def _ready(house: House, people: int) -> tuple[int, int]:
    """People with addresses and consent, a segment of all, an account; gives segment and account."""
    hub = house.system
    account = (await hub.do(CreateAccount(channel="letter", title="Desk")))[0]
    made = await hub.do(
        *(
            CreateContact(
                name=f"Person{n}", addresses=(Address(kind="email", value=f"p{n}@example.org"),)
            )
            for n in range(people)
        )
    )
    await hub.do(*(GiveConsent(contact_id=one, how="form") for one in made))
    (segment,) = await hub.do(SaveSegment(name="Everybody"))
    return segment, account


async def _draft(house: House, segment: int, account: int, **more: object) -> int:
    plan = {
        "segment_id": str(segment),
        "accounts": [str(account)],
        "topic": "news",
        "variants": [{"subject": "News for {{ contact.first_name }}", "text": TEXT}],
        **more,
    }
    (mailing,) = await _own(house).do(SaveMailing(title="Spring", plan=plan))
    return int(mailing)


async def _numbers(house: House, mailing: int) -> tuple[str, int, int]:
    hub = _own(house)
    one = await mailing_of(hub, str(mailing))
    funnel = await funnel_of(hub, one)
    return state_of(one, funnel), funnel.planned, funnel.sent


async def test_a_marketer_plans_checks_sends_and_reads_the_numbers(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 5)
    world.outcomes = [PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 nobody")]
    browser = await house.logged_in("marketer")
    assert "No mailings yet" in (await browser.get("/p/mailings/")).text
    form = {
        "do": "save",
        "title": "Spring",
        "segment_id": str(segment),
        f"account_{account}": "1",
        "advertising": "yes",
        "tracks_clicks": "yes",
        "topic": "news",
        "subject_0": "News",
        "text_0": "Hello, {{ contact.frist_name }}",
    }
    saved = await browser.submit("/p/mailings/new", data=form)
    assert saved.status_code == 303, saved.text
    address = saved.headers["location"].partition("#")[0]
    page = (await browser.get(address)).text
    assert "contact.frist_name → contact.first_name" in page
    assert 'value="send"' not in page
    form |= {"text_0": TEXT, "version": re.findall(r'name="version" value="(\d+)"', page)[0]}
    await browser.submit(address, data=form)
    page = (await browser.get(address)).text
    assert "5 of 5 get it" in page
    drawn = await browser.get(f"{address}/letter")
    assert "Hello, Ann!" in drawn.text
    assert "sandbox" in drawn.headers["content-security-policy"]
    form |= {"do": "send", "version": re.findall(r'name="version" value="(\d+)"', page)[0]}
    sent = await browser.submit(address, data=form)
    assert sent.status_code == 303, sent.text
    await sending.tick(_own(house), {})
    number = int(address.rpartition("/")[2])

    async def finished() -> bool:
        return (await _numbers(house, number))[0] == "finished"

    await until(finished)
    assert await _numbers(house, number) == ("finished", 5, 4)
    assert {one.subject for one in world.sent} == {"News"}
    assert all("/c/" in one.html and one.list_id == f"mailing-{number}" for one in world.sent)
    assert "Unsubscribe: http" in world.sent[0].text
    shown = (await browser.get(address)).text
    assert "no such address</a>: <strong>1</strong>" in shown
    again = await browser.submit(address, data={"do": "again_failed"})
    copy = (await browser.get(again.headers["location"])).text
    assert "Spring: Failed" in copy
    assert 'value="Spring 2"' in copy
    behind = await browser.submit(address, data={"do": "people-sent"})
    # The same number leads to the same segment, however often it is pressed.
    once_more = await browser.submit(address, data={"do": "people-sent"})
    assert once_more.headers["location"] == behind.headers["location"]
    assert "How many, now: 4" in (await browser.get(behind.headers["location"])).text
    agent = await house.logged_in("agent")
    assert (await agent.get("/p/mailings/")).status_code == 403


async def test_a_long_list_comes_in_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SHOWN", 2)
    saves = (SaveMailing(title=f"Letter {n}", plan={}) for n in range(3))
    first, *_ = await _own(house).do(*saves)
    browser = await house.logged_in("marketer")
    page = (await browser.get("/p/mailings/")).text
    assert page.count('value="again" data-key="D"') == 2
    assert re.findall(r"Letter \d", page) == ["Letter 2", "Letter 1"]
    address = re.findall(r'href="(\?before=\d+)"', page)[0]
    page = (await browser.get(f"/p/mailings/{address}")).text
    assert re.findall(r"Letter \d", page) == ["Letter 0"]
    assert "?before=" not in page
    nothing = await browser.get(f"/p/mailings/?before={first}")
    assert nothing.status_code == 200


async def test_a_draft_is_put_away_and_back_and_says_whom_it_reaches(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 20)
    number = await _draft(house, segment, account, hold_out=10)
    browser = await house.logged_in("marketer")
    address = f"/p/mailings/{number}"
    with monkeypatch.context() as patched:
        # Of very many an estimate is shown at once, but it goes only to as many as were counted.
        patched.setattr(segments, "AT_ONCE", 1)
        assert 'name="seen"' not in (page := (await browser.get(address)).text)
        assert f'data-exact="/p/mailings/{number}?exact=1#check"' in page
        assert 'name="seen" value="20"' in (await browser.get(f"{address}?exact=1")).text
    page = (await browser.get(address)).text
    assert "kept out to compare: <strong" in page
    assert "By the clock of UTC" in page
    assert 'name="seen" value="20"' in page
    form = {
        "title": "Spring",
        "segment_id": str(segment),
        f"account_{account}": "1",
        "advertising": "yes",
        "topic": "news",
        "subject_0": "News",
        "text_0": TEXT,
    }

    def version(text: str) -> str:
        return str(re.findall(r'name="version" value="(\d+)"', text)[0])

    # What a refused test was typed with stays, and it goes to as many as the button said.
    form["version"] = version(page)
    wrong = await browser.submit(address, data=form | {"do": "test", "test_to": "nobody"})
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    form["version"] = version(wrong.text)
    other = await browser.submit(address, data=form | {"do": "send", "seen": "19"})
    assert other.status_code == 422
    assert "another number of people" in other.text
    away = await browser.submit(address, data={"do": "removed"})
    assert away.status_code == 303
    assert "Put it back" in (await browser.get(address)).text
    assert address not in (await browser.get("/p/mailings/")).text
    refused = await browser.submit(address, data={"do": "paused"})
    assert refused.status_code == 422
    await browser.submit(address, data={"do": "draft"})
    assert address in (await browser.get("/p/mailings/")).text


async def test_many_people_are_typed_and_a_bad_sender_stops_it(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 3)
    number = str(await _draft(house, segment, account))
    for module in (doing, pages):
        monkeypatch.setattr(module, "MANY", 2)
    browser = await house.logged_in("marketer")
    address = f"/p/mailings/{number}"
    assert "Type 3 to send" in (await browser.get(address)).text
    for typed in ("", "2", "33"):
        with pytest.raises(Conflict, match="type the number") as refused:
            await send(_own(house), await mailing_of(_own(house), number), typed)
        assert refused.value.what == "confirm"
    # What providers ask of the sender is looked up now: what blocks is red, and refuses Send.
    asked = [SenderCheck(name="DMARC", ok=False, text="there is no record", blocks=True)]

    async def check_sender(channel: object) -> list[SenderCheck]:
        return asked

    monkeypatch.setattr(house.runtime.channels["letter"], "check_sender", check_sender)
    found = await findings(_own(house), await mailing_of(_own(house), number))
    [bad] = [one for one in found if one.level == "bad"]
    assert "DMARC: there is no record" in bad.detail
    page = (await browser.get(address)).text
    assert "DMARC: there is no record" in page
    assert "Type 3 to send" not in page
    with pytest.raises(Invalid, match="something red"):
        await send(_own(house), await mailing_of(_own(house), number), "3")
    asked[0] = replace(asked[0], blocks=False)
    await send(_own(house), await mailing_of(_own(house), number), " 3 ")
    await sending.tick(_own(house), {})
    await until(lambda: len(world.sent) == 3)


async def test_who_cannot_be_written_to_first_is_counted_out_and_not_priced(
    database_url: str, tmp_path: Path
) -> None:
    parts = (("parrots", parrots_of(Perch())), (NAME, plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as house:
        hub = house.system
        (account,) = await hub.do(CreateAccount(channel="parrot", title="Parrots"))
        [first] = await house.runtime.receive(
            await hub.account(account), [message("1", "polly", kind="parrot")]
        )
        polly = (await hub.dialog(first.dialog_id)).contact_id
        (silent,) = await hub.do(
            CreateContact(name="Silent", addresses=(Address(kind="parrot", value="silent"),))
        )
        await hub.do(*(GiveConsent(contact_id=one, how="form") for one in (polly, silent)))
        await hub.do(SetSendingLimits(account_id=account, price=250, currency="rub"))
        (segment,) = await hub.do(SaveSegment(name="Everybody"))
        number = await _draft(house, segment, account, variants=[{"text": "Hello"}])
        mailing = await mailing_of(_own(house), str(number))
        found = await path_of(_own(house), mailing)
        assert (found.total, found.reached, found.most) == (2, 1, (("RUB", 250),))
        browser = await house.logged_in("marketer")
        page = (await browser.get(f"/p/mailings/{number}")).text
        assert "reply window closed: 1" in page
        assert "Send to 1" in page
        # Over an approved template everybody is reached.
        by_template = replace(mailing, plan=replace(mailing.plan, template="news"))
        assert (await path_of(_own(house), by_template)).most == (("RUB", 500),)


async def test_a_segment_that_is_gone_stops_its_own_mailing_and_no_other(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 3)
    hub = _own(house)
    (others,) = await house.system.do(SaveSegment(name="Others"))
    (kept_out,) = await house.system.do(SaveSegment(name="Never", static=True))
    first = await _draft(house, segment, account)
    second = await _draft(house, others, account)
    careful = await _draft(house, others, account, without=[str(kept_out)])
    for one in (first, second):
        await send(hub, await mailing_of(hub, str(one)))
    # Before it is removed its page names what makes use of it (`uses_of`).
    browser = await house.logged_in("marketer")
    assert f"/p/mailings/{first}" in (await browser.get(f"/segments/{segment}")).text
    assert f"/p/mailings/{careful}" in (await browser.get(f"/segments/{kept_out}")).text
    await house.system.do(RemoveSegment(segment_id=segment), RemoveSegment(segment_id=kept_out))
    await sending.tick(hub, {})
    await until(lambda: len(world.sent) == 3)
    stopped = await mailing_of(hub, str(first))
    assert (stopped.state, stopped.reason) == ("paused", GONE)
    # Whoever was to be left out does not get it because his segment is gone.
    assert "were to be left out is gone" in (await browser.get(f"/p/mailings/{careful}")).text
    await house.system.do(RemoveSegment(segment_id=segment, restore=True))
    await steer(hub, stopped, "running")
    await sending.tick(hub, {})
    await until(lambda: len(world.sent) == 6)


async def test_a_topic_is_offered_and_a_typo_makes_none_unseen(house: House) -> None:
    segment, account = await _ready(house, 1)
    await house.system.do(SaveTopic(name="news", label_en="Our news"))
    browser = await house.logged_in("marketer")
    page = (await browser.get(f"/p/mailings/{await _draft(house, segment, account)}")).text
    assert '<option value="news">Our news</option>' in page
    assert "hold no such topic" not in page
    mistyped = await _draft(house, segment, account, topic="nesw")
    page = (await browser.get(f"/p/mailings/{mistyped}")).text
    assert "hold no such topic" in page
    assert "nesw → news?" in page


async def test_a_batch_is_carried_once_wherever_it_was_killed(house: House, world: World) -> None:
    segment, account = await _ready(house, 7)
    number = await _draft(house, segment, account, hold_out=0, per_minute=60)
    hub = _own(house)
    await send(hub, await mailing_of(hub, str(number)))
    before = sending.BATCH
    sending.BATCH = 3
    try:
        mailing = await mailing_of(hub, str(number))
        people = await hub.audience(await audience_of(hub, mailing), channel="email", limit=3)
        # Two processes carry the same batch: the second one finds that it moved on.
        step = FillMailing(
            mailing_id=number,
            version=mailing.version,
            cursor=people[-1].contact_id,
            phase=0,
            recipients=tuple(
                sending.ManyRecipient(
                    contact_id=one.contact_id,
                    address_id=one.address_id,
                    account_id=account,  # type: ignore[arg-type]
                    content_id=mailing.contents[0],
                )
                for one in people
            ),
        )
        assert await hub.do(step) == [3]
        assert await hub.do(step) == [0]
        await sending.tick(hub, {})
    finally:
        sending.BATCH = before
    state, planned, _ = await _numbers(house, number)
    assert (state, planned) == ("sending", 7)
    await hub.do(plugins.mailings.commands.SteerMailing(mailing_id=number, state="paused"))
    await hub.do(plugins.mailings.commands.SteerMailing(mailing_id=number, state="running"))
    await sending.tick(hub, {})
    assert (await _numbers(house, number))[1] == 7
    await hub.do(plugins.mailings.commands.SteerMailing(mailing_id=number, state="cancelled"))
    mailing = await mailing_of(hub, str(number))
    assert (await funnel_of(hub, mailing)).waiting == 0


async def test_the_better_words_win_and_some_are_kept_out(house: House, world: World) -> None:
    segment, account = await _ready(house, 30)
    variants = [
        {"subject": "A", "text": "One"},
        {"subject": "B", "text": "[Two](https://b.example)"},
    ]
    number = await _draft(
        house, segment, account, variants=variants, share=50, winner_hours=2, hold_out=20
    )
    hub = _own(house)
    house.runtime.now = world.now
    await send(hub, await mailing_of(hub, str(number)))
    begun = await mailing_of(hub, str(number))
    await sending.tick(hub, {})
    first = await mailing_of(hub, str(number))
    assert first.phase == 2
    tested = first.planned
    # Another process that looked at the same time comes late, and counts nobody again.
    await sending.fill(hub, begun)
    assert (await mailing_of(hub, str(number))).planned == tested
    await until(lambda: len(world.sent) == tested)
    assert {one.subject for one in world.sent} == {"A", "B"}
    await hub.do(*(TouchMany(delivery_id=one.id, n=1) for one in world.sent if one.subject == "B"))
    await sending.tick(hub, {})
    assert (await mailing_of(hub, str(number))).planned == tested
    world.offset_us += 2 * sending.HOUR_US + 1
    await sending.tick(hub, {})
    last = await mailing_of(hub, str(number))
    assert last.winner == first.contents[1]
    assert last.planned + last.held_out == 30
    assert last.held_out > 0
    await until(lambda: len(world.sent) == last.planned)
    assert {one.subject for one in world.sent[tested:]} == {"B"}


async def test_a_mailing_that_fails_pauses_itself_and_local_time_is_local(
    house: House, world: World
) -> None:
    # Twenty-five a second: there are seconds in which to judge it, on a slow machine as well.
    segment, account = await _ready(house, 100)
    world.outcomes = [PermanentFailure(RejectReason.OTHER, "closed")] * 80
    number = await _draft(house, segment, account, per_minute=1500, fail_percent=30)
    hub = _own(house)
    await send(hub, await mailing_of(hub, str(number)))
    await sending.tick(hub, {})

    async def judged() -> bool:
        await sending.tick(hub, {})
        return (await mailing_of(hub, str(number))).state in ("paused",) or (
            await _numbers(house, number)
        )[0] == "finished"

    await until(judged)
    paused = await mailing_of(hub, str(number))
    assert "failed" in paused.reason
    # Somebody looked, mended it and lets it go on: what failed before does not hold it again.
    world.outcomes = []
    await steer(hub, paused, "running")
    await sending.tick(hub, {})
    assert (await mailing_of(hub, str(number))).state == "sending"
    contacts = [
        one.contact_id for one in await hub.audience((await hub.segments())[0], channel="email")
    ]
    await house.system.do(UpdateContact(contact_id=contacts[0], time_zone="Asia/Tokyo"))
    later = await _draft(house, segment, account, at="2031-03-10T09:00", local=True)
    await send(hub, await mailing_of(hub, str(later)))
    mailing = await mailing_of(hub, str(later))
    people = await hub.audience(await audience_of(hub, mailing), channel="email")
    found = sending._recipients(mailing, account, people, 0, 0, "Europe/Moscow")
    hours = {one.contact_id: one.due_at // sending.HOUR_US % 24 for one in found}
    assert (hours[contacts[0]], hours[contacts[1]]) == (0, 6)
    everybody = await audience_of(hub, mailing)
    assert await hub.time_zones(everybody) == {"": 99, "Asia/Tokyo": 1}
    # Two hours from now by the house's clock that hour is over in Japan: it is said how many get it now.
    zone = (await hub.brand()).time_zone or "UTC"
    at = (datetime.now(ZoneInfo(zone)) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    for local, told in ((True, ["1: Asia/Tokyo (1)"]), (False, [])):
        soon = await _draft(house, segment, account, at=at, local=local)
        said = await findings(hub, await mailing_of(hub, str(soon)))
        assert [one.detail for one in said if one.text.startswith("Its hour has passed")] == told


async def test_programs_do_all_that_the_page_does(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 2)
    programs = Programs(house)
    program = await programs.program("marketer")
    plan = {
        "segment_id": str(segment),
        "accounts": [str(account)],
        "variants": [{"subject": "News", "text": "Hello"}],
    }
    made = await program.ok("POST", "/mailings/mailings", json={"title": "M", "plan": plan})
    one = f"/mailings/mailings/{made['id']}"
    assert (await program.ok("GET", f"{one}/check"))["ready"] is True
    with monkeypatch.context() as patched:
        # As on the screen: an estimate at once, and counted when that is asked.
        patched.setattr(segments, "AT_ONCE", 1)
        about = await program.ok("GET", f"{one}/check")
        assert about["estimated"] is True
        counted = await program.ok("GET", f"{one}/check?exact=true")
        assert counted["estimated"] is False
        assert "2" in [each["detail"] for each in counted["findings"]]
    tag = (await program.get(one)).headers["etag"]
    await program.ok("PUT", one, json={"title": "N"}, headers={"if-match": tag})
    await program.refused(412, "version", "PUT", one, json={}, headers={"if-match": tag})
    await program.ok("POST", f"{one}/send", json={})
    await program.refused(409, "begun", "POST", f"{one}/send", json={})
    await program.refused(409, "begun", "PUT", one, json={"title": "Late"})
    await sending.tick(_own(house), {})
    await until(lambda: len(world.sent) == 2)
    # A list keeps the numbers of what is large for a while, and counts them when that is asked.
    kept, mailing = Funnels(small=1, rest_us=60_000_000), await mailing_of(_own(house), made["id"])
    before, _ = (await kept.lately(_own(house), [mailing]))[mailing.id]
    assert before.planned == 2
    await house.system.do(TouchMany(delivery_id=world.sent[0].id, n=0))
    assert (await kept.lately(_own(house), [mailing]))[mailing.id][0] == before
    after = (await kept.lately(_own(house), [mailing], exact=True))[mailing.id][0]
    assert after.seen == before.seen + 1
    assert (await kept.lately(_own(house), [mailing]))[mailing.id][0] == after
    assert (await program.ok("PUT", f"{one}/state", json={"state": "cancelled"}))[
        "state"
    ] == "cancelled"
    drafts = await program.ok("POST", "/mailings/mailings", json={"title": "Later"})
    whole = await program.ok("GET", one)
    assert whole["per_minute"] is None, "nobody looked before"
    listed = {
        each["id"]: each["numbers"]
        for each in (await program.ok("GET", "/mailings/mailings"))["items"]
    }
    assert listed.keys() == {made["id"], drafts["id"]}
    assert listed[made["id"]]["planned"] == whole["numbers"]["planned"] == 2
    assert listed[drafts["id"]]["planned"] == 0
    copied = await program.ok("POST", f"{one}/again", json={})
    assert copied["state"] == "draft"
    agent = await programs.program("agent")
    await agent.refused(403, "not_allowed", "GET", one)
    # What a plugin brings is described beside the rest, and asks for the right it names.
    described = (await program.ok("GET", "/openapi.json"))["paths"]
    assert "/topics" in described
    brought = {
        (path, method): operation
        for path, operations in described.items()
        for method, operation in operations.items()
        if operation.get("x-plugin") == "mailings"
    }
    assert brought["/mailings/mailings/{mailing}/send", "post"]["x-permission"] == "mailings.send"
    assert len({each["operationId"] for each in brought.values()}) == len(brought) > 10
    for (path, method), operation in brought.items():
        assert operation["summary"]
        # Only what the whole house is bound by is an administrator's.
        wanted = "system.manage" if (path, method) == OF_THE_HOUSE else "mailings."
        assert operation["x-permission"].startswith(wanted)
        place = path.replace("{mailing}", made["id"]).replace("{account}", str(account))
        await agent.refused(403, "not_allowed", method.upper(), place, json={})
    for each in programs.programs:
        await each.aclose()


def test_a_letter_is_laid_out_with_its_plain_twin() -> None:
    made = letter(
        TEXT + "\n\n![A sail](https://shop.example/sail.png)", language="en", utm="utm_source=mail"
    )
    assert "https://shop.example/order?utm_source=mail" in made.html
    assert 'alt="A sail"' in made.html
    assert "{{ unsubscribe_url }}" in made.html
    assert made.text.startswith("Hello, {{ contact.first_name }}!")
    assert "Order: https://shop.example/order?utm_source=mail" in made.text
    assert "<script" not in letter("<script>x</script>").html


def test_everybody_has_one_part_and_shares_are_what_they_say() -> None:
    plan = read_plan({"variants": [{"text": "a"}, {"text": "b"}], "share": 40, "hold_out": 10})
    parts = [part_of(plan, n * 7919, 5) for n in range(4_000)]
    assert parts == [part_of(plan, n * 7919, 5) for n in range(4_000)]
    shares = {name: parts.count(name) / 4_000 for name in ("out", "a", "b", "rest")}
    assert abs(shares["out"] - 0.10) < 0.03
    assert abs(shares["a"] - 0.18) < 0.03
    assert abs(shares["b"] - 0.18) < 0.03


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"failed": 5, "sent": 14}, ""),
        ({"failed": 5, "sent": 15}, "5 of 20 failed"),
        ({"failed": 4, "sent": 16}, ""),
        # A few killed workers at the beginning of a small mailing.
        ({"unknown": 40, "sent": 10}, ""),
        ({"unknown": 99, "sent": 1, "failed": 1}, ""),
        ({"unknown": 100, "sent": 1}, "100 of 101 were not answered"),
        ({"unknown": 100, "sent": 400}, ""),
        # Failures are a share of what was answered, however much was not.
        ({"unknown": 90, "failed": 12, "delivered": 10, "read": 3}, "12 of 25 failed"),
    ],
)
def test_a_share_of_failures_pauses_and_a_few_unknown_ones_do_not(
    numbers: dict[str, int], reason: str
) -> None:
    found = {(status, ""): n for status, n in numbers.items()}
    assert too_many({**found, ("queued", ""): 3}, 20) == reason
    assert too_many(found, 20) == "", "nothing waits any more"


def test_who_lets_it_go_on_has_it_judged_from_there() -> None:
    since = Judged(arrived=10, failed=30, unknown=120)

    def told(**numbers: int) -> str:
        return too_many({(status, ""): n for status, n in numbers.items()}, 20, since)

    assert told(queued=9, sent=10, failed=30, unknown=120) == ""
    assert told(queued=9, sent=25, failed=34, unknown=130) == "", "19 answers mean nothing yet"
    assert told(queued=9, sent=25, failed=35, unknown=130) == "5 of 20 failed"
    # Letters of before that came back.
    assert told(queued=9, sent=6, delivered=2, failed=52) == "22 of 22 failed"
    assert told(queued=9, sent=12, failed=30, unknown=220) == "100 of 102 were not answered"
