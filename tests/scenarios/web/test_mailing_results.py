"""A mailing read to the money: on the page, by the API, as a table, beside others and without it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.mailings
from hub import CreateObject, SetSendingLimits, TouchMany, WinInterest
from plugins.mailings import sending
from plugins.mailings.commands import SaveMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.report_pages import with_numbers
from tests.houses import World, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import NAME, TEXT, _own, _ready


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), (NAME, plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def test_a_mailing_is_read_to_the_money(
    house: House, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment, account = await _ready(house, 30)
    plan = {
        "segment_id": str(segment),
        "accounts": [str(account)],
        "topic": "news",
        "hold_out": 40,
        "variants": [{"subject": "News", "text": TEXT}],
    }
    hub = _own(house)
    (number,) = await hub.do(SaveMailing(title="Spring", plan=plan))
    await house.system.do(SetSendingLimits(account_id=account, price=150, currency="EUR"))
    browser = await house.logged_in("marketer")
    address = f"/p/mailings/{number}/report"
    assert "Nothing has left yet" in (await browser.get(address)).text
    await send(hub, await mailing_of(hub, str(number)))
    await sending.tick(hub, {})
    mailing = await mailing_of(hub, str(number))
    await until(lambda: len(world.sent) == mailing.planned)
    assert 0 < mailing.held_out < 30
    sent = mailing.planned
    rows = {one.to.value: one.id for one in world.sent}
    people = {
        one.address: one.contact_id
        for one in await hub.audience((await hub.segments())[0], channel="email")
    }
    clicked = next(iter(rows))
    await house.system.do(TouchMany(delivery_id=rows[clicked], n=1))
    kept_out = next(one for one in people if one not in rows)
    for who, amount in ((clicked, 90_000), (kept_out, 500)):
        values = {
            "title": "Sail", "contact_id": people[who], "amount": amount, "currency": "EUR"
        }  # fmt: skip
        (interest,) = await house.system.do(CreateObject(kind="interest", values=values))
        await house.system.do(WinInterest(interest_id=interest))

    programs = Programs(house)
    program = await programs.program("administrator")
    path = f"/mailings/mailings/{number}/results"
    found = await program.ok("GET", f"{path}?days=7&touch=last")
    assert found["numbers"]["clicked"] == 1
    assert found["earned"]["won"] == 1
    assert found["earned"]["sums"] == [{"currency": "EUR", "amount": 90_000}]
    assert found["cost"] == [{"currency": "EUR", "amount": 150 * sent}]
    assert found["left_over"] == [{"currency": "EUR", "amount": 90_000 - 150 * sent}]
    compared = found["compared"]
    assert (compared["got"], compared["kept_out"]) == (sent, mailing.held_out)
    assert (compared["with_it"]["won"], compared["without_it"]["won"]) == (1, 1)
    assert {one["name"] for one in found["by"]["variant"]} == {"A"}
    assert [one["people"] for one in found["links"]] == [1, 0]
    assert sum(one["numbers"]["sent"] for one in found["by"]["hour"]) == sent
    await program.refused(422, "invalid", "GET", f"{path}?days=0")
    await program.refused(422, "invalid", "GET", f"{path}?by=weather")
    made = await program.ok("POST", f"{path}/people", json={"number": "won", "touch": "first"})
    shown = (await browser.get(f"/segments/{made['segment_id']}")).text
    assert clicked.partition("@")[0].capitalize().replace("P", "Person") in shown
    together = await program.ok("GET", f"/mailings/results?ids={number}")
    assert [one["title"] for one in together["items"]] == ["Spring"]

    page = (await browser.get(f"{address}?by=domain&days=14")).text
    assert re.search(r"900\W*(€|EUR)|(€|EUR)\W*900", page), page
    assert "example.org" in page
    assert "What is left over" in page
    behind = await browser.submit(
        address, data={"what": "sent|domain|example.org", "days": "14", "touch": "any"}
    )
    assert f"How many, now: {sent}" in (await browser.get(behind.headers["location"])).text
    wrong = await browser.submit(address, data={"what": "sent|link|https://elsewhere.example"})
    assert (wrong.status_code, "no such link" in wrong.text) == (422, True)
    channel = (await hub.account(account)).channel
    monkeypatch.setattr(house.runtime.channels[channel], "title", "By wing")
    table = (await browser.get(f"{address}.csv")).text
    assert table.startswith("\ufeffCut;Part;Planned;Kept back;")
    assert re.search(r"Everything;;\d+;", table)
    assert "900.00 EUR" in table
    # Channels stand in the reader's words, not by the names of their plugins.
    assert ";By wing;" in table
    drawn = (await browser.get(f"/p/mailings/{number}/linkmap")).text
    assert "shop.example" not in drawn.replace("https://shop.example/sail.png", "")
    assert ">1</span>" in drawn
    assert "Spring" in (await browser.get("/p/mailings/compare")).text
    agent = await house.logged_in("agent")
    assert (await agent.get(address)).status_code == 403
    for each in programs.programs:
        await each.aclose()


def test_numbers_stand_at_the_links_of_a_letter() -> None:
    html = '<a class="x" href="https://a.example/?b=1&amp;c=2">Go</a><a href="{{ view_url }}">v</a>'
    made = with_numbers(html, {"https://a.example/?b=1&c=2": 7})
    assert "Go<span" in made
    assert ">7</span></a>" in made
    assert made.count('href="#"') == 2
    assert made.count("<span") == 1
