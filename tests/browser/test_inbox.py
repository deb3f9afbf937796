"""The inbox in a browser: words arrive, are read, answered, and the answer leaves."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.office import Office, Post
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


async def test_a_new_dialog_appears_by_itself_and_its_answer_leaves(
    office: Office, enter: Enter
) -> None:
    page = await enter("Vera")
    await expect(page.get_by_text("All answered")).to_be_visible()
    dialog = await office.writes("Ivan Petrov", "Is the blue boat still for sale?")
    row = page.locator(f"#row-{dialog}")
    await expect(row).to_contain_text("Is the blue boat still for sale?")
    await expect(row.locator("[data-number]")).to_have_text("1")
    await row.click()
    await expect(page.locator(".msg.in .text")).to_have_text("Is the blue boat still for sale?")
    await expect(row.locator("[data-unread]")).to_be_hidden()
    await page.locator("#text").fill("It is. Come and see it.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".msg.out .text")).to_have_text("It is. Come and see it.")
    await expect(page.locator("#text")).to_have_value("")
    await office.wait_message(dialog, "It is. Come and see it.", "sent")
    assert [one.text for one in Post.sent] == ["It is. Come and see it."]
    await expect(page.locator(".msg.out [role=img][aria-label=Sent]")).to_be_visible()
    assert await page.locator(".msg.out").count() == 1


async def test_the_open_dialog_grows_while_one_looks(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await office.writes("Ivan Petrov", "Are you there?")
    await expect(page.locator(".msg.in .text")).to_have_text(["Hello", "Are you there?"])
    await office.answers("Oleg", dialog, "We are")
    await expect(page.locator(".msg.out .text")).to_have_text(["We are"])
    await until(lambda: bool(Post.sent), "the answer did not leave")
