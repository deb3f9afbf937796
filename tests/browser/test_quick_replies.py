"""The `/` of the composer: found, seen filled in, put in, and stopped where something is missing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import plugins.quick_replies
from hub import (
    AccountId,
    Actor,
    ActorKind,
    CreateAccount,
    Micros,
    Template,
    UpdateProfile,
)
from hub.connections import fetch_templates
from plugins.quick_replies.commands import SaveQuickReply
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import HOUR, Office, Post, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE
from tests.parrots import Perch, plugin_of, says

pytestmark = [pytest.mark.browser]
NAME = "quick_replies"


@pytest.fixture
def perch() -> Perch:
    return Perch()


@in_session
async def office(tmp_path: Path, database_url: str, perch: Perch) -> AsyncIterator[Office]:
    more = ((NAME, plugins.quick_replies), ("parrots", plugin_of(perch)))
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as one:
        yield one


async def test_an_agent_answers_by_a_slash_and_three_letters(
    office: Office, enter: Enter, tmp_path: Path
) -> None:
    dialog = await office.writes("Иван Сергеевич", "Сколько стоит доставка в Тверь?")
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    await own.as_user(office.users["Vera"]).do(
        SaveQuickReply(
            title="Order ready",
            shortcut="order",
            slot=5,
            texts={"en": {"text": "Dear {{ contact.first_name }}, {{ interest.title }} is ready"}},
            add_files=(("price.txt", "text/plain", b"sails"),),
        )
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    text = page.locator("#text")
    picker = page.locator("#reply-picker")
    await text.focus()
    # Everything, the client's last words first; then a slip of the finger.
    await text.press_sequentially("/")
    await expect(picker.locator("li").first).to_contain_text("/delivery")
    await expect(picker.locator("li").first).to_contain_text("fits")
    await text.press_sequentially("helo")
    await expect(picker.locator("li").first).to_contain_text("/hello")
    await expect(picker.locator("[data-preview]")).to_contain_text(
        "Здравствуйте, Иван Сергеевич! Меня зовут Vera"
    )
    assert await serious(page) == []
    await _picture(page, "picker")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(picker).to_be_hidden()
    # He is answered in the language he writes in.
    assert (await text.input_value()).startswith("Здравствуйте, Иван Сергеевич! Меня зовут Vera")
    # A key of the commonest: a placeholder without a value stops the send and is selected.
    await text.fill("")
    await page.keyboard.press("Alt+5")
    await expect(page.locator("#pending .chip")).to_contain_text("price.txt")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toasts")).to_contain_text("not filled in yet")
    assert await page.evaluate("getSelection().toString()") == "{{ interest.title }}"
    await page.keyboard.type("the sail")
    await page.keyboard.press("Control+Enter")
    sent = await office.wait_message(dialog, "Dear Иван, the sail is ready")
    assert str(sent.extra["suggested"]).startswith(f"{NAME}:")
    assert [one.name for one in sent.attachments] == ["price.txt"]
    # Esc leaves what was typed; a path is no quick reply.
    await text.press_sequentially("see /var/log")
    await expect(picker).to_be_hidden()

    phone = await enter(
        "Max",
        "/p/quick_replies/",
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        locale="ru",
    )
    for path in ("/p/quick_replies/", "/p/quick_replies/new"):
        await phone.goto(office.url + path)
        await phone.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
        assert await phone.evaluate(WIDE) == 0, path
        assert await phone.evaluate(CUT) == [], path
        assert await serious(phone) == [], path
        await _picture(phone, f"phone{path.count('new')}")
    desk = await enter("Max", "/p/quick_replies/new", locale="ru")
    await desk.get_by_label("Название", exact=True).fill("Скидка")
    area = desk.get_by_label("По-русски")
    await area.fill("Здравствуйте, ")
    await desk.get_by_role("button", name="Имя и отчество").click()
    await area.press_sequentially("!")
    await expect(desk.locator("[data-preview-of=ru]")).to_contain_text(
        "Здравствуйте, Иван Сергеевич!"
    )
    await expect(desk.locator("[data-preview-of=ru]")).to_contain_text("Незнакомому")
    await _picture(desk, "edit")
    await desk.keyboard.press("Control+s")
    await desk.wait_for_url("**?saved=1")
    # The keys of templates: a placeholder, the preview, saved and closed.
    await area.focus()
    await desk.keyboard.press("Control+End")
    await desk.keyboard.press("Control+Slash")
    await desk.get_by_role("combobox", name="Вставить подстановку").fill("организация")
    await desk.keyboard.press("Enter")
    await expect(area).to_have_value("Здравствуйте, {{ contact.polite_name }}!{{ company }}")
    await desk.keyboard.press("Control+Shift+KeyP")
    await expect(desk.locator("[data-preview-of=ru]")).to_be_focused()
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_url("**/p/quick_replies/")
    # The star of a row by its key: one stands there again, and finds it first.
    row = desk.locator("tbody tr").first
    await expect(row.locator(".first a")).to_have_attribute("tabindex", "0")
    await desk.evaluate("import('hub/keyed').then(() => 0)")
    await desk.keyboard.press("KeyJ")
    await desk.keyboard.press("KeyF")
    await expect(row.locator('[data-key="F"]')).to_have_attribute("aria-pressed", "true")
    await expect(row.locator(".first a")).to_be_focused()
    assert await serious(desk) == []
    await _picture(desk, "list")
    await desk.get_by_role("link", name="Избранные").click()
    await expect(desk.locator("tbody tr")).to_have_count(1)


async def test_a_letter_is_answered_by_a_reply_with_html(office: Office, enter: Enter) -> None:
    await office.hands_of("Vera").do(UpdateProfile(preferences={"undo_seconds": 0}))
    dialog = await office.writes("Ann Lee", "Is it ready?", account=office.letters, subject="Sail")
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    await own.as_user(office.users["Vera"]).do(
        SaveQuickReply(
            title="Ready",
            shortcut="ready",
            slot=6,
            texts={
                "en": {
                    "text": "{{ contact.first_name }}, it is ready.",
                    "html": "<p><b>{{ contact.first_name }}</b>, it is ready.</p>",
                }
            },
        )
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    text, chip = page.locator("#text"), page.locator("#pending [data-html]")
    # Words before and after it go along, as words.
    await text.fill("1 < 2\n")
    await page.keyboard.press("Alt+6")
    await expect(chip).to_contain_text("As a letter")
    await text.press("End")
    await text.press_sequentially(" Bye")
    await page.keyboard.press("Control+Enter")
    sent = await office.wait_message(dialog, "1 < 2\nAnn, it is ready. Bye", "sent")
    [letter] = Post.sent
    assert letter.html.startswith("1 &lt; 2<br><p><b>Ann</b>, it is ready.</p> Bye")
    assert sent.has_html
    # Who changes the reply's own words sends what he sees: plain text, and is told so.
    await page.keyboard.press("Alt+6")
    await expect(chip).to_be_visible()
    await text.press("End")
    await text.press("Backspace")
    await expect(chip).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("as plain text")
    await page.keyboard.press("Control+Enter")
    await office.wait_message(dialog, "Ann, it is ready", "sent")
    assert not Post.sent[1].html


async def test_after_the_reply_window_a_reply_leads_to_its_template(
    office: Office, enter: Enter, perch: Perch
) -> None:
    made = CreateAccount(channel="parrot", title="Parrots")
    parrots = AccountId((await office.system.do(made))[0])
    perch.catalogue = [
        Template(name=name, language="en", body=f"Your {name} {{{{1}}}} is here", variables=("1",))
        for name in ("bird", "cage", "order")
    ]
    _, channel = await office.runtime.channel_host.get(parrots)
    await fetch_templates(office.runtime, parrots, channel)
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    ready = {"en": {"text": "It is ready"}}
    (reply_id,) = await own.as_user(office.users["Vera"]).do(
        SaveQuickReply(title="Ready", shortcut="ready", texts=ready, template="order")
    )
    account = await office.system.account(parrots)
    long_ago = Micros(office.system.now() - 25 * HOUR)
    [came] = await office.runtime.receive(account, [says("1", "Ready?", sent_at=long_ago)])
    page = await enter("Vera", f"/inbox/{came.dialog_id}")
    await expect(page.locator("#send")).to_be_disabled()
    await page.locator("#text").press_sequentially("/ready")
    await expect(page.locator("#reply-picker [data-preview]")).to_contain_text("template order")
    await page.keyboard.press("Enter")
    sheet = page.locator("dialog")
    await expect(sheet.locator(".template-preview:visible")).to_contain_text("Your order")
    await sheet.locator("[data-variable]:visible").fill("17")
    await sheet.get_by_role("button", name="Send the template").locator("visible=true").click()
    sent = await office.wait_message(came.dialog_id, "Your order 17 is here", "sent")
    assert sent.extra["suggested"] == f"{NAME}:{reply_id}"
    assert [one.template for one in perch.sent] == ["order"]


async def _picture(page, name: str) -> None:  # type: ignore[no-untyped-def]
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/replies-{name}.png", full_page=True)
