"""The screen of topics, and the public pages of who subscribes: without a script, on a phone, in two
languages, by day and by night."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from crm_store.consents import standing
from hub import Address, ContactId, SaveTopic, Subscribe, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, Post, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE
from tests.houses import until

pytestmark = [pytest.mark.browser]
PHONE = {"viewport": {"width": 360, "height": 740}}
DESK = {"viewport": {"width": 1280, "height": 800}}


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with open_office(tmp_path, database_url) as one:
        for name, english, russian in (
            ("news", "News & offers", "Новости и предложения"),
            ("tips", "Tips for sailors: how to rig, reef and mend", "Советы яхтсменам"),
        ):
            await one.system.do(
                SaveTopic(
                    name=name, label_en=english, label_ru=russian,
                    about_en="Twice a month, never more", about_ru="Два раза в месяц, не чаще",
                )
            )  # fmt: skip
        yield one


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_who_subscribes_needs_no_script(
    office: Office, chromium: Browser, language: str
) -> None:
    address = Address(kind="email", value="anna.petrova@example.org")
    await office.system.do(Subscribe(address=address, topic="news", language=language))
    await until(lambda: Post.sent)
    found = re.search(r"https?://\S+/s/\S+", Post.sent[0].text)
    assert found
    listed = await office.system.find("contact", limit=10)
    [contact] = [ContactId(one.id) for one in listed.items]

    async def state() -> list[str]:
        return [one.state for one in (await office.system.read(standing, contact)).current]

    for name, options in (("phone", PHONE), ("desk", DESK)):
        context = await chromium.new_context(locale="en-GB", color_scheme="dark", **options)
        page = await context.new_page()
        await page.goto(found[0])
        await _looks(page, f"confirm-{language}-{name}")
        await context.close()
    assert "given" not in await state()

    context = await chromium.new_context(java_script_enabled=False, locale="en-GB", **PHONE)
    page = await context.new_page()
    await page.goto(found[0])
    yes = {"en": "Yes, subscribe me", "ru": "Да, подписать меня"}[language]
    await page.get_by_role("button", name=yes).click()
    await expect(page.get_by_role("status").first).to_be_visible()
    await _picture(page, f"confirmed-{language}")
    assert await state() == ["given"]
    # And from there to what he gets: a topic more, a topic less.
    await page.get_by_role("link").last.click()
    boxes = page.locator('input[name="topic"]')
    await expect(boxes).to_have_count(2)
    await boxes.nth(1).check()
    save = {"en": "Save my choice", "ru": "Сохранить выбор"}[language]
    await page.get_by_role("button", name=save).click()
    await expect(page.get_by_role("status").first).to_be_visible()
    await _picture(page, f"preferences-{language}")
    assert await state() == ["given", "given"]
    await context.close()


async def test_topics_are_kept_on_a_screen_that_looks_well(office: Office, enter: Enter) -> None:
    looks: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("en", "light", DESK),
        ("en", "dark", PHONE),
        ("ru", "dark", DESK),
        ("ru", "light", PHONE),
    )
    for language, theme, options in looks:
        await office.hands_of("Max").do(UpdateProfile(language=language, theme=theme))
        page = await enter("Max", "/settings/topics", **options)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
        await _looks(page, f"topics-{language}-{theme}-{options['viewport']['width']}")


async def _looks(page: Page, name: str) -> None:
    """Nothing is cut off, wider than the screen, or hard to reach; and a picture of it."""
    await _picture(page, name)
    assert await page.evaluate(WIDE) == 0, name
    assert await page.evaluate(CUT) == [], name
    assert await serious(page) == [], name


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
