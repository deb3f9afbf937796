"""Marks in Chromium: the client's page of a signed link, and the page that counts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub import Actor, ActorKind, SendMessage, UpdateProfile
from plugins import crm_actions, csat
from plugins.csat.asking import ask
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import WIDE

pytestmark = [pytest.mark.browser]


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """An office that asks for marks."""
    more = (("crm_actions", crm_actions), ("csat", csat))
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as one:
        yield one


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_mark_is_given_by_a_link_and_counted(
    office: Office, enter: Enter, language: str
) -> None:
    max_ = office.hands_of("Max")
    await max_.do(UpdateProfile(language=language))
    page = await enter("Max", "/p/csat/")
    # Nothing is counted yet: the page says how to begin.
    await page.locator("a.btn.primary[href='/settings/rules']").click()
    await expect(page.locator("h1")).to_be_visible()

    dialog = await office.writes("Anna Lee", "Thanks")
    await max_.do(SendMessage(dialog_id=dialog, text="You are welcome", send_anyway=True))
    hub = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
    await ask(hub, {"dialog_id": str(dialog), "text": "Your mark?", "days": 30})
    said = [one.text for one in await office.messages(dialog) if "/p/csat/mark/" in one.text]
    link = said[-1].split()[-1]

    await page.goto(link)
    assert await page.evaluate(WIDE) == 0
    assert await serious(page) == []
    # Looking is no vote; by the keyboard one goes to a mark and presses the button.
    await page.locator("input[name=mark]").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.locator("textarea[name=comment]").fill("Quick")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("[role=status]")).to_contain_text("2")
    await page.set_viewport_size({"width": 360, "height": 800})
    assert await page.evaluate(WIDE) == 0

    await page.goto(f"{office.url}/p/csat/")
    row = page.locator("table tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("2.0")
    await expect(page.locator("svg[role=img]")).to_be_visible()
    assert await page.evaluate(WIDE) == 0
    assert await serious(page) == []
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(f"{office.url}/inbox/{dialog}")
    await expect(page.locator("#card-pane")).to_contain_text("2 / 5")
