"""Unsubscribing: one press without a script, one POST of a mail program, and nothing by a GET."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store import many
from crm_store.consents import standing
from crm_store.tables.many import many_touches
from crm_store.viewer import Reader
from hub import (
    Address,
    CreateAccount,
    CreateContact,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
    WithdrawConsent,
)
from hub.handle import BoundHub
from hub.many_rendering import CLICK
from plugins.mailings.paths import CLICK_LENGTH, as_counted
from tests.houses import World, plugin_of, until
from tests.scenarios.web.house import Browser, House, open_house

HTML = (
    '<html><body><p>Hello, {{ contact.first_name }}!</p><a href="https://shop.example/a?b=1&amp;c=2#d">Sale</a>'
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>'
)
DAY_US = 86_400_000_000
TEXT = "Hello, {{ contact.first_name }}! {{ unsubscribe_url }}"
LETTER = ManyContent(subject="News", text=TEXT, html=HTML)


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url, ("pigeons", plugin_of(world))) as one:
        yield one


async def _letter(house: House, world: World) -> tuple[BoundHub, int, str, str]:
    """Send one advertising letter; gives the hub, the person, the unsubscribe address, the HTML."""
    hub = house.system
    account = (await hub.do(CreateAccount(channel="letter", title="Desk")))[0]
    contact = (
        await hub.do(
            CreateContact(name="Anna", addresses=(Address(kind="email", value="anna@example.org"),))
        )
    )[0]
    await hub.do(GiveConsent(contact_id=contact, how="form", evidence="box", ip="192.0.2.1"))
    content = ManyContent(subject="News", text=TEXT, html=HTML, tracks_opens=True)
    plan = PlanMany(mailing_id=1, title="News", topic="news", contents=(content,))
    send_id, (content_id,) = (await hub.do(plan))[0]
    address_id = (await hub.contact(contact)).addresses[0].id
    recipient = ManyRecipient(
        contact_id=contact, address_id=address_id, account_id=account, content_id=content_id
    )
    await hub.do(SendMany(send_id=send_id, recipients=(recipient,)))
    await until(lambda: world.sent)
    message = world.sent[0]
    return hub, contact, message.unsubscribe_url, message.html


async def _word(hub: BoundHub, contact: int) -> tuple[str, str, str]:
    one = (await hub.read(standing, contact)).log[0]
    return one.state, one.topic, one.how


def _path(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url)


async def test_only_a_post_unsubscribes_and_one_is_enough(house: House, world: World) -> None:
    hub, contact, address, _ = await _letter(house, world)
    browser = house.browser()
    for method in ("GET", "HEAD"):
        shown = await browser.request(method, _path(address))
        assert shown.status_code == 200
    assert "an…@example.org" in (await browser.get(_path(address))).text
    assert "anna@" not in (await browser.get(_path(address))).text
    assert (await _word(hub, contact))[0] == "given"
    # RFC 8058: a mail program posts this, with no cookie, no origin, no page before.
    program = Browser(house.app)
    program.headers.clear()
    posted = await program.post(_path(address), data={"List-Unsubscribe": "One-Click"})
    assert posted.status_code == 200
    assert await _word(hub, contact) == ("withdrawn", "news", "one_click")
    await program.aclose()
    # Whoever comes again reads that it is done, and is not asked to do it once more.
    left = (await browser.get(_path(address))).text
    assert "You get no letters about “news” now." in left
    assert 'value="topic"' not in left
    again = await browser.post(_path(address), data={"do": "undo"})
    assert "subscribed again" in again.text
    assert [one.state for one in (await hub.read(standing, contact)).current] == ["given"]
    assert (await browser.post(_path(address), data={"do": "undo"})).status_code == 404
    # What was refused before stays refused when "no more of anything" is taken back.
    await hub.do(WithdrawConsent(contact_id=contact, topic="sales"))
    await browser.post(_path(address), data={"do": "all"})
    await browser.post(_path(address), data={"do": "undo"})
    words = {
        (one.channel, one.topic): one.state for one in (await hub.read(standing, contact)).current
    }
    assert words == {("", ""): "given", ("", "sales"): "withdrawn"}
    await hub.do(GiveConsent(contact_id=contact, topic="sales", how="form"))
    everything = await browser.post(_path(address), data={"do": "all", "why": "too often"})
    assert "on no channel" in everything.text
    assert 'value="undo"' in everything.text
    assert await _word(hub, contact) == ("withdrawn", "", "link")
    log = (await hub.read(standing, contact)).log
    assert log[0].evidence.endswith("too often")
    forged = await browser.post(_path(address)[:-3] + "abc", data={"do": "all"})
    assert forged.status_code == 404
    page = await browser.get(_path(address), headers={"accept-language": "ru"})
    assert "Ваши подписки" in page.text
    assert "<script" not in re.sub(r'<script type="importmap".*?</script>', "", page.text)


async def test_topics_are_chosen_one_by_one(house: House, world: World) -> None:
    hub, contact, address, _ = await _letter(house, world)
    await hub.do(GiveConsent(contact_id=contact, channel="email", topic="sales", how="form"))
    browser = house.browser()
    assert 'value="sales"' in (await browser.get(_path(address))).text
    await browser.post(_path(address), data={"do": "topics", "topic": ["sales"]})
    words = {one.topic: one.state for one in (await hub.read(standing, contact)).current}
    assert (words["sales"], words["news"]) == ("given", "withdrawn")


async def test_less_often_is_chosen_and_kept_whatever_a_mailing_allows(
    house: House, world: World
) -> None:
    hub, contact, address, _ = await _letter(house, world)
    browser = house.browser()
    assert 'value="0" checked' in (await browser.get(_path(address))).text
    posted = await browser.post(_path(address), data={"do": "often", "days": "7"})
    assert "we write to you this often" in posted.text
    assert 'value="7" checked' in posted.text
    assert 'value="all"' in posted.text, "leaving stays one press away"
    found = await hub.read(standing, contact)
    assert (found.days, found.log[0].state, found.log[0].days) == (7, "limited", 7)
    assert found.log[0].how == "link"
    await browser.post(_path(address), data={"do": "often", "days": "3650"})
    assert (await hub.read(standing, contact)).days == 7, "only what the page offers"
    # Two mailings without any cap of their own: the first letter is two days old.
    world.offset_us += 2 * DAY_US
    house.runtime.now = world.now
    house.runtime.database.set_clock(world.now)
    account = world.sent[0].account_id
    assert await _another(hub, contact, account, 2) == {("suppressed", "frequency_cap"): 1}
    world.offset_us += 6 * DAY_US
    assert await _another(hub, contact, account, 3) == {("sent", ""): 1}
    await browser.post(_path(address), data={"do": "often", "days": "0"})
    assert (await hub.read(standing, contact)).days == 0
    assert await _another(hub, contact, account, 4) == {("sent", ""): 1}


async def _another(
    hub: BoundHub, contact: int, account: int, number: int, content: ManyContent = LETTER
) -> dict[tuple[str, str], int]:
    """Send one more mailing to a person; gives what became of it."""
    plan = PlanMany(mailing_id=number, title="News", topic="news", contents=(content,))
    send_id, (content_id,) = (await hub.do(plan))[0]
    one = ManyRecipient(
        contact_id=contact,  # type: ignore[arg-type]
        address_id=(await hub.contact(contact)).addresses[0].id,  # type: ignore[arg-type]
        account_id=account,  # type: ignore[arg-type]
        content_id=content_id,
    )
    await hub.do(SendMany(send_id=send_id, recipients=(one,)))

    async def finished() -> bool:
        return many.is_finished(await hub.read(many.counts, [send_id]))

    await until(finished)
    return dict(await hub.read(many.counts, [send_id]))


async def test_a_lost_link_is_sent_anew_and_nobody_learns_who_is_known(
    house: House, world: World
) -> None:
    hub, contact, address, _ = await _letter(house, world)
    browser = house.browser()
    broken = await browser.get(_path(address)[:-3] + "abc")
    assert broken.status_code == 404
    assert 'action="/u/fresh"' in broken.text
    assert (await browser.get("/u/fresh")).status_code == 200
    assert len(world.sent) == 1, "to look changes nothing"
    known = await browser.post("/u/fresh", data={"address": "Anna@example.org"})
    unknown = await browser.post("/u/fresh", data={"address": "nobody@example.org"})
    same = [re.sub(r'nonce="[^"]*"', "", one.text) for one in (known, unknown)]
    assert (known.status_code, same[0]) == (unknown.status_code, same[1])
    await until(lambda: len(world.sent) == 2)
    letter = world.sent[1]
    assert letter.to.value == "anna@example.org"
    # It is no advertising and carries none of its marks, but a link that works.
    assert letter.unsubscribe_url == ""
    (link,) = set(re.findall(r"https?://\S+/u/[^\s\"<]+", letter.text))
    assert "Your subscriptions" in (await browser.get(_path(link))).text
    await browser.post(_path(link), data={"do": "all"})
    assert await _word(hub, contact) == ("withdrawn", "", "link")
    # Once in ten minutes to an address; and who is asking may not ask for ever.
    await browser.post("/u/fresh", data={"address": "anna@example.org"})
    assert len(world.sent) == 2
    assert (await browser.post("/u/fresh", data={"address": "no address"})).status_code == 422
    for _ in range(10):
        last = await browser.post("/u/fresh", data={"address": "nobody@example.org"})
    assert last.status_code == 429
    page = await browser.get("/u/fresh", headers={"accept-language": "ru"})
    assert "Ссылка на ваши подписки" in page.text


async def test_a_link_leads_where_the_letter_said_and_is_counted(
    house: House, world: World
) -> None:
    hub, contact, _, html = await _letter(house, world)
    clicks = re.findall(r'href="([^"]+/c/[^"]+)"', html)
    assert len(clicks) == 1
    assert "/c/" not in re.findall(r'href="([^"]+)">Unsub', html)[0]
    browser = house.browser()
    person = {"user-agent": "Mozilla/5.0 (X11) Firefox/140.0"}
    head = await browser.head(_path(clicks[0]), headers=person)
    assert head.headers["location"] == "https://shop.example/a?b=1&c=2#d"
    await browser.get(_path(clicks[0]), headers={"user-agent": "Proofpoint scanner"})
    found = await hub.read(_touches)
    assert found == [(1, True)]
    world.offset_us += 60_000_000
    house.runtime.now = world.now
    await browser.get(_path(clicks[0]), headers=person)
    pixel = re.findall(r'src="([^"]+/o/[^"]+)"', html)[0]
    assert (await browser.get(_path(pixel), headers=person)).headers["content-type"] == "image/gif"
    assert await hub.read(_touches) == [(0, False), (1, False)]
    # Gmail loads pictures for who opens a letter; other programs look at them by themselves.
    gmail = {
        "user-agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    }
    assert await _another(
        hub,
        contact,
        world.sent[0].account_id,
        2,
        ManyContent(subject="2", text="", html=HTML, tracks_opens=True),
    )
    pixel = re.findall(r'src="([^"]+/o/[^"]+)"', world.sent[1].html)[0]
    await browser.get(_path(pixel), headers={"user-agent": "Barracuda scanner"})
    assert (await hub.read(_touches))[:2] in ([(0, False), (0, True)], [(0, True), (0, False)])
    await browser.get(_path(pixel), headers=gmail)
    assert (await hub.read(_touches))[:2] == [(0, False), (0, False)]
    assert (await browser.get(_path(clicks[0])[:-2] + "zz")).status_code == 404
    kept = await browser.get(_path(world.sent[0].unsubscribe_url) + "/letter")
    assert "Hello, Anna!" in kept.text
    assert "sandbox" in kept.headers["content-security-policy"]


async def test_a_link_in_plain_words_is_counted_and_leads_where_it_is_filled(
    house: House, world: World
) -> None:
    hub, contact, _, _ = await _letter(house, world)
    words = (
        "Hi! Https://shop.example/{{ contact.first_name }}?a={{ contact.email }}."
        " https://{{ contact.first_name }}.example/"
    )
    content = ManyContent(subject="News", text=words)
    account = world.sent[0].account_id
    assert await _another(hub, contact, account, 2, content) == {("sent", ""): 1}
    said = world.sent[1].text
    (link,) = re.findall(r"https?://\S+/c/[\w-]+", said)
    assert len(link.rpartition("/")[2]) == CLICK_LENGTH
    # The stop is not the link's, and who chooses a host by a placeholder leads there without us.
    assert said.startswith(f"Hi! {link}. https://")
    assert said.endswith(".example/")
    # Before sending a message is as long as it leaves: by that an SMS is paid for.
    alone = ManyContent(text="Hi! https://shop.example/{{ contact.first_name }}?a=1.")
    assert len(as_counted(hub, alone)) == len(f"Hi! {link}.")
    assert as_counted(hub, replace(alone, tracks_clicks=False)) == alone.text
    world.offset_us += 60_000_000
    house.runtime.now = world.now
    person = {"user-agent": "Mozilla/5.0 (X11) Firefox/140.0"}
    led = await house.browser().get(_path(link), headers=person)
    assert led.headers["location"] == "Https://shop.example/Anna?a=anna%40example.org"
    assert await hub.read(_touches) == [(1, False)]
    assert (await house.browser().get(_path(link)[:-2] + "zz")).status_code == 404
    # Links of letters that left before they were short go on leading.
    number = world.sent[1].id
    long = house.runtime.keys.sign(CLICK, f"{number} 1")
    assert (await house.browser().get(f"/c/{long}", headers=person)).status_code == 302


def _touches(reader: Reader) -> list[tuple[int, bool]]:
    rows = reader.conn.execute(select(many_touches).order_by(many_touches.c.n)).all()
    return [(row.n, row.machine) for row in rows]
