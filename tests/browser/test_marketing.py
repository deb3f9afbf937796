"""A marketer's screens: a segment, a mailing planned and sent, its numbers; the unsubscribe page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

import plugins.mailings
import plugins.quick_replies
from hub import Actor, ActorKind, Address, CreateContact, GiveConsent, UpdateProfile
from plugins.mailings import sending
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, Post, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE
from tests.houses import until

pytestmark = [pytest.mark.browser]


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    more = (("mailings", plugins.mailings), ("quick_replies", plugins.quick_replies))
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as one:
        yield one


@pytest.mark.slow
async def test_a_marketer_sends_a_letter_and_a_client_leaves(
    office: Office, enter: Enter, chromium: Browser
) -> None:
    hub = office.system
    for n in range(3):
        address = Address(kind="email", value=f"anna{n}@example.org")
        contact = (await hub.do(CreateContact(name=f"Анна {n}", addresses=(address,))))[0]
        await hub.do(GiveConsent(contact_id=contact, how="form", evidence="form of the site"))
    page = await enter("Max", "/segments/new")
    await page.get_by_label("Title", exact=True).fill("Everybody")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_url("**?saved=1")
    await expect(page.get_by_text("How many, now: 3")).to_be_visible()
    await _picture(page, "segment")
    assert await serious(page) == []
    await page.goto(f"{office.url}/p/mailings/new")
    await page.get_by_label("Title, for colleagues").fill("Spring")
    await page.get_by_label("Who gets it").select_option(label="Everybody")
    await page.get_by_label("Desk").fill("1")
    await page.get_by_label("Topic").fill("news")
    await page.get_by_label("Subject").first.fill("Spring news")
    # The letter as text; blocks have a story of their own.
    await page.locator(".block-editor").first.get_by_role("button", name="Code").click()
    await page.locator("#f-text_0").fill(
        "# Hello, {{ contact.first_name }}!\n\nSee [our sails](https://sails.example/new)."
    )
    await page.get_by_role("button", name="Save and check").click()
    await expect(page.locator(".checks .good").first).to_be_visible()
    await expect(page.locator(".checks .bad")).to_have_count(0)
    await _picture(page, "plan")
    assert await serious(page) == []
    await page.get_by_role("button", name="Send to 3").click()
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    await sending.tick(own, {})
    await until(lambda: len(Post.sent) == 3)
    await expect(page.locator("[data-state]")).to_have_text("finished")
    await expect(page.locator('[data-number="sent"]')).to_have_text("3")
    await _picture(page, "numbers")
    assert await serious(page) == []
    # The client's page works without any script, on a phone.
    context = await chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 700}, locale="ru-RU"
    )
    client = await context.new_page()
    await client.goto(Post.sent[0].unsubscribe_url)
    await expect(client.get_by_role("heading", level=1)).to_have_text("Ваши подписки")
    await _picture(client, "leave")
    assert await client.evaluate("document.documentElement.scrollWidth") <= 360
    await client.get_by_label("реже: не чаще раза в неделю").check()
    await client.get_by_role("button", name="Сохранить частоту").click()
    await expect(client.get_by_role("status").first).to_contain_text("с этой частотой")
    await expect(client.get_by_label("реже: не чаще раза в неделю")).to_be_checked()
    await client.get_by_role("button", name="Не присылать рекламу ни по какому каналу").click()
    await expect(client.get_by_role("status").first).to_contain_text("ни по какому каналу")
    await client.goto(f"{office.url}/u/cut-off")
    await client.get_by_label("Ваш адрес электронной почты").fill("anna0@example.org")
    await client.get_by_role("button", name="Пришлите мне новую ссылку").click()
    await expect(client.get_by_role("status").first).to_contain_text("новая ссылка")
    await until(lambda: len(Post.sent) == 4)
    assert "/u/" in Post.sent[3].text
    await _picture(client, "fresh")
    assert await client.evaluate("document.documentElement.scrollWidth") <= 360
    await context.close()
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    phone = await enter(
        "Max",
        "/p/mailings/",
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    paths = ["/p/mailings/", "/p/mailings/new", "/segments", "/segments/new"]
    for n, path in enumerate([*paths, f"/contacts/{contact}/consents"]):
        await phone.goto(office.url + path)
        await phone.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
        await _picture(phone, f"phone{n}")
        assert await phone.evaluate(WIDE) == 0, path
        assert await phone.evaluate(CUT) == [], path
        assert await serious(phone) == [], path


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
