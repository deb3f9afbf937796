"""A file becomes clients on screen: columns, a dry run, bad rows, the import, and taking it back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words

pytestmark = [pytest.mark.browser]


def a_file(folder: Path, rows: int, bad: int) -> Path:
    """A file as a Russian spreadsheet writes it; some rows have no readable address."""
    lines = ["Название;Телефон;Эл. почта;Регион;Заметка дня"]
    for n in range(rows):
        mail = "не почта" if n * bad % rows < bad else f"client{n}@example.org"
        lines.append(f"Клиент {n};8912{n:07};{mail};Псков;x")
    path = folder / "клиенты.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1251"))
    return path


async def the_whole_way(
    office: Office, page: Page, folder: Path, rows: int, bad: int, look: str = ""
) -> None:
    """From the list's button to the import, and back."""
    shots = os.environ.get("HUB_SCREENSHOTS", "")
    found: dict[str, object] = {}

    async def seen(name: str) -> None:
        if look:
            if shots:
                await page.screenshot(path=Path(shots) / f"{look}-{name}.png", full_page=True)
            wrong: list[object] = [*await page.evaluate(CUT), *await serious(page)]
            if "ru" in look:
                wrong += sorted(foreign_words() & set(await page.evaluate(SAID)))
            if too_wide := await page.evaluate(WIDE):
                wrong.append(f"scrolls sideways by {too_wide}")
            if wrong:
                found[name] = wrong

    await page.locator("a[href='/settings/imports?kind=client']").click()
    await seen("begin")
    await page.locator("#f-file").set_input_files(a_file(folder, rows, bad))
    await page.locator("form.box .btn.primary").click()
    await expect(page.locator("select[name='column-0']")).to_have_value("name")
    await expect(page.locator("select[name='column-2']")).to_have_value("email")
    await expect(page.locator("select[name='column-4']")).to_have_value("")
    await seen("columns")
    await page.locator("button[value='check']").click()
    counts = page.locator("#checked .counts dd")
    await expect(counts).to_have_text([str(rows - bad), "0", "0", "0", str(bad)], timeout=60_000)
    await page.locator("#checked details summary").click()
    await seen("checked")
    async with page.expect_download() as given:
        await page.locator("#checked a[download]").click()
    text = (await (await given.value).path()).read_text("utf-8-sig")
    assert len(text.splitlines()) == bad + 1
    await page.locator("button[value='run']").click()
    counts = page.locator("#result .counts dd")
    await expect(counts).to_have_text([str(rows - bad), "0", "0", "0", str(bad)], timeout=120_000)
    assert await office.system.read(objects.count, NOUNS["client"], ObjectQuery()) == rows - bad
    await seen("done")
    await page.locator("button[value='undo']").click()
    await expect(page.locator("#result p").first).to_contain_text(str(rows - bad), timeout=120_000)
    assert await office.system.read(objects.count, NOUNS["client"], ObjectQuery()) == 0
    await seen("undone")
    assert found == {}, found


async def test_a_file_is_imported_and_taken_back_on_screen(
    office: Office, enter: Enter, tmp_path: Path
) -> None:
    page = await enter("Max", "/clients")
    await the_whole_way(office, page, tmp_path, 400, 20, "en-1280")


async def test_an_import_fits_a_phone_in_russian(
    office: Office, enter: Enter, tmp_path: Path
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    page = await enter(
        "Max",
        "/clients",
        viewport={"width": 360, "height": 780},
        locale="ru",
        has_touch=True,
        is_mobile=True,
    )
    await the_whole_way(office, page, tmp_path, 20, 2, "ru-360")


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_ten_thousand_rows_with_three_hundred_bad_ones(
    office: Office, enter: Enter, tmp_path: Path
) -> None:
    page = await enter("Max", "/clients")
    await the_whole_way(office, page, tmp_path, 10_000, 300)
