"""The links of a mailing are looked at when somebody presses the button, and never by themselves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

import plugins.mailings
from hub import LinkCheck, handle
from tests.houses import World, plugin_of
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import NAME, TEXT, _draft, _ready


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), (NAME, plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def test_links_are_looked_at_by_a_press(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    async def check_links(urls: Sequence[str]) -> list[LinkCheck]:
        called.extend(urls)
        dead = {"https://shop.example/order": ("dead", "gone", 404)}
        found = []
        for one in urls:
            state, cause, code = dead.get(one, ("alive", "", 200))
            found.append(LinkCheck(url=one, state=state, cause=cause, code=code))
        return found

    monkeypatch.setattr(handle, "check_links", check_links)
    segment, account = await _ready(house, 1)
    steps = [
        {"days": 1, "subject": "Later", "text": "[Mine](https://shop.example/{{ contact.name }})"}
    ]
    number = await _draft(house, segment, account, steps=steps)
    browser = await house.logged_in("administrator")
    address = f"/p/mailings/{number}"
    page = (await browser.get(address)).text
    assert "Save and look at the links" in page
    assert called == [], "to look at the page calls nobody"
    form = {
        "do": "links",
        "title": "Spring",
        "segment_id": str(segment),
        f"account_{account}": "1",
        "subject_0": "News",
        "text_0": TEXT,
        "version": re.findall(r'name="version" value="(\d+)"', page)[0],
    }
    looked = await browser.submit(address, data=form)
    assert looked.status_code == 200, looked.text
    assert "A link leads to a page that is gone" in looked.text
    assert "(404)" in looked.text
    assert sorted(called) == ["https://shop.example/order", "https://shop.example/sale"]
    programs = Programs(house)
    program = await programs.program("marketer")
    found = await program.ok("POST", f"/mailings/mailings/{number}/links", json={})
    assert [one["state"] for one in found["items"]] == ["alive", "dead"]
    for each in programs.programs:
        await each.aclose()
