"""A marketer writes a letter of blocks by keyboard, on a desk and on a phone, and opens its results."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

import plugins.mailings
from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE

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
    await block.nth(2).get_by_label("Words", exact=True).fill("Spring")
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
    await _picture(page, "letters-phone")
    await page.get_by_role("button", name="Save and check").click()
    await expect(page.locator("#f-title")).to_have_value("Spring")
    await expect(page.locator(".block-editor").first.locator(".block")).to_have_count(3)
    await _picture(page, "letters-saved")
    await page.goto(page.url.partition("#")[0] + "/report")
    await expect(page.get_by_text("Nothing has left yet")).to_be_visible()
    assert await serious(page) == []


async def test_columns_products_and_colours_are_put_together(office: Office, enter: Enter) -> None:
    await office.hire("Mara", "marketer")
    page = await enter("Mara", "/p/mailings/letters/new")
    await page.fill("#f-title", "Spring")
    editor = page.locator(".block-editor")
    rows = editor.locator(":scope > .blocks > .block")
    add = editor.get_by_role("button", name="Add a block", exact=True)
    # A text, doubled and moved by keys, removed and brought back.
    await add.click()
    await page.keyboard.type("Hello, ")
    await page.keyboard.press("Control+Slash")
    await page.get_by_role("combobox", name="Insert a placeholder").fill("first name")
    await page.keyboard.press("Enter")
    await expect(rows.locator("textarea")).to_have_value("Hello, {{ contact.first_name }}")
    await page.keyboard.press("Control+KeyD")
    await rows.nth(1).locator("textarea").fill("Bye")
    await rows.nth(1).get_by_label("Kind of block").focus()
    await page.keyboard.press("Delete")
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Undo").click()
    await expect(rows).to_have_count(2)
    await rows.nth(1).get_by_text("Colours").click()
    await rows.nth(1).get_by_label("Background", exact=True).fill("#fff3c4")
    # Columns: a product in the first, what stood below is carried into the second.
    await add.click()
    columns = rows.nth(2)
    await columns.get_by_label("Kind of block").select_option("columns")
    await columns.get_by_role("button", name="Add a block to column 1").click()
    product = columns.locator(".block-column").nth(0).locator(".block")
    await product.get_by_label("Kind of block").select_option("product")
    await product.get_by_label("Name", exact=True).fill("The Gull")
    await product.get_by_label("Price").fill("$ 123")
    await product.get_by_label("Address of the picture").fill(f"{office.url}/static/icons.svg")
    await product.get_by_label("What it shows").fill("A sail")
    await product.get_by_label("Words of the button").fill("Order")
    await product.get_by_label("Address", exact=True).fill("https://shop.example/gull")
    await add.click()
    social = rows.nth(3)
    await social.get_by_label("Kind of block").select_option("social")
    await social.get_by_label("Name", exact=True).fill("VK")
    await social.get_by_label("Address", exact=True).fill("https://vk.com/shop")
    await _carry(page, rows.nth(3), columns.locator(".block-column").nth(1))
    await expect(rows).to_have_count(3)
    await _picture(page, "letters-columns")
    assert await serious(page) == []
    area = page.locator("#f-text")
    assert await area.input_value() == (
        "Hello, {{ contact.first_name }}\n\n{background=#fff3c4}\nBye\n\n::: columns\n"
        f"::: product\n![A sail]({office.url}/static/icons.svg)\nThe Gull\n$ 123\n"
        "[[Order|https://shop.example/gull]]\n:::\n+++\n::: social\nVK https://vk.com/shop\n:::\n:::"
    )
    await page.keyboard.press("Control+Shift+KeyP")
    sheet = page.get_by_role("dialog", name="Preview")
    letter = sheet.frame_locator("iframe")
    await expect(letter.get_by_text("Hello, Ann")).to_be_visible()
    await _picture(page, "letters-preview")
    await sheet.get_by_role("button", name="In the dark").click()
    await expect(letter.locator("html")).to_have_css("color-scheme", "dark")
    await _picture(page, "letters-dark")
    await sheet.get_by_role("button", name="Plain words").click()
    await expect(letter.get_by_text("VK: https://vk.com/shop")).to_be_visible()
    assert await serious(page) == []
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await page.locator("#f-title").focus()
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/p/mailings/letters")
    await office.hands_of("Mara").do(UpdateProfile(language="ru", theme="dark"))
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    phone = await enter("Mara", "/p/mailings/letters", **options)
    await phone.get_by_role("link", name="Spring").click()
    await expect(phone.locator(".block-editor > .blocks > .block")).to_have_count(3)
    await phone.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
    await _picture(phone, "letters-ru")
    assert await phone.evaluate(WIDE) == 0
    assert await phone.evaluate(CUT) == []
    assert await serious(phone) == []


async def _carry(page: Page, row: Locator, to: Locator) -> None:
    """Carry a row by its handle into a column."""
    await to.scroll_into_view_if_needed()
    held, goal = await row.locator(".block-handle").first.bounding_box(), await to.bounding_box()
    assert held
    assert goal
    await page.mouse.move(held["x"] + 5, held["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(goal["x"] + 40, goal["y"] + 60, steps=4)
    await page.mouse.up()


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
