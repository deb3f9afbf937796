"""Double opt-in: a box of a form, one letter, and a button; nothing else makes a consent count."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import plugins.web_form
from crm_store.consents import standing
from crm_store.refusals import refusals
from crm_store.viewer import Reader
from hub import (
    AccountId,
    Address,
    ContactId,
    CreateAccount,
    CreateContact,
    MergeContacts,
    SaveTopic,
    Subscribe,
    SuppressAddress,
    UpdateBrand,
    WithdrawConsent,
)
from hub.handle import BoundHub
from tests.houses import US, World, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house

HOUR = 3_600 * US
BOX = "Yes, write to me about news"


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    brought = (("pigeons", plugin_of(world)), ("web_form", plugins.web_form))
    async with open_house(tmp_path, database_url, *brought) as one:
        one.runtime.now = world.now
        one.runtime.database.set_clock(world.now)
        brand = await one.system.brand()
        await one.system.do(UpdateBrand(brand_id=brand.id, name="Shop"))
        yield one


async def _topic(hub: BoundHub, **more: Any) -> AccountId:
    account = (await hub.do(CreateAccount(channel="letter", title="Desk")))[0]
    given = {"name": "news", "label_en": "News & offers", "label_ru": "Новости", **more}
    await hub.do(SaveTopic(**given))
    return AccountId(account)


async def _subscribe(hub: BoundHub, email: str = "anna@example.org", **more: Any) -> str:
    command = Subscribe(address=Address(kind="email", value=email), topic="news", **more)
    return str((await hub.do(command))[0])


def _page(world: World, n: int = -1) -> str:
    found = re.search(r"https?://[^/\s]+(/s/\S+)", world.sent[n].text)
    assert found
    return found[1]


async def _why_not(hub: BoundHub, email: str = "anna@example.org") -> str:
    """Say why a mailing about news does not reach an address, "" where it does."""
    contact = await _who(hub, email)

    def read(reader: Reader) -> str:
        pair = (contact.id, contact.addresses[0].id)
        found = refusals(reader.conn, [pair], channel="email", topic="news", account_id=0)
        return found.get(pair, "")

    return await hub.read(read)


async def _who(hub: BoundHub, email: str) -> Any:
    listed = await hub.find("contact", limit=50)
    for one in listed.items:
        contact = await hub.contact(ContactId(one.id))
        if contact.addresses and contact.addresses[0].value == email:
            return contact
    raise AssertionError(email)


async def test_a_box_of_a_form_a_letter_and_a_button(house: House, world: World) -> None:
    hub = house.system
    await _topic(hub)
    settings = {"title": "Contact", "subscribe_topic": "news", "subscribe_text": BOX}
    form = (await hub.do(CreateAccount(channel="web_form", title="Site", settings=settings)))[0]
    visitor = house.browser("203.0.113.9")
    shown = (await visitor.get(f"/p/web_form/{form}")).text
    assert BOX in shown
    assert not re.search(r'name="subscribe"[^>]*checked', shown)
    sent = {
        "name": "Анна",
        "email": "Anna@Example.org",
        "message": "Здравствуйте",
        "_language": "ru",
    }
    nobody = await visitor.post(f"/p/web_form/{form}", data={"message": "x", "subscribe": "yes"})
    assert nobody.status_code == 422
    posted = await visitor.post(f"/p/web_form/{form}", data={**sent, "subscribe": "yes"})
    assert posted.status_code == 200
    await until(lambda: world.sent)
    letter = world.sent[0]
    assert (letter.to.value, letter.subject) == (
        "anna@example.org",
        "Подтвердите подписку: Новости",
    )
    # A service letter: it cannot be unsubscribed from, for nothing is subscribed yet.
    assert letter.unsubscribe_url == ""
    assert letter.html.count('href="http') == 1
    assert await _why_not(hub) == "no_consent"
    # Link scanners look, and change nothing.
    page = _page(world)
    for method in ("HEAD", "GET"):
        assert (await visitor.request(method, page)).status_code == 200
    seen = (await visitor.get(page)).text
    assert "Да, подписать меня" in seen
    assert "an…@example.org" in seen
    assert "anna@" not in seen
    assert await _why_not(hub) == "no_consent"
    assert (await visitor.post(page, data={"do": ""})).status_code == 200
    assert await _why_not(hub) == "no_consent"
    # The button, pressed elsewhere than where the form was filled in.
    phone = house.browser("198.51.100.77")
    done = await phone.post(page, data={"do": "confirm"})
    assert "Вы подписаны" in done.text
    assert await _why_not(hub) == ""
    log = (await hub.read(standing, (await _who(hub, "anna@example.org")).id)).log
    assert [(one.state, one.how, one.ip) for one in log] == [
        ("given", "double_opt_in", "198.51.100.77"),
        ("asked", "form", "203.0.113.9"),
    ]
    assert BOX in log[0].evidence
    assert log[1].at <= log[0].at
    # Again: nothing is sent to who is subscribed, and the page says so.
    assert await _subscribe(hub) == "already"
    assert "Вы подписаны" in (await phone.get(page)).text
    forged = await phone.post(page[:-4] + "abcd", data={"do": "confirm"})
    assert forged.status_code == 404


async def test_letters_are_few_and_a_late_page_offers_a_fresh_one(
    house: House, world: World
) -> None:
    hub = house.system
    await _topic(hub, valid_hours=2, most_letters=2)
    assert await _subscribe(hub, language="en", how="api", evidence=BOX) == "asked"
    assert await _subscribe(hub) == "limited"  # sent twice by a double click
    world.offset_us += 5 * 60 * US
    assert await _subscribe(hub) == "asked"
    world.offset_us += 5 * 60 * US
    assert await _subscribe(hub) == "limited"
    await until(lambda: len(world.sent) == 2)
    assert world.sent[0].subject == "Please confirm: News & offers"
    assert "Shop" in world.sent[0].text
    world.offset_us += 3 * HOUR
    browser = house.browser()
    late = await browser.post(_page(world), data={"do": "confirm"})
    assert "no longer valid" in late.text
    assert await _why_not(hub) == "no_consent"
    again = await browser.post(_page(world), data={"do": "again"})
    assert "A fresh letter is on its way" in again.text
    await until(lambda: len(world.sent) == 3)
    assert "You are subscribed" in (await browser.post(_page(world), data={"do": "confirm"})).text
    assert await _why_not(hub) == ""


async def test_who_said_no_is_asked_and_only_his_button_counts(house: House, world: World) -> None:
    hub = house.system
    await _topic(hub)
    contact = (
        await hub.do(
            CreateContact(name="Anna", addresses=(Address(kind="email", value="anna@example.org"),))
        )
    )[0]
    await hub.do(WithdrawConsent(contact_id=contact, channel="email", topic="news"))
    assert await _subscribe(hub, how="import") == "refused"
    assert await _subscribe(hub, how="form", at=1) == "refused"
    assert await _subscribe(hub) == "asked"
    await until(lambda: world.sent)
    assert await _why_not(hub) == "unsubscribed"
    # Unsubscribing meanwhile ends the question; a merge does not lose it.
    await hub.do(WithdrawConsent(contact_id=contact, channel="email"))
    browser = house.browser()
    assert "no longer valid" in (await browser.get(_page(world))).text
    world.offset_us += 5 * 60 * US
    assert await _subscribe(hub) == "asked"
    await until(lambda: len(world.sent) == 2)
    twin = (await hub.do(CreateContact(name="Anna K.")))[0]
    await hub.do(MergeContacts(survivor_id=twin, merged_id=contact))
    await browser.post(_page(world), data={"do": "confirm"})
    assert await _why_not(hub) == ""
    address = (await hub.contact(twin)).addresses[0]
    await hub.do(WithdrawConsent(contact_id=twin, topic="news"))
    await hub.do(SuppressAddress(address_id=address.id, reason="complained"))
    assert await _subscribe(hub) == "suppressed"


async def test_topics_stand_on_the_page_of_subscriptions(house: House, world: World) -> None:
    hub = house.system
    await _topic(hub)
    await hub.do(SaveTopic(name="sales", label_en="Sales", about_en="Once a month", confirm=False))
    await hub.do(SaveTopic(name="staff", label_en="Staff only", public=False))
    assert await _subscribe(hub, language="en") == "asked"
    await until(lambda: world.sent)
    browser = house.browser()
    done = await browser.post(_page(world), data={"do": "confirm"})
    leave = re.findall(r'href="(/u/[^"]+)"', done.text)[0]
    page = (await browser.get(leave)).text
    assert "Staff only" not in page
    assert "Once a month" in page
    assert re.search(r'value="news" checked', page)
    assert not re.search(r'value="sales" checked', page)
    # What was offered and is not taken is no refusal.
    await browser.post(leave, data={"do": "topics", "topic": ["news"]})
    contact = await _who(hub, "anna@example.org")
    words = {one.topic: one.state for one in (await hub.read(standing, contact.id)).current}
    assert words == {"news": "given"}
    await browser.post(leave, data={"do": "topics", "topic": ["sales"]})
    words = {one.topic: one.state for one in (await hub.read(standing, contact.id)).current}
    assert words == {"news": "withdrawn", "sales": "given"}


async def test_topics_are_set_on_screen_and_by_programs(house: House, world: World) -> None:
    marketer = await house.logged_in("marketer")
    empty = await marketer.get("/settings/topics")
    assert "No topics yet" in empty.text
    assert "Connect a mailbox first" in empty.text
    path = "/settings/topics"
    form = {"name": "news", "label_en": "News", "confirm": "yes", "public": "yes"}
    bad = {**form, "valid_hours": "48", "most_letters": "2", "text_en": "Hello"}
    refused = await marketer.submit(path, data=bad)
    assert refused.status_code == 422
    assert "confirm_url" in refused.text
    good = {
        **bad,
        "text_en": "Hello {{ contact.first_name | default('there') }}: {{ confirm_url }}",
    }
    assert (await marketer.submit(path, data=good)).status_code == 303
    assert await _subscribe(house.system, "bob@example.org") == "no_mailbox"
    await house.system.do(CreateAccount(channel="letter", title="Desk"))
    page = (await marketer.get(path)).text
    assert "bob@example.org" in page
    (asked,) = re.findall(r'name="address" value="(\d+)"', page)
    again = await marketer.submit(path, data={"do": "again", "address": asked, "name": "news"})
    assert again.status_code == 303
    await until(lambda: world.sent)
    assert world.sent[0].text.startswith("Hello ")
    programs = Programs(house)
    program = await programs.program("administrator")
    made = await program.ok("POST", "/topics", json={"name": "sales", "confirm": False})
    one = f"/topics/{made['id']}"
    tag = (await program.get(one)).headers["etag"]
    change = {"name": "sales", "label_ru": "Скидки", "confirm": False}
    await program.ok("PUT", one, json=change, headers={"if-match": tag})
    await program.refused(412, "version", "PUT", one, json=change, headers={"if-match": tag})
    await program.refused(409, "name", "POST", "/topics", json={"name": "sales"})
    new = {"topic": "sales", "email": "Eve@Example.org", "evidence": "footer of the site"}
    assert await program.ok("POST", "/subscriptions", json=new) == {"result": "given"}
    eve = await _who(house.system, "eve@example.org")
    said = (await program.ok("GET", f"/contacts/{eve.id}/consents"))["log"][0]
    assert (said["how"], said["evidence"]) == ("api", "footer of the site")
    waiting = await program.ok("GET", "/confirmations?state=waiting&topic=news")
    assert [each["address"] for each in waiting["items"]] == ["bob@example.org"]
    once_more = f"/addresses/{waiting['items'][0]['address_id']}/confirmations"
    assert await program.ok("POST", once_more, json={"topic": "news"}) == {"result": "limited"}
    for each in programs.programs:
        await each.aclose()
