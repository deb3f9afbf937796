"""Everything of a person as a file, erasing it with a report, and what is removed by its age."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words

pytestmark = [pytest.mark.browser]


async def looked_at(page: Page, name: str) -> None:
    """The page fits a phone, speaks Russian and is clean."""
    assert [*await serious(page), *await page.evaluate(CUT)] == []
    assert await page.evaluate(WIDE) == 0
    assert not foreign_words() & set(await page.evaluate(SAID))
    if folder := os.environ.get("HUB_SCREENSHOTS", ""):
        await page.screenshot(path=Path(folder) / f"{name}-ru-360.png", full_page=True)


async def test_a_person_is_handed_over_and_erased_on_screen(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Анна Петрова", "Сколько стоит лодка?")
    contact_id = (await office.system.dialog(dialog)).contact_id
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    page = await enter(
        "Max",
        f"/contacts/{contact_id}",
        viewport={"width": 360, "height": 780},
        locale="ru",
        has_touch=True,
        is_mobile=True,
    )
    await page.locator(f"a[href='/contacts/{contact_id}/data']").click()
    await looked_at(page, "personal")
    async with page.expect_download() as given:
        await page.locator("a[download]").click()
    with zipfile.ZipFile(await (await given.value).path()) as archive:
        assert "Сколько стоит лодка?" in archive.read("index.html").decode()
    await page.locator("input[name='sure']").check()
    await page.locator(".btn.danger").click()
    await expect(page.locator("section[role='status'] h2")).to_have_text("Человек стёрт")
    await looked_at(page, "erased")
    await page.goto(f"{office.url}/settings/retention")
    await page.locator("#f-subject").select_option("files")
    await page.locator("form.box .btn.primary").last.click()
    await expect(page.locator("form.box h2").first).to_contain_text("Файлы сообщений")
    await expect(page.locator("form.box p b").first).to_have_text("0")
    await looked_at(page, "retention")
