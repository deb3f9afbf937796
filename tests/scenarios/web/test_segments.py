"""Segments on screen and by their questions: conditions, sets, circles, reasons, who comes and goes."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store import comings, segments
from crm_store.journal import events_after, visible
from crm_store.segment_memberships import segments_of
from crm_store.tables.segments import segment_members
from hub import (
    ROLES,
    SYSTEM,
    Address,
    ArchiveField,
    ChangeObject,
    Conflict,
    ContactId,
    CreateClient,
    CreateContact,
    CreateObject,
    FieldChoice,
    FillSegment,
    GiveConsent,
    InterestId,
    Invalid,
    RefreshSegment,
    RemoveSegment,
    SaveField,
    SaveRole,
    SaveRule,
    SaveSegment,
    SaveTopic,
    Scope,
    SegmentEntered,
    SegmentLeft,
    SuppressAddress,
    TagObject,
    UpdateContact,
    WinInterest,
    WithdrawConsent,
)
from hub.records.segments import Segment
from plugins import crm_actions
from tests.houses import World, plugin_of
from tests.scenarios.web.house import House, open_house


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(World())), ("crm_actions", crm_actions))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def _person(house: House, name: str, language: str = "ru") -> int:
    hub = house.system
    address = Address(kind="email", value=f"{name.lower()}@example.org")
    number = (await hub.do(CreateContact(name=name, addresses=(address,))))[0]
    await hub.do(UpdateContact(contact_id=number, language=language))
    return int(number)


async def test_conditions_sets_and_reasons(house: House) -> None:
    hub = house.system
    anna, boris, vera = [await _person(house, one) for one in ("Anna", "Boris", "Vera")]
    await _person(house, "Walter", "de")
    russian = {"field": "contact.language", "operator": "equals", "value": "ru"}
    by_mail = {"field": "contact.channel", "operator": "contains", "value": "email"}
    (first,) = await hub.do(
        SaveSegment(name="Russian", filter={"all": [russian, by_mail]}, watched=True)
    )
    (picked,) = await hub.do(SaveSegment(name="Picked", static=True))
    assert await hub.do(FillSegment(segment_id=picked, add=(anna, anna, 12345))) == [1]  # type: ignore[arg-type]
    (rest,) = await hub.do(SaveSegment(name="Rest", any_of=(first,), not_in=(picked,)))
    rest_now = await hub.read(segments.one, rest)
    assert [one.contact_id for one in await hub.audience(rest_now, channel="email")] == [
        boris,
        vera,
    ]
    (both,) = await hub.do(SaveSegment(name="Both", any_of=(first,), all_of=(picked,)))
    together = await hub.read(segments.one, both)
    assert [one.contact_id for one in await hub.audience(together, channel="email")] == [anna]
    assert await hub.read(segments.count, together) == 1
    with pytest.raises(Invalid, match="made of itself: Both"):
        await hub.do(SaveSegment(segment_id=first, name="Russian", all_of=(both,)))
    with pytest.raises(Conflict, match="made of it: Both, Rest"):
        await hub.do(RemoveSegment(segment_id=first))
    with pytest.raises(Invalid, match="made of itself: Rest"):
        await hub.do(SaveSegment(segment_id=first, name="Russian", any_of=(rest,)))
    await hub.do(
        GiveConsent(contact_id=boris, how="form"),  # type: ignore[arg-type]
        GiveConsent(contact_id=anna, how="form"),  # type: ignore[arg-type]
        WithdrawConsent(contact_id=anna, topic="news", how="link"),  # type: ignore[arg-type]
        SuppressAddress(address_id=(await hub.contact(vera)).addresses[0].id),  # type: ignore[arg-type]
    )
    whole = await hub.read(segments.one, first)
    found = await hub.reach(whole, channel="email", topic="news")
    assert (found.total, found.reached) == (3, 1)
    assert dict(found.kept_back) == {"unsubscribed": 1, "by_hand": 1}
    assert (await hub.reach(whole, channel="email", topic="sales")).reached == 2
    assert dict((await hub.reach(whole, channel="phone")).kept_back) == {"no_address": 3}
    # Who comes and who goes is told to rules, not who was there at the first look.
    assert await hub.do(RefreshSegment(segment_id=first)) == [(3, 0, 0)]
    await hub.do(UpdateContact(contact_id=vera, language="en"))  # type: ignore[arg-type]
    zoe = await _person(house, "Zoe")
    assert await hub.do(RefreshSegment(segment_id=first)) == [(1, 1, 0)]
    facts, _ = await house.runtime.database.read(
        lambda conn: events_after(conn, house.runtime.registry, 0, 10_000)
    )
    came = [one.contact_id for one in facts if isinstance(one, SegmentEntered)]
    went = [one.contact_id for one in facts if isinstance(one, SegmentLeft)]
    assert (came, went) == ([zoe], [vera])
    assert hub.actor == SYSTEM


async def test_a_first_look_of_many_turns_tells_of_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = house.system
    monkeypatch.setattr(comings, "BATCH", 2)
    people = [await _person(house, f"Person{n}") for n in range(5)]
    (watched,) = await hub.do(SaveSegment(name="Everybody", watched=True))

    async def looked() -> list[tuple[int, int]]:
        turns, after = [], 0
        while after or not turns:
            ((came, went, after),) = await hub.do(RefreshSegment(segment_id=watched, after=after))
            turns.append((came, went))
        return turns

    assert await looked() == [(2, 0), (2, 0), (1, 0)]
    assert (await hub.read(segments.one, watched)).size == 5
    russian = {"field": "contact.language", "operator": "equals", "value": "ru"}
    await hub.do(SaveSegment(segment_id=watched, name="Russian", filter=russian, watched=True))
    for one in people[:4]:
        await hub.do(UpdateContact(contact_id=one, language="en"))  # type: ignore[arg-type]
    zoe = await _person(house, "Zoe")
    # Two a turn, whether they came or went; nobody is passed over where one of the two is more.
    turns = await looked()
    assert tuple(map(sum, zip(*turns, strict=True))) == (1, 4)
    facts, _ = await house.runtime.database.read(
        lambda conn: events_after(conn, house.runtime.registry, 0, 10_000)
    )
    assert [one.contact_id for one in facts if isinstance(one, SegmentEntered)] == [zoe]
    went = [one.contact_id for one in facts if isinstance(one, SegmentLeft)]
    assert went == people[:4]


def segment_of(address: str) -> str:
    return address.rpartition("/")[2]


async def test_only_the_people_of_a_client_are_asked_for_by_what_their_client_is(
    house: House,
) -> None:
    hub = house.system
    people = {name: await _person(house, name) for name in ("Anna", "Boris", "Vera")}
    for name, values in (
        ("Anna", {"status": "active", "tags": ["vip"], "level": "premium"}),
        ("Boris", {"status": "lost", "tags": ["old"]}),
    ):
        card = CreateClient(name=f"{name} Ltd", contact_id=ContactId(people[name]), values=values)
        client_id = str((await hub.do(card))[0])
        for amount, currency in ((700_50, "EUR"), (300_00, "EUR"), (900_00, "USD")):
            sale = {"title": name, "client_id": client_id, "amount": amount, "currency": currency}
            made = (await hub.do(CreateObject(kind="interest", values=sale)))[0]
            if name == "Anna":
                await hub.do(WinInterest(interest_id=InterestId(int(made))))

    # An interest without a client is not that of the people who have none.
    sums = {"client_id": "0", "title": "Walk in", "amount": 90_000_00, "currency": "EUR"}
    stray = (await hub.do(CreateObject(kind="interest", values=sums)))[0]
    await hub.do(WinInterest(interest_id=InterestId(int(stray))))

    async def found(field: str, operator: str, value: str | int = "") -> list[str]:
        tree: dict[str, str | int] = {"field": f"contact.{field}", "operator": operator}
        tree |= {"value": value} if value else {}
        (number,) = await hub.do(SaveSegment(name=f"{field} {operator} {value}", filter=tree))
        segment = await hub.read(segments.one, number)
        inside = {one.contact_id for one in await hub.audience(segment, channel="email")}
        assert await hub.read(segments.count, segment) == len(inside)
        return [name for name, one in people.items() if one in inside]

    assert await found("client_status", "contains", "active") == ["Anna"]
    assert await found("client_status", "not_contains", "active") == ["Boris", "Vera"]
    assert await found("client_tag", "contains", "vip") == ["Anna"]
    assert await found("client_tag", "contains", "nobody") == []
    assert await found("client_level", "contains", "premium") == ["Anna"]
    assert await found("client_level", "empty") == ["Boris", "Vera"]
    assert await found("last_purchase", "within_last", "1d") == ["Anna"]
    assert await found("last_purchase", "empty") == ["Boris", "Vera"]
    assert await found("won_interests", "equals", 3) == ["Anna"]
    assert await found("won_interests", "less", 1) == ["Boris", "Vera"]
    assert await found("won_sum", "greater", 1_000) == ["Anna"]
    assert await found("won_sum", "greater", 1_001) == []
    assert await found("won_sum", "empty") == ["Boris", "Vera"]


async def test_a_marketer_builds_one_on_screen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await _person(house, "Anna")
    walter = await _person(house, "Walter", "de")
    browser = await house.logged_in("marketer")
    condition = {
        "do": "add",
        "name": "Ours",
        "field": "contact.language",
        "operator": "equals",
        "value": "ru",
    }
    added = await browser.submit("/segments/new", data=condition)
    assert "How many, now: 1" in added.text
    # What is wrong is said over the form, and what was typed stays.
    wrong = await browser.submit("/segments/new", data={**condition, "operator": ""})
    assert wrong.status_code == 422
    assert "choose how to compare" in wrong.text
    assert 'value="Ours"' in wrong.text
    kept = '{"field":"contact.language","operator":"equals","value":"ru"}'
    saved = await browser.submit(
        "/segments/new", data={"do": "save", "name": "Ours", "filter": kept}
    )
    assert saved.status_code == 303
    address = saved.headers["location"].partition("?")[0]
    page = (await browser.get(address)).text
    assert "no consent: 1" in page
    assert f"/contacts/{anna}" in page
    table = await browser.get(f"{address}/export")
    assert "anna@example.org" in table.text
    assert "walter" not in table.text
    assert "Ours" in (await browser.get("/segments")).text
    agent = await house.logged_in("agent")
    refused = await agent.post(
        "/segments/new", data={"do": "save", "name": "X", "_csrf": await agent.csrf()}
    )
    assert refused.status_code == 403
    # Set operations on screen: both of two, and one without the other.
    held = segment_of(address)
    other = await house.system.do(SaveSegment(name="Others", static=True))
    await house.system.do(FillSegment(segment_id=other[0], add=(walter,)))  # type: ignore[arg-type]
    sets = {"do": "save", "name": "Sets", "any_of": [held, str(other[0])]}
    for more, size in (({}, 2), ({"all_of": held}, 1), ({"not_in": [held, str(other[0])]}, 0)):
        made = await browser.submit("/segments/new", data={**sets, **more})
        shown = (await browser.get(made.headers["location"])).text
        assert f"How many, now: {size}" in shown, more
    # By hand: who is unknown is said, who was put in by mistake is taken out.
    by_hand = f"/segments/{other[0]}"
    unknown = await browser.submit(by_hand, data={"do": "fill", "contact": "nobody"})
    assert unknown.status_code == 422
    assert "no person here has this address" in unknown.text
    assert 'value="Others"' in unknown.text
    put_in = {"do": "fill", "contact": f"https://hub.example/contacts/{anna}"}
    await browser.submit(by_hand, data=put_in)
    assert "How many, now: 2" in (await browser.get(by_hand)).text
    await browser.submit(by_hand, data={"do": f"out-{walter}"})
    shown = (await browser.get(by_hand)).text
    assert "How many, now: 1" in shown
    assert f"out-{anna}" in shown
    # Of very many an estimate comes first, which names the page where all are counted.
    monkeypatch.setattr(segments, "AT_ONCE", 1)
    added = await browser.submit(address, data={**condition, "do": "add"})
    for page in ((await browser.get(address)).text, added.text):
        assert "How many: fewer than 1830" in page
        (counted,) = re.findall(r'data-exact="([^"]+)"', page)
        assert "How many, now: 1" in (await browser.get(html.unescape(counted))).text
    # In which segments she is stands on her card, of a watched one as of its last look.
    (watched,) = await house.system.do(SaveSegment(name="Everybody", watched=True))
    await house.system.do(SaveSegment(name="Whoever", watched=False))
    client = await house.system.do(CreateClient(name="Harbour", contact_id=ContactId(anna)))
    card = f"/contacts/{anna}"
    before = (await browser.get(card)).text
    assert f'href="{by_hand}">Others</a>' in before
    assert "Everybody" not in before
    await house.system.do(RefreshSegment(segment_id=watched))
    for path in (card, f"/clients/{client[0]}"):
        after = (await browser.get(path)).text
        assert ">Everybody</a>" in after, path
        assert "Whoever" not in after, path
    noted = await browser.submit(
        f"/contacts/{anna}/consents", data={"do": "give", "evidence": "by telephone"}
    )
    assert noted.status_code == 303
    assert "by telephone" in (await browser.get(f"/contacts/{anna}/consents")).text
    assert "no consent" not in (await browser.get(address)).text


async def test_a_condition_is_chosen_and_not_typed(house: House) -> None:
    """What can be known is offered: states, levels, channels, mailings, fields of the house's own."""
    hub = house.system
    people = {name: await _person(house, name) for name in ("Anna", "Boris")}
    card = CreateClient(
        name="Anna Ltd", contact_id=ContactId(people["Anna"]), values={"status": "active"}
    )
    await hub.do(card)
    (field_id,) = await hub.do(
        SaveField(
            kind="contact",
            label="Boat",
            type="choice",
            choices=(FieldChoice(label="Sail"), FieldChoice(label="Motor")),
        )
    )
    await hub.do(
        ChangeObject(kind="contact", object_id=people["Boris"], values={"custom.boat": "sail"})
    )
    browser = await house.logged_in("marketer")

    async def offered(field: str) -> str:
        return (await browser.get(f"/segments/condition?field={field}")).text

    assert '<option value="active">' in await offered("contact.client_status")
    assert '<option value="email">' in await offered("contact.channel")
    assert 'value="sail"' in await offered("contact.custom.boat")
    assert "contact.custom.boat" in (await browser.get("/segments/new")).text
    assert (await browser.get("/segments/condition?field=contact.nothing")).status_code == 404

    async def found(**condition: str) -> str:
        form = {"do": "add", "name": "Some", **condition}
        return (await browser.submit("/segments/new", data=form)).text

    clients = await found(field="contact.client_status", operator="contains", value="active")
    assert "How many, now: 1" in clients
    assert "Status of the client: active" in clients
    sailors = await found(field="contact.custom.boat", operator="in", value="sail")
    assert "How many, now: 1" in sailors
    assert "Boris" in sailors
    assert "How many, now: 2" in await found(
        field="contact.created_at", operator="within_last", length="7", unit="d"
    )
    # A field that a segment asks for stays.
    tree = {"field": "contact.custom.boat", "operator": "in", "value": ["sail"]}
    (segment_id,) = await hub.do(SaveSegment(name="Sailors", filter=tree))
    with pytest.raises(Conflict, match="segments ask for this field: Sailors"):
        await hub.do(ArchiveField(field_id=field_id))
    await hub.do(RemoveSegment(segment_id=segment_id))
    await hub.do(ArchiveField(field_id=field_id))


async def test_what_uses_a_segment_is_named_before_it_goes_and_it_comes_back(house: House) -> None:
    hub, database = house.system, house.runtime.database
    anna = await _person(house, "Anna")
    (picked,) = await hub.do(SaveSegment(name="Picked", static=True))
    await hub.do(FillSegment(segment_id=picked, add=(ContactId(anna),)))
    in_it = {"field": "event.segment", "operator": "equals", "value": str(picked)}
    then = [{"action": "crm_actions.add_to_segment", "params": {"segment": str(picked)}}]
    rule = {
        "name": "Greet the picked",
        "when": [{"event": "segment.entered"}],
        "if": in_it,
        "then": then,
    }
    await hub.do(SaveRule(definition=rule))
    browser = await house.logged_in("marketer")
    address = f"/segments/{picked}"
    page = (await browser.get(address)).text
    assert "Greet the picked" in page
    assert "finds nobody without it" in page
    removed = await browser.submit(f"{address}/remove", "/segments")
    listed = (await browser.get(removed.headers["location"])).text
    assert "Put it back" in listed
    assert "Picked" not in listed
    assert (await browser.get(address)).status_code == 404
    back = await browser.submit(f"{address}/remove", "/segments/new", {"do": "back"})
    assert "Anna" in (await browser.get(back.headers["location"])).text
    # Whom nobody brings back within thirty days is forgotten.
    await hub.do(RemoveSegment(segment_id=picked))
    month = segments.KEPT_US
    for now, left in ((hub.now() + month - 60_000_000, 1), (hub.now() + month + 60_000_000, 0)):
        with database.administer() as conn:
            segments.forget_members(conn, now)
            assert len(conn.execute(select(segment_members)).all()) == left


async def test_what_people_said_and_what_is_open_can_be_asked_for(house: House) -> None:
    hub = house.system
    anna, boris, vera = [ContactId(await _person(house, one)) for one in ("Anna", "Boris", "Vera")]
    await hub.do(SaveTopic(name="news", label_en="Our news"))
    await hub.do(
        GiveConsent(contact_id=anna, topic="news", how="form"),
        GiveConsent(contact_id=boris, topic="news", how="form"),
        SuppressAddress(address_id=(await hub.contact(vera)).addresses[0].id),
        CreateObject(kind="request", values={"title": "Help", "contact_id": anna}),
        CreateObject(kind="interest", values={"title": "Boat", "contact_id": boris}),
    )
    # A later word takes an earlier one back, and one about everything those about each topic.
    await hub.do(WithdrawConsent(contact_id=boris, how="link"))

    async def who(field: str, *values: str) -> list[ContactId]:
        tree = {"field": f"contact.{field}", "operator": "in", "value": list(values)}
        found = Segment(id=0, name="", static=False, filter=tree)
        return [one.contact_id for one in await hub.audience(found, channel="email")]

    assert await who("agreed", "news") == [anna]
    assert await who("refused", "*") == [boris]
    assert await who("refused", "news") == []
    assert await who("suppressed", "by_hand", "complained") == [vera]
    assert await who("suppressed", "bounced_hard") == []
    assert await who("request_status", "new") == [anna]
    assert await who("interest_status", "in_work") == [boris]
    assert await who("saw_mailing", "1") == []
    browser = await house.logged_in("marketer")
    asked = (await browser.get("/segments/condition?field=contact.agreed")).text
    assert "Our news" in asked
    assert "Everything" in asked


async def test_a_condition_knows_only_of_what_its_reader_sees(house: House) -> None:
    hub = house.system
    subjects = ("dialogs", "contacts", "requests", "interests")
    scopes = dict.fromkeys(subjects, Scope.OWN)
    await hub.do(SaveRole(name="narrow", based_on="marketer", scopes=scopes))
    me, other = await house.user("narrow"), await house.user("supervisor")
    people = [ContactId(await _person(house, one)) for one in ("Anna", "Boris")]
    for contact_id, owner in zip(people, (me, other), strict=True):
        about = {"contact_id": contact_id, "owner_id": owner}
        client = CreateClient(name="A client", contact_id=contact_id, values={"owner_id": me})
        client_id = (await hub.do(client))[0]
        await hub.do(
            CreateObject(kind="request", values={"title": "Help", **about}),
            CreateObject(kind="interest", values={"title": "Boat", **about}),
            TagObject(kind="client", object_id=client_id, add=("vip",)),
        )
    as_me = hub.as_user(me)

    async def who(field: str, *values: str, operator: str = "in") -> list[ContactId]:
        tree = {"field": f"contact.{field}", "operator": operator, "value": list(values)}
        found = Segment(id=0, name="", static=False, filter=tree)
        return [one.contact_id for one in await as_me.audience(found, channel="email")]

    # Both people are mine; of the work for one of them I know nothing, neither that it is there.
    assert await who("client_tag", "vip") == people
    for field, state in (("request_status", "new"), ("interest_status", "in_work")):
        assert await who(field, state) == people[:1]
        assert await who(field, state, operator="not_in") == people[1:]
    # What the hub itself saw at its last look is no way round.
    tree = {"field": "contact.request_status", "operator": "in", "value": ["new"]}
    (watched,) = await hub.do(SaveSegment(name="Open", filter=tree, watched=True))
    await hub.do(RefreshSegment(segment_id=watched))
    assert (await hub.read(segments.one, watched)).size == 2
    assert (await as_me.read(segments.one, watched)).size == 0
    for contact_id, names in zip(people, (["Open"], []), strict=True):
        found = await as_me.read(segments_of, [contact_id])
        assert [one.name for one in found] == names
        assert [one.name for one in await hub.read(segments_of, [contact_id])] == ["Open"]
    came = SegmentEntered(contact_id=people[0], segment_id=watched)
    assert await hub.read(visible, [came]) == [came]
    assert await as_me.read(visible, [came]) == []
    # Who may not see a kind at all asks for nothing of it.
    rights = ROLES["marketer"].permissions - {"requests.view"}
    await hub.do(SaveRole(name="narrow", permissions=rights, version=1))
    assert await who("request_status", "new") == []


async def test_the_table_of_a_segment_holds_phones_too(house: House) -> None:
    hub = house.system
    addresses = (
        Address(kind="email", value="zoe@example.org"),
        Address(kind="phone", value="+79120000001"),
    )
    await hub.do(CreateContact(name="Zoe", addresses=addresses))
    (everybody,) = await hub.do(SaveSegment(name="All"))
    browser = await house.logged_in("marketer")
    table = (await browser.get(f"/segments/{everybody}/export")).text
    assert table.startswith("\ufeffid,name,email,phone,time_zone\r\n")
    assert ",Zoe,zoe@example.org,'+79120000001," in table
