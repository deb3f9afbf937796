"""The first minutes in a real browser: set-up, first channel, logging in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

import plugins.web_chat
from hub.web.first_run import new_setup_link
from tests.browser.loop import in_session
from tests.browser.office import Complaints
from tests.scenarios.web.house import House, open_house, served

PASSWORD = "a long enough word"


@in_session
async def newborn(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[House, str]]:
    """A hub that nobody has set up, and its address."""
    async with (
        open_house(tmp_path, database_url, ("web_chat", plugins.web_chat), public_url="") as house,
        served(house.app) as url,
    ):
        house.runtime.public_url = url
        yield house, url
        house.app.state.stopping.set()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
async def test_from_the_link_to_the_inbox_in_russian(
    newborn: tuple[House, str], chromium: Browser, complaints: Complaints, script: bool
) -> None:
    house, url = newborn
    link = await asyncio.to_thread(new_setup_link, house.runtime)
    context = await chromium.new_context(
        java_script_enabled=script, timezone_id="Europe/Moscow", locale="en-GB"
    )
    page = await context.new_page()
    # A browser complains of every refused form: the weak password, and the wrong one.
    complaints.forgive("status of 422", "status of 401")
    if script:
        complaints.watch(page, url)
    await page.goto(link)
    await page.get_by_role("link", name="Русский").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await page.locator("#f-organisation").fill("Ромашка")
    # Only a script can know the zone; without one the field waits for a word.
    await expect(page.locator("#f-zone")).to_have_value("Europe/Moscow" if script else "")
    await page.locator("#f-name").fill("Ада")
    await page.locator("#f-email").fill("ada@example.org")
    await page.locator("#f-password").fill("коротко")
    await page.locator("button[type=submit]").click()
    await expect(page.locator("[role=alert]")).to_be_visible()
    await expect(page.locator("#f-organisation")).to_have_value("Ромашка")
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("button[type=submit]").click()
    await page.wait_for_url("**/welcome")
    await page.get_by_role("link", name="Веб-чат").first.click()
    await expect(page.locator("textarea[readonly]")).to_contain_text("/p/web_chat/widget.js")
    await page.get_by_role("button", name="Выйти").click()
    await page.wait_for_url("**/login")
    await page.locator("#f-email").fill("ada@example.org")
    await page.locator("#f-password").fill("не тот пароль")
    await page.locator("button[type=submit]").click()
    await expect(page.locator("[role=alert]")).to_be_visible()
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("button[type=submit]").click()
    await page.wait_for_url("**/inbox**")
    await context.close()
