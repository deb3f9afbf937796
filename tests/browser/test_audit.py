"""The audit on screen: sentences, filters, both languages, a desk and a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub import ChangeClient, ClientId, CreateClient, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words

pytestmark = [pytest.mark.browser]


async def test_who_changed_what_is_told_in_sentences(office: Office, enter: Enter) -> None:
    vera = office.hands_of("Vera")
    values = {"source": "Ярмарка"}
    made = await vera.do(CreateClient(name="Лодки", organisation=True, values=values))
    change = {"source": "Сайт", "status": "active", "phone": "1"}
    await vera.do(ChangeClient(client_id=ClientId(made[0]), values=change))
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    page = await enter(
        "Max",
        "/settings/audit?kind=client",
        viewport={"width": 360, "height": 780},
        locale="ru",
        has_touch=True,
        is_mobile=True,
    )
    line = page.locator(".audit-lines li").first
    await expect(line).to_contain_text("Vera · клиент Лодки: изменено")
    await expect(line).to_contain_text("Источник: Ярмарка → Сайт")
    await expect(line).to_contain_text("Состояние: потенциальный → действующий")
    assert await serious(page) == []
    assert await page.evaluate(CUT) == []
    assert await page.evaluate(WIDE) == 0
    assert not foreign_words() & set(await page.evaluate(SAID))
    if folder := os.environ.get("HUB_SCREENSHOTS", ""):
        await page.screenshot(path=Path(folder) / "audit-ru-360.png", full_page=True)
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.goto(f"{office.url}/settings/audit")
        await page.screenshot(path=Path(folder) / "audit-ru-1280.png", full_page=True)
    await page.goto(f"{office.url}/settings/audit?kind=client&user={office.users['Max']}")
    await expect(page.locator(".empty")).to_be_visible()
