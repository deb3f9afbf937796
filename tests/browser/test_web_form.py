"""The web form in a real browser: embedded by its script, and helping a form of the site's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from hub import SYSTEM, AccountId, CreateAccount, DialogQuery, Message
from tests.browser.loop import in_session
from tests.browser.test_web_chat import Errors, picture
from tests.wire.web_chat.site import ChatHub, Site, running_chat, until

pytestmark = [pytest.mark.browser]
EMBEDDED = '<!doctype html><html lang="ru"><link rel="icon" href="data:,"><meta charset="utf-8"><title>Shop</title><body><h1>Shop</h1>{before}'
SCRIPT = '<script src="{hub}/p/web_form/form.js?form={form}" {attributes}></script></html>'
OWN = (
    '<form id="own"><input name="mail"><textarea name="text"></textarea><button>Go</button></form>'
)


@in_session
async def chat(tmp_path: Path, database_url: str) -> AsyncIterator[ChatHub]:
    async with running_chat(tmp_path, database_url) as running:
        yield running


@in_session
async def page(chromium: Browser) -> Page:
    return await chromium.new_page(viewport={"width": 700, "height": 860})


async def new_form(chat: ChatHub, **settings: object) -> AccountId:
    hub = chat.runtime.handle(SYSTEM)
    (account_id,) = await hub.do(
        CreateAccount(channel="web_form", title="Ask", settings={"min_seconds": 0} | settings)
    )
    return AccountId(account_id)


async def sent(chat: ChatHub, form: AccountId) -> Message:
    hub = chat.runtime.handle(SYSTEM)

    async def find() -> Message | None:
        dialogs = (await hub.dialogs(DialogQuery(view="everything", account_id=form))).dialogs
        return (await hub.thread(dialogs[0].id)).messages[-1] if dialogs else None

    found = await until(find, "the form did not arrive")
    assert isinstance(found, Message)
    return found


async def show(
    page: Page, chat: ChatHub, form: AccountId, before: str = "", attributes: str = "data-debug"
) -> None:
    html = EMBEDDED.format(before=before) + SCRIPT.format(
        hub=chat.hub_url, form=form, attributes=attributes
    )
    chat.sites["form"] = Site(html=html)
    await page.goto(f"{chat.site_url}/form?utm_source=mail")


async def test_the_script_draws_a_form_and_says_thank_you(chat: ChatHub, page: Page) -> None:
    errors = Errors()
    errors.watch(page)
    form = await new_form(
        chat,
        more_fields="Размер *",
        consent_text="Согласен на обработку данных.",
        intro="Ответим сегодня.",
    )
    await show(page, chat, form)
    await page.get_by_label("Ваше имя").fill("Вера")
    await page.get_by_label("Электронная почта").fill("vera@example.org")
    await page.get_by_label("Размер").fill("XL")
    await page.get_by_label("Сообщение").fill("Сколько стоит?")
    await picture(page, "form")
    # Without consent nothing leaves: the browser itself points at what is missing.
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator("input:invalid")).to_have_count(1)
    kept = await chat.runtime.handle(SYSTEM).dialogs(
        DialogQuery(view="everything", account_id=form)
    )
    assert kept.dialogs == ()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.get_by_role("status")).to_contain_text("Спасибо!")
    message = await sent(chat, form)
    assert message.text == "Сколько стоит?\nРазмер: XL"
    profile = message.extra["profile"]
    assert isinstance(profile, dict)
    assert profile["utm_source"] == "mail"
    assert errors == []


async def test_a_form_of_the_site_s_own_is_helped(chat: ChatHub, page: Page) -> None:
    form = await new_form(chat)
    await show(page, chat, form, before=OWN, attributes='data-debug data-form="#own"')
    await expect(page.locator("#own input[name=website]")).to_be_attached()
    await page.locator("[name=mail]").fill("wrong")
    await page.locator("[name=text]").fill("Hello")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("status")).to_have_text("Проверьте адрес электронной почты")
    await page.locator("[name=mail]").fill("a@b.de")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("status")).to_contain_text("Спасибо!")
    assert (await sent(chat, form)).text == "Hello"
