"""Two people of two channels are one: looked at before, merged, answered, and two again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from crm_store import duplicates
from hub import (
    AddAddress,
    Address,
    Contact,
    ContactId,
    CreateClient,
    CreateContact,
    CreateObject,
    UpdateContact,
    UpdateProfile,
)
from tests.browser.conftest import Enter
from tests.browser.office import Office, Post
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words
from tests.houses import until

pytestmark = [pytest.mark.browser]


async def contact_of(office: Office, dialog: int) -> Contact:
    found = await office.system.dialog(dialog)  # type: ignore[arg-type]
    one: Contact = await office.system.contact(ContactId(found.contact_id))
    return one


async def test_two_people_become_one_are_answered_and_become_two(
    office: Office, enter: Enter
) -> None:
    boat = await office.writes("Anna Petrova", "How much is a boat?")
    anna = await contact_of(office, boat)
    mail = Address(kind="email", value="anna@petrova.example", name="Анна Петрова")
    other = ContactId(
        (await office.system.do(CreateContact(name="Анна Петрова", addresses=(mail,))))[0]
    )
    await office.system.do(UpdateContact(contact_id=other, position="captain"))
    # The same name in two alphabets is a suggestion in the card beside the dialog.
    await until(lambda: office.system.read(duplicates.pairs_of, "contact", anna.id))
    page = await enter("Max", f"/inbox/{boat}")
    suggestion = page.locator("#card-pane .suggestion")
    await expect(suggestion).to_contain_text("Анна Петрова")
    # One key makes the two one, and it is taken back where it was done.
    await page.keyboard.press("y")
    await expect(page.locator("#card-pane h2")).to_have_text("Анна Петрова")
    assert (await office.system.contact(anna.id)).id == other
    await page.locator(".toast").get_by_role("button", name="Undo").click()
    await expect(page.locator("#card-pane h2")).to_have_text("Anna Petrova")
    await expect(suggestion).to_contain_text("Анна Петрова")
    await page.goto(f"{office.url}/contacts/{anna.id}")
    await page.locator(".likely").get_by_role("link", name="Merge", exact=True).click()
    await expect(page.locator("form .moves")).to_contain_text("Addresses: 1")
    await page.locator(".merge-field", has_text="Name").get_by_text("Анна Петрова").click()
    await page.get_by_role("button", name="Merge the cards").click()
    await expect(page.locator("h1")).to_have_text("Анна Петрова")
    await expect(page.locator(".addresses")).to_contain_text("anna@petrova.example")
    assert (await office.system.contact(other)).id == anna.id
    await page.goto(f"{office.url}/contacts/{other}")
    await expect(page).to_have_url(f"{office.url}/contacts/{anna.id}")
    # Answered as one, in the place that was written from.
    await page.goto(f"{office.url}/inbox/{boat}")
    await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
    await page.locator("#text").fill("A hundred")
    await page.keyboard.press("Control+Enter")
    await until(lambda: any(one.text == "A hundred" for one in Post.sent))
    await page.locator("[data-do='person'][aria-pressed]").click()
    await expect(page.locator("#person-entries .event.message").first).to_be_visible()
    await page.goto(f"{office.url}/contacts/{anna.id}")
    await expect(page.locator("#timeline")).to_contain_text("A hundred")
    await page.get_by_role("button", name="Undo the merge").click()
    await expect(page.locator("h1")).to_have_text("Anna Petrova")
    told = page.locator(".banner.good")
    await expect(told.get_by_role("link", name="Анна Петрова")).to_be_visible()
    back: Contact = await office.system.contact(other)
    assert (back.id, back.name, [one.value for one in back.addresses]) == (
        other,
        "Анна Петрова",
        ["anna@petrova.example"],
    )


@pytest.mark.parametrize(("language", "theme", "width"), [("ru", "dark", 390)])
async def test_cards_of_people_fit_and_speak_one_language(
    office: Office, enter: Enter, language: str, theme: str, width: int
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language=language, theme=theme))
    dialog = await office.writes("Константин Рождественский", "Позвоните: +7 912 345-67-89")
    one = await contact_of(office, dialog)
    phone = Address(kind="phone", value="+79051112233")
    twin = (
        await office.system.do(CreateContact(name="Konstantin Rozhdestvenskii", addresses=(phone,)))
    )[0]
    client = (await office.system.do(CreateClient(name="Гавань", contact_id=one.id)))[0]
    await office.system.do(
        AddAddress(contact_id=one.id, address=Address(kind="email", value="k@gavan.example")),
        UpdateContact(contact_id=one.id, values={"is_key": True, "birthday": "1980-05-01"}),
        CreateObject(
            kind="meeting",
            values={"title": "Осмотр лодки", "at": 1_700_000_000_000_000, "contact_id": one.id},
            object_id=7,
        ),
    )
    await until(lambda: office.system.read(duplicates.pairs_of, "contact", one.id))
    options = {"has_touch": True, "is_mobile": True} if width < 720 else {}
    page = await enter(
        "Max", "/contacts", viewport={"width": width, "height": 844}, locale=language, **options
    )
    wrong_words = foreign_words()
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    found: dict[str, object] = {}

    async def look(path: str) -> None:
        await page.goto(f"{office.url}{path}")
        await page.evaluate(
            "document.querySelectorAll('main details').forEach((one) => one.open = 1)"
        )
        if folder:
            name = f"{language}-{theme}-{width}-{path.strip('/').replace('/', '-')[:40]}.png"
            await page.screenshot(path=Path(folder) / name.replace("?", "-"), full_page=True)
        wrong: list[object] = [*sorted(wrong_words & set(await page.evaluate(SAID)))]
        wrong += await page.evaluate(CUT)
        wrong += await serious(page)
        if too_wide := await page.evaluate(WIDE):
            wrong.append(f"scrolls sideways by {too_wide}")
        if wrong:
            found[path] = wrong

    for path in (
        "/contacts",
        f"/contacts/{one.id}",
        f"/contacts/{one.id}/merge",
        f"/contacts/{one.id}/merge?with={twin}",
        f"/clients/{client}",
        "/duplicates",
        "/inbox?view=unlinked",
        f"/inbox/{dialog}",
        "/meetings/7",
        "/meetings/calendar?month=2023-11",
    ):
        await look(path)
    assert found == {}
