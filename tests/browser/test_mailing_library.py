"""A marketer's whole story in Russian: a letter kept, changed, compared, tried out, sent, counted."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

import plugins.mailings
from hub import Actor, ActorKind, Address, CreateContact, GiveConsent, SaveSegment, UpdateProfile
from plugins.mailings import sending
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, Post, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE
from tests.houses import until

pytestmark = [pytest.mark.browser, pytest.mark.soak]


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    more = (("mailings", plugins.mailings),)
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as one:
        yield one


async def test_a_letter_is_kept_compared_tried_sent_and_counted_in_russian(
    office: Office, enter: Enter, tmp_path: Path
) -> None:
    hub = office.system
    for n, name in enumerate(("Анна", "Борис", "Вера", "Глеб")):
        address = Address(kind="email", value=f"anna{n}@example.org")
        contact = (await hub.do(CreateContact(name=name, addresses=(address,))))[0]
        await hub.do(GiveConsent(contact_id=contact, how="form"))
    await hub.do(SaveSegment(name="Все"))
    await office.hands_of("Max").do(UpdateProfile(language="ru"))
    page = await enter("Max", "/p/mailings/letters")
    await page.get_by_role("link", name="Новое письмо").first.click()
    await page.get_by_label("Название, для коллег").fill("Весна")
    await page.get_by_label("Папка").fill("Продажи")
    await page.get_by_label("Тема письма").fill("Новые паруса")
    editor = page.locator(".block-editor")
    await editor.get_by_role("button", name="Код").click()
    await page.locator("#f-text").fill("# Здравствуйте, {{ contact.first_name }}!\n\nСтарые слова.")
    await page.get_by_role("button", name="Сохранить", exact=True).click()
    await expect(page.locator(".banner.good")).to_contain_text("Сохранено")
    await editor.get_by_role("button", name="Код").click()
    await page.locator("#f-text").fill(
        "# Здравствуйте, {{ contact.first_name }}!\n\nНовые слова, [смотрите](https://sails.example/)."
    )
    await page.get_by_role("button", name="Сохранить", exact=True).click()
    await expect(page.get_by_role("link", name="Версия 1")).to_be_visible()
    await _picture(page, "letter")
    assert await serious(page) == []
    letter = page.url.partition("?")[0]
    await page.get_by_role("link", name="Версия 1").click()
    await expect(page.locator(".difference .went .words")).to_have_text("Старые слова.")
    await _picture(page, "version")
    assert await serious(page) == []
    version = page.url

    await page.goto(letter)
    await page.get_by_role("button", name="Сделать рассылку").click()
    await expect(page.get_by_text("Взято из версии 2 письма")).to_be_visible()
    await page.get_by_label("Кто получит", exact=True).select_option(label="Все")
    await page.get_by_label("Desk").fill("1")
    await page.get_by_text("Второй вариант, для проверки").click()
    await page.locator("#f-subject_1").fill("Паруса этой весны")
    second = page.locator(".block-editor").nth(1)
    await second.get_by_role("button", name="Код").click()
    await page.locator("#f-text_1").fill("Другие слова, [смотрите](https://sails.example/b).")
    await page.locator("#f-share").fill("100")
    prices = tmp_path / "цены.txt"
    prices.write_text("480")
    await page.locator("#f-files").set_input_files(prices)
    await page.get_by_role("button", name="Сохранить и проверить").click()
    await expect(page.get_by_text("цены.txt")).to_be_visible()
    await page.get_by_text("Отправить пробу", exact=True).click()
    await page.get_by_label("С данными кого").select_option(label="Анна")
    await page.get_by_label("На какой адрес").fill("max@example.org")
    await page.get_by_role("button", name="Сохранить и отправить пробу").click()
    await expect(page.locator("[data-test]")).to_have_text("отправлено")
    assert Post.sent[0].subject == "[Проба] Новые паруса"
    assert "Здравствуйте, Анна!" in Post.sent[0].text
    await _picture(page, "tried")
    assert await serious(page) == []

    await page.get_by_role("button", name="Отправить: 4").click()
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    await expect(page.locator("[data-state]")).to_be_visible()
    await sending.tick(own, {})
    await until(lambda: len(Post.sent) == 5)
    await expect(page.locator('[data-number="sent"]')).to_have_text("4")
    assert {one.attachments[0].name for one in Post.sent} == {"цены.txt"}
    await _picture(page, "counted")
    mailing = page.url.partition("#")[0]
    await page.reload()
    await page.get_by_role("button", name="Кто получил").click()
    await page.wait_for_url("**/segments/**")
    await expect(page.get_by_text("Сейчас в нём: 4")).to_be_visible()

    await office.hands_of("Max").do(UpdateProfile(theme="dark"))
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    phone = await enter("Max", "/p/mailings/letters", **options)
    for n, path in enumerate(
        (f"{office.url}/p/mailings/letters", letter, version, mailing, f"{mailing}/versions")
    ):
        await phone.goto(path)
        await phone.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
        await _picture(phone, f"library{n}")
        assert await phone.evaluate(WIDE) == 0, path
        assert await phone.evaluate(CUT) == [], path
        assert await serious(phone) == [], path


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
