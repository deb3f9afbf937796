"""Enquiries in Chromium: one key for each verdict, a way back, the end of the list, on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from crm_store import enquiries
from crm_store.objects import NOUNS, of_dialog
from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import WIDE
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_each_enquiry_gets_its_verdict_by_a_key(
    office: Office, enter: Enter, language: str
) -> None:
    max_ = office.hands_of("Max")
    await max_.do(UpdateProfile(language=language))
    anna = await office.writes("Anna Lee", "How much is a boat?")
    boris = await office.writes("Boris Key", "My boat leaks")
    spam = await office.writes("Cheap Sails", "Best price only today")
    page = await enter("Max", "/enquiries")
    await page.locator("html[data-ready=enquiries]").wait_for()
    rows = page.locator(".enquiry:not([hidden])")
    await expect(rows).to_have_count(3)
    assert await serious(page) == []

    # The oldest is the first; a key says what it is, and it goes.
    await page.keyboard.press("l")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#waiting")).to_have_text("2")

    async def leads() -> int:
        return len(await max_.read(lambda reader: of_dialog(reader, NOUNS["lead"], anna)))

    await until(leads, "no lead was made")
    await page.keyboard.press("q")
    await expect(rows).to_have_count(1)
    # Taken back, it stands there again, and is gone through by J and K.
    await expect(page.locator(".toast")).to_have_count(2)
    await page.locator(".toast button").last.click()
    await expect(rows).to_have_count(2)
    assert await max_.read(lambda reader: of_dialog(reader, NOUNS["request"], boris)) == []
    await page.keyboard.press("k")
    await page.keyboard.press("j")
    await expect(page.locator(".enquiry.chosen")).to_contain_text("Cheap Sails")
    await page.keyboard.press("x")
    await page.locator("dialog[open] input, dialog[open] textarea").first.fill("Spam")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await until(lambda: _left(office, 1), "the sender is not remembered")
    assert (await max_.dialog(spam)).status == "closed"

    await page.set_viewport_size({"width": 360, "height": 800})
    assert await page.evaluate(WIDE) == 0
    await rows.first.locator("[data-verdict=request]").click()
    await expect(page.locator("#all-said")).to_be_visible()
    assert await serious(page) == []


async def _left(office: Office, count: int) -> bool:
    return bool(await office.system.read(enquiries.count) == count)
