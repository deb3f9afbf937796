"""S18: a field is added on screen, seen before it is saved, filled on a card and asked for in the
list, without a restart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from crm_store import objects
from crm_store.objects import NOUNS
from hub import CreateClient, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words

pytestmark = [pytest.mark.browser]


async def test_a_field_is_added_filled_and_asked_for(office: Office, enter: Enter) -> None:
    client = (await office.system.do(CreateClient(name="Гавань", organisation=True)))[0]
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    page = await enter(
        "Max",
        "/settings/fields",
        viewport={"width": 360, "height": 780},
        locale="ru",
        has_touch=True,
        is_mobile=True,
    )
    await page.locator("#f-label").fill("Лодка мечты")
    await expect(page.locator("#preview label")).to_have_text("Лодка мечты")
    await page.locator("#f-type").select_option("choice")
    await page.locator("input[name='choice-label-0']").fill("Парусная")
    await page.locator("input[name='choice-label-1']").fill("Моторная")
    await page.locator("[data-do='more-choices']").click()
    await page.locator("input[name='choice-label-4']").fill("Вёсельная")
    await expect(page.locator("#preview select option")).to_have_count(4)
    await page.locator("input[name='listed']").check()
    assert [*await serious(page), *await page.evaluate(CUT)] == []
    assert await page.evaluate(WIDE) == 0
    assert not foreign_words() & set(await page.evaluate(SAID))
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=Path(folder) / "fields-ru-360.png", full_page=True)
    await page.locator("form[data-preview] .btn.primary").click()
    await expect(page.locator(".fields-list")).to_contain_text("custom.lodka_mechty")
    await page.set_viewport_size({"width": 1280, "height": 800})
    if folder:
        await page.screenshot(path=Path(folder) / "fields-ru-1280.png", full_page=True)
    await page.goto(f"{office.url}/clients/{client}")
    await page.get_by_label("Лодка мечты").select_option(label="Моторная")
    await page.locator(".card-form .btn.primary").click()
    await page.wait_for_load_state()
    card = await office.system.read(objects.one, NOUNS["client"], client)
    assert card.custom["lodka_mechty"] == "motornaya"
    tree = '{"field":"client.custom.lodka_mechty","operator":"in","value":["motornaya"]}'
    await page.goto(f"{office.url}/clients?filter={tree}")
    await expect(page.locator("table.list")).to_contain_text("Моторная")
    if folder:
        await page.screenshot(path=Path(folder) / "fields-list-1280.png", full_page=True)
