"""Searching in a browser: from a word to the very message."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office

pytestmark = [pytest.mark.browser]


async def test_a_word_form_leads_to_its_message_however_old(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Иван Петров", "Пришлите счета за октябрь")
    for number in range(70):
        await office.writes("Иван Петров", f"Ещё слово {number}")
    page = await enter("Vera", "/search")
    box = page.locator(".page [type=search]")
    await box.fill("счёт")
    await box.press("Enter")
    found = page.locator("a[href*='message=']")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text("Пришлите счета")
    await found.click()
    await page.wait_for_url(f"**/inbox/{dialog}?**")
    hit = page.locator(".msg.found")
    await expect(hit.locator(".text")).to_have_text("Пришлите счета за октябрь")
    await expect(hit).to_be_in_viewport()
    # From there one gets back to the newest.
    await page.locator("[data-do=to-end]").click()
    await expect(page.get_by_text("Ещё слово 69", exact=True).last).to_be_in_viewport()


async def test_people_and_dialogs_are_found_by_name_and_address(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Olga Schmidt", "Good day", account=office.letters)
    await office.writes("Ivan Petrov", "Something else")
    page = await enter("Vera", "/inbox")
    await page.keyboard.press("/")
    await expect(page.locator(".list-head [data-search]")).to_be_focused()
    await page.keyboard.type("olga@example.org")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search?q=**")
    await expect(page.locator(".cards a")).to_have_count(1)
    await expect(page.locator(".cards a")).to_contain_text("Olga Schmidt")
    await page.goto(f"{office.url}/search?q=Schmidt")
    row = page.locator(f"#row-{dialog}")
    await expect(row).to_be_visible()
    # The words stay in the box, and the keys lead through what was found: the person, the dialog.
    await expect(row.locator("a")).to_have_attribute("tabindex", "0")
    await page.keyboard.press("j")
    await expect(page.locator(".cards a")).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".msg.in .text")).to_have_text("Good day")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Nothing found"), ("ru", "Ничего не найдено")],
)
async def test_nothing_found_says_what_to_try(
    office: Office, enter: Enter, language: str, words: str
) -> None:
    await office.hands_of("Vera").do(UpdateProfile(language=language))
    page = await enter("Vera", "/search?q=zzzzqqqq")
    await expect(page.locator(".empty strong")).to_have_text(words)
