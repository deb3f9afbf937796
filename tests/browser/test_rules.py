"""Automation in Chromium: a rule built from nothing by keyboard, tried, switched on, undone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from crm_store.objects import NOUNS, of_dialog
from hub import SaveRule, UpdateProfile
from hub.handle import BoundHub
from plugins import crm_actions
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious
from tests.wire.web_chat.site import until
from triggers.rules import all_rules

pytestmark = [pytest.mark.browser]
LOOKS = os.environ.get("HUB_LOOKS", "")
WIDE = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
WORDS = {
    "en": {
        "name": "Price question",
        "opening": "first message of a dialog",
        "known": "Belongs to",
        "lead": "make a lead",
        "saved": "Saved.",
        "on": "Switch on",
    },
    "ru": {
        "name": "Вопрос о цене",
        "opening": "первое сообщение диалога",
        "known": "Относится к клиенту",
        "lead": "создать лид",
        "saved": "Сохранено.",
        "on": "Включить",
    },
}


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """An office whose rules have the actions of the CRM."""
    plugins = ("crm_actions", crm_actions)
    async with open_office(tmp_path, database_url, "127.0.0.1", plugins) as running:
        yield running


async def look(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look."""
    if LOOKS:
        await page.set_viewport_size({"width": page.viewport_size["width"], "height": 1900})  # type: ignore[index]
        await page.screenshot(path=Path(LOOKS) / f"{name}.png", full_page=True)


async def pick(page: Page, text: str) -> None:
    """Open the list of the chip that has the focus, and choose by typing."""
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.palette")).to_be_visible()
    await page.keyboard.type(text)
    await expect(page.locator("dialog.palette li").first).to_contain_text(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.palette")).to_have_count(0)


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as a person without a mouse does."""
    for _ in range(80):
        if await page.evaluate("s => Boolean(document.activeElement?.closest(s))", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_rule_from_nothing_by_keyboard(office: Office, enter: Enter, language: str) -> None:
    words = WORDS[language]
    max_ = office.hands_of("Max")
    await max_.do(UpdateProfile(language=language, preferences={"undo_seconds": 0}))
    await office.writes("Anna Lee", "What is the price of the blue boat? Какая цена?")
    await office.writes("Boris Key", "Thank you, it works. Спасибо!")

    page = await enter("Max", "/settings/profile")
    await page.locator("html[data-ready=settings]").wait_for()
    await page.locator("body").press("g")
    await page.keyboard.press("a")
    await page.wait_for_url("**/settings/rules")
    await page.locator("html[data-ready]").wait_for()
    await page.keyboard.press("c")
    await page.wait_for_url("**/settings/rules/new")
    await page.locator("html[data-ready=rules]").wait_for()

    # When ... if ... then: nothing but keys.
    await page.keyboard.type(words["name"])
    await tab_to(page, "[data-path='when[0].event']")
    await pick(page, words["opening"])
    await tab_to(page, "[data-add=condition]")
    await page.keyboard.press("Enter")
    await tab_to(page, "[data-path='if.all[0].value']")
    await page.keyboard.type("price, цена")
    await tab_to(page, "[data-add=condition]")
    await page.keyboard.press("Enter")
    await pick(page, words["known"])
    await tab_to(page, "[data-path='if.all[1].value'] select")
    await page.keyboard.press("ArrowDown")
    await tab_to(page, "[data-path='then[0].action']")
    await pick(page, words["lead"])
    await look(page, f"rule-{language}")
    assert await serious(page) == []

    # Tried on what came before it was there.
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".rule-count")).to_contain_text("1")
    await expect(page.locator(".rule-why .seen").first).to_contain_text("blue boat")
    await look(page, f"tried-{language}")

    await page.keyboard.press("Control+s")
    await page.wait_for_url("**/settings/rules/*said=saved")
    await expect(page.locator(".banner.good")).to_contain_text(words["saved"])
    await page.locator("html[data-ready=rules]").wait_for()
    await tab_to(page, "button[name=do][value=on]")
    await page.keyboard.press("Enter")
    await expect(page.locator("button[name=do][value=off]")).to_be_visible()

    # The next enquiry becomes a lead, and the lead says why.
    dialog = await office.writes("Vera Sun", "The price of a rowing boat? Цена лодки?")

    async def made() -> list[int]:
        found = await office.system.read(lambda reader: of_dialog(reader, NOUNS["lead"], dialog))
        return [int(one.id) for one in found]

    lead = (await until(made, "no lead was made"))[0]  # type: ignore[index]
    await page.goto(f"{office.url}/leads/{lead}")
    await expect(page.locator("#made-by")).to_contain_text(words["name"])
    await expect(page.locator("#made-by")).to_contain_text("rowing boat")
    await page.locator("#made-by a").click()
    await expect(page.locator("[id^=run-] .seen").first).to_contain_text("rowing boat")

    # Why not, of a dialog in which it stayed silent.
    silent = await office.writes("Boris Key", "Thank you again. Ещё раз спасибо!")
    await page.goto(f"{office.url}/inbox/{silent}")
    await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
    await page.locator(".thread-head button[popovertarget=more-menu]").click()
    await page.locator("#more-menu a[href*=why]").click()
    await expect(page.locator("details[id^=rule-]")).to_contain_text(words["name"])
    await page.locator("details[id^=rule-] > summary").click()
    assert await serious(page) == []
    await look(page, f"why-{language}")

    # Undone: the lead goes into the bin, and comes out of it as easily.
    await page.goto(f"{office.url}/leads/{lead}")
    await page.locator("form:has(input[value=remove]) button").click()
    await expect(page.locator("button:has(use[href$=refresh-cw])")).to_have_count(1)

    # The same on a telephone: nothing is cut off, everything can be pressed.
    await page.goto(f"{office.url}/settings/rules")
    address = await page.locator("h2 a[href^='/settings/rules/']").get_attribute("href")
    await page.set_viewport_size({"width": 360, "height": 800})
    for path in (str(address), "/settings/rules", "/settings/rules/log", "/settings/rules/waits"):
        await page.goto(office.url + path)
        await page.locator("html[data-ready=rules]").wait_for()
        assert await page.evaluate(WIDE) == 0, path
        assert await serious(page) == [], path
        await look(page, f"phone-{language}-{path.strip('/').replace('/', '-')[:30]}")
        await page.set_viewport_size({"width": 360, "height": 800})


async def test_what_is_rarer_is_built_of_chips_too(office: Office, enter: Enter) -> None:
    """Whom a schedule takes, its zone, quiet hours, an object of many, a draft, an example's date."""
    max_ = office.hands_of("Max")
    await max_.do(UpdateProfile(language="en", preferences={"undo_seconds": 0}))
    await office.writes("Anna Lee", "Hello")
    page = await enter("Max", "/settings/rules/new")
    await page.locator("html[data-ready=rules]").wait_for()
    await page.keyboard.type("Forgotten people")

    await tab_to(page, "[data-path='when[0].event']")
    await pick(page, "it is time")
    await tab_to(page, "[data-path='when[0].each.kind'] select")
    await page.locator("[data-path='when[0].each.kind'] select").select_option("contact")
    await page.get_by_role("button", name="Only those of which is true").click()
    await page.locator("[data-path='when[0].each.filter.all[0].field'] button").focus()
    await pick(page, "Position")
    await page.locator("[data-path='when[0].each.filter.all[0].value'] input").fill("head")
    await page.locator("[data-path='when[0].zone'] button").focus()
    await pick(page, "Europe/Moscow")

    # One of many is found by its name.
    await page.locator("[data-add=condition][data-list='if.all']").click()
    await page.locator("[data-path='if.all[0].field'] button").focus()
    await pick(page, "Contact")
    await page.locator("[data-path='if.all[0].operator'] select").select_option("equals")
    await page.locator("[data-path='if.all[0].value'] button").focus()
    await pick(page, "Anna Lee")
    await expect(page.locator("[data-path='if.all[0].value']")).to_contain_text("Anna Lee")

    await page.get_by_role("button", name="Quiet hours").click()
    await page.locator("[data-path='guards.quiet.to'] input").fill("10:00")
    assert await serious(page) == []

    # A step that says nothing yet: nobody was there, so it is no fault before one saves. It is
    # kept switched off.
    await expect(page.get_by_role("button", name="Keep it switched off")).to_be_visible()
    await expect(page.locator(".rule-wrong")).to_have_count(0)
    await page.locator("[data-path='then[0].params.text'] textarea").focus()
    await page.locator("#rule-name").focus()
    await expect(page.locator(".rule-wrong").first).to_be_visible()
    await page.get_by_role("button", name="Keep it switched off").click()
    await page.wait_for_url("**/settings/rules/*said=saved")
    await page.locator("html[data-ready=rules]").wait_for()
    await expect(page.locator("[data-path='if.all[0].value']")).to_contain_text("Anna Lee")
    await expect(page.locator("button[name=do][value=on]")).to_be_visible()
    [kept] = await max_.read(all_rules)
    when = kept.definition["when"][0]
    assert (when["each"]["kind"], when["zone"]) == ("contact", "Europe/Moscow")
    assert when["each"]["filter"]["all"][0]["value"] == ["head"]
    assert kept.definition["guards"] == {"quiet": {"from": "21:00", "to": "10:00"}}
    assert not kept.enabled

    # An example of which it is known what time it is.
    await page.locator("[data-path='then[0].params.text'] textarea").fill("Call")
    await page.locator("details[data-kept=examples] > summary").click()
    await page.get_by_role("button", name="Example", exact=True).click()
    await page.locator("[data-path='examples[0].values'] button").focus()
    await pick(page, "What time it is then")
    await page.locator("[data-path='examples[0].values.now'] input").fill("2026-06-30T12:00")
    await page.locator("[data-path='examples[0].fires'] select").select_option("false")
    async with page.expect_navigation():
        await page.keyboard.press("Control+s")
    await expect(page.locator("details[data-kept=examples] .chip").first).to_contain_text("1")
    assert await _version(max_, 2)


async def _version(hub: BoundHub, version: int) -> bool:
    [kept] = await hub.read(all_rules)
    return kept.version == version and str(kept.definition["examples"]).count("now") == 1


async def test_a_rule_without_conditions_is_opened_again(office: Office, enter: Enter) -> None:
    then = [{"action": "crm_actions.tag", "params": {"tags": ["new"]}}]
    rule = {"name": "Welcome", "when": [{"event": "consent.given"}], "then": then}
    number = (await office.system.do(SaveRule(definition=rule)))[0]
    page = await enter("Max", f"/settings/rules/{number}")
    await expect(page.locator("[data-path='then[0].action'] button")).to_contain_text("tag")
    await expect(page.locator("[data-add=condition]").first).to_be_visible()
