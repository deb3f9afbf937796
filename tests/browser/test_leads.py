"""From an unknown writer to a lead, to a client, and back: by the card beside the dialog."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import Contact, ContactId, CreateLead, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words

pytestmark = [pytest.mark.browser]


async def test_an_unknown_writer_becomes_a_lead_then_a_client(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Anna Petrova", "How much is a boat?")
    page = await enter("Max", f"/inbox/{dialog}")
    await page.locator("#card-pane [data-lead]").click()
    await page.wait_for_url("**/leads/*")
    await expect(page.locator("h1")).to_have_text("How much is a boat?")
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.locator(".page-head .label")).to_have_text("in work")
    await expect(page.locator("html[data-ready=objects]")).to_have_count(1)
    await page.keyboard.press("Shift+Q")
    await page.get_by_label("Name of the new client").fill("Petrova's boats")
    await page.get_by_role("button", name="Convert", exact=True).click()
    await expect(page.locator(".page-head .label")).to_have_text("converted")
    await page.get_by_role("link", name="Petrova's boats").click()
    await expect(page.get_by_role("link", name="Anna Petrova")).to_be_visible()
    found = await office.system.dialog(dialog)
    contact: Contact = await office.system.contact(ContactId(found.contact_id))
    assert contact.client_id
    await page.goto(f"{office.url}/inbox/{dialog}")
    await expect(page.locator("#card-pane .section .label.good")).to_have_text("converted")
    await expect(page.locator(".hist", has_text="made a lead")).to_have_count(1)
    await page.locator("#card-pane a[href^='/leads/']", has_text="How much is a boat?").click()
    await page.get_by_role("button", name="Undo the conversion").click()
    await expect(page.locator(".page-head .label")).to_have_text("in work")
    query = ObjectQuery()
    assert await office.system.read(objects.count, NOUNS["client"], query) == 0
    # From the list a key opens the form on the card of the row under the cursor.
    await page.goto(f"{office.url}/leads")
    await expect(page.locator("html[data-ready=objects]")).to_have_count(1)
    await page.keyboard.press("J")
    await page.keyboard.press("Shift+X")
    await expect(page.get_by_label("Why", exact=True)).to_be_focused()


async def test_the_card_of_a_chosen_row_stands_beside_the_list(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Anna Petrova", "How much is a boat?")
    await office.system.do(CreateLead(dialog_id=dialog))
    await office.system.do(CreateLead(values={"title": "Oars for two"}))
    page = await enter("Max", "/leads", viewport={"width": 1440, "height": 900})
    await expect(page.locator("html[data-ready=objects]")).to_have_count(1)
    beside = page.locator("#beside")
    await page.locator("[data-rows]").get_by_role("link", name="Oars for two").click()
    await expect(beside.locator("h1")).to_have_text("Oars for two")
    await page.keyboard.press("j")
    await expect(beside.locator("h1")).to_have_text("How much is a boat?")
    await expect(beside.locator(".timeline")).to_contain_text("How much is a boat?")
    assert await serious(page) == []
    # The copied address shows the same; what is done on the card is done beside the list.
    await page.reload()
    await expect(beside.locator("h1")).to_have_text("How much is a boat?")
    await beside.get_by_role("button", name="Take", exact=True).click()
    await expect(beside.locator(".page-head .label")).to_have_text("in work")
    await expect(page.locator("[data-rows] tr.cursor")).to_contain_text("in work")
    await page.keyboard.press("Shift+X")
    await beside.get_by_label("Why", exact=True).fill("bought elsewhere")
    await page.keyboard.press("Enter")
    await expect(beside.locator(".page-head .label")).to_have_text("rejected")
    await page.keyboard.press("Escape")
    await expect(beside).to_have_count(0)
    assert "open=" not in page.url
    # Two that are selected are looked at as one by one key.
    await office.system.do(CreateLead(values={"title": "Oars for three"}))
    titles = page.locator("[data-rows] td.first a")
    await expect(titles).to_have_text(["Oars for three", "Oars for two"])
    ticks = page.locator("[data-rows] input[name=id]")
    for n in range(2):
        await ticks.nth(n).check()
    await page.keyboard.press("m")
    await expect(page.locator("h1")).to_contain_text("Oars for two")
    await expect(page.locator(".merge-field")).to_contain_text(["Oars for three"])


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [("ru", "dark", 390), ("en", "light", 390), ("ru", "light", 1440)],
)
async def test_leads_and_clients_fit_and_speak_one_language(
    office: Office, enter: Enter, language: str, theme: str, width: int
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language=language, theme=theme))
    values = {
        "title": "Сорок лодок для очень длинного названия регаты на Онежском озере",
        "name": "Константин Константинопольский-Рождественский",
        "company": "Гавань",
        "phone": "+7 912 000-00-00",
        "email": "buhgalteriya-otdel@ochen-dlinny-domen.example.org",
        "utm_source": "catalogue",
        "tags": "опт, срочно",
    }
    await office.system.do(CreateLead(values={**values, "title": "Шлюпка"}))
    lead_id = (await office.system.do(CreateLead(values=values)))[0]
    options = {"has_touch": True, "is_mobile": True} if width < 720 else {}
    page = await enter(
        "Max", "/leads", viewport={"width": width, "height": 844}, locale=language, **options
    )
    wrong_words = foreign_words() if language == "ru" else set()
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    found: dict[str, object] = {}

    async def look(path: str) -> None:
        await page.goto(f"{office.url}{path}")
        await page.evaluate(
            "document.querySelectorAll('main details').forEach((one) => one.open = 1)"
        )
        if folder:
            name = f"{language}-{theme}-{width}-{path.strip('/').replace('/', '-')}.png"
            await page.screenshot(path=Path(folder) / name, full_page=True)
        wrong: list[object] = [*sorted(wrong_words & set(await page.evaluate(SAID)))]
        wrong += await page.evaluate(CUT)
        wrong += await serious(page)
        if too_wide := await page.evaluate(WIDE):
            wrong.append(f"scrolls sideways by {too_wide}")
        if wrong:
            found[path] = wrong

    await look("/leads")
    await look(f"/leads/{lead_id}")
    made = {"ru": "Сделать клиентом", "en": "Convert"}[language]
    await page.get_by_role("button", name=made, exact=True).click()
    client = page.locator("main a[href^='/clients/']").first
    path = str(await client.get_attribute("href"))
    for one in (f"/leads/{lead_id}", path, "/clients", "/leads?view=bin"):
        await look(one)
    assert found == {}
