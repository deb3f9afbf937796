"""A marketer writes a letter of blocks by keyboard, on a desk and on a phone, and opens its results."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import plugins.mailings
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser]


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with open_office(
        tmp_path, database_url, "127.0.0.1", ("mailings", plugins.mailings)
    ) as one:
        yield one


async def test_a_letter_is_written_of_blocks_by_keyboard(office: Office, enter: Enter) -> None:
    await office.hire("Mara", "marketer")
    page = await enter("Mara", "/p/mailings/new")
    await page.fill("#f-title", "Spring")
    first = page.locator(".block-editor").first
    add = first.get_by_role("button", name="Add a block")
    await add.press("Enter")
    await page.keyboard.type("See what is new")
    block = first.locator(".block")
    await expect(block).to_have_count(1)
    await add.press("Enter")
    await block.nth(1).locator("select").select_option("button")
    await block.nth(1).locator("input").first.fill("Order")
    await block.nth(1).locator("input").nth(1).fill("https://shop.example/order")
    await add.press("Enter")
    await block.nth(2).locator("select").select_option("heading")
    await block.nth(2).locator("input").fill("Spring")
    for _ in range(2):
        await page.keyboard.press("Alt+ArrowUp")
    area = page.locator("#f-text_0")
    await first.get_by_role("button", name="Code").press("Enter")
    await expect(area).to_be_visible()
    assert await area.input_value() == (
        "# Spring\n\nSee what is new\n\n[[Order|https://shop.example/order]]"
    )
    await first.get_by_role("button", name="Code").press("Enter")
    assert await serious(page) == []
    await page.set_viewport_size({"width": 360, "height": 740})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    if folder := os.environ.get("PICTURES"):
        await first.scroll_into_view_if_needed()
        await page.screenshot(path=f"{folder}/letters-phone.png")
    await page.get_by_role("button", name="Save and check").click()
    await expect(page.locator("#f-title")).to_have_value("Spring")
    await expect(page.locator(".block-editor").first.locator(".block")).to_have_count(3)
    await page.goto(page.url.partition("#")[0] + "/report")
    await expect(page.get_by_text("Nothing has left yet")).to_be_visible()
    assert await serious(page) == []
