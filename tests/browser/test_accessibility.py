"""axe-core over every screen: no serious finding, in either theme and either language."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from hub import AddNote, Address, SaveTeam, SaveView, TagDialog, UpdateProfile
from hub.web.first_run import new_setup_link
from tests.browser.conftest import Enter
from tests.browser.office import Complaints, Office
from tests.browser.test_first_run import House, newborn  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser]
AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*/axe.min.js")).read_text("utf-8")
RUN = """async (rules) => {
  const found = await axe.run(document, {
    resultTypes: ['violations'],
    runOnly: rules || ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return found.violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map(
    (one) => one.id + ': ' + one.nodes.slice(0, 3).map(
      (node) => node.target.join(' ') + ' ' + (node.any[0]?.message || '')).join(' | '));
}"""
TURN = "document.documentElement.dataset.theme = "
LANGUAGES = ["ru", pytest.param("en", marks=pytest.mark.soak)]


async def serious(page: Page) -> list[str]:
    """What axe finds on a page, serious and critical only: in light colours and in dark ones."""
    # A colour half-way through a transition is no colour of ours.
    await page.emulate_media(reduced_motion="reduce", color_scheme="light")
    await page.evaluate(AXE)
    was = await page.evaluate("document.documentElement.dataset.theme")
    await page.evaluate(TURN + "'light'")
    found: list[str] = await page.evaluate(RUN)
    await page.evaluate(TURN + "'dark'")
    # Only colours differ from theme to theme.
    found += [f"dark {one}" for one in await page.evaluate(RUN, ["color-contrast"])]
    await page.evaluate(TURN + f"'{was or 'system'}'")
    return found


async def furnish(office: Office, language: str) -> int:
    """Something of everything that the inbox draws; gives the dialog with most of it."""
    max_ = office.hands_of("Max")
    await max_.do(
        UpdateProfile(language=language, preferences={"undo_seconds": 0}),
        SaveTeam(name="Первая линия", members=tuple(office.users.values())),
        SaveView(name="Все письма", filter={"query": f"account={office.letters}"}),
    )
    await office.writes("Мария Орлова", "Когда привезут заказ 1042?")
    await office.writes("John Miller", "Could you send me the invoice again, please?")
    dialog = await office.writes(
        "Ivan Petrov",
        "See https://example.com/blue please",
        account=office.letters,
        subject="Two boats",
        html="<p>See <a href='https://example.com/blue'>this</a> please</p>",
        to=(Address(kind="email", value="desk@boats.example"),),
        cc=(Address(kind="email", value="olga@example.org", name="Olga"),),
    )
    await office.answers("Oleg", dialog, "It is still there.")
    await office.writes("Ivan Petrov", "Thank you!", account=office.letters)
    await max_.do(
        AddNote(dialog_id=dialog, text="Mind the price", mentions=(office.users["Vera"],)),
        TagDialog(dialog_id=dialog, add=("VIP", "доставка")),
    )
    return int(dialog)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_list_and_a_dialog(office: Office, enter: Enter, language: str) -> None:
    dialog = await furnish(office, language)
    page = await enter("Max")
    assert await serious(page) == [], "the list"
    await page.locator(f"#row-{dialog}").click()
    await expect(page.locator(".msg")).not_to_have_count(0)
    assert await serious(page) == [], "a dialog"
    await page.locator("button[data-mode=note]").click()
    await page.locator("#text").fill("Seen by @")
    assert await serious(page) == [], "a note"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_menus_and_sheets(office: Office, enter: Enter, language: str) -> None:
    dialog = await furnish(office, language)
    page = await enter("Max", f"/inbox/{dialog}")
    for name in ("views", "sorts", "more-menu", "snooze-menu", "assign-menu", "later-menu"):
        await page.evaluate(f"document.getElementById('{name}').showPopover()")
        assert await serious(page) == [], f"the menu {name}"
        await page.evaluate(f"document.getElementById('{name}').hidePopover()")
    await page.locator("#log").focus()
    for key in ("?", "Control+k"):
        await page.keyboard.press(key)
        await expect(page.locator("dialog.sheet")).to_be_visible()
        assert await serious(page) == [], key
        await page.keyboard.press("Escape")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_search_and_the_people(office: Office, enter: Enter, language: str) -> None:
    dialog = await furnish(office, language)
    page = await enter("Max", "/contacts")
    contact = (await office.system.dialog(dialog)).contact_id  # type: ignore[arg-type]
    found = {}
    for path in ("/search?q=please", "/search?q=zzzz", "/inbox/new", f"/contacts/{contact}"):
        await page.goto(office.url + path)
        if wrong := await serious(page):
            found[path] = wrong
    assert found == {}


async def test_a_page_that_is_not_there(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    complaints.forgive("status of 404")
    page = await enter("Max", "/nothing-is-here")
    assert await serious(page) == []


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.soak)])
async def test_the_doors(
    newborn: tuple[House, str],  # noqa: F811 - the fixture
    chromium: Browser,
    complaints: Complaints,
    width: int,
) -> None:
    house, url = newborn
    context = await chromium.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    complaints.watch(page, url)
    await page.goto(url + "/")
    assert await serious(page) == [], "not set up yet"
    await page.goto(await asyncio.to_thread(new_setup_link, house.runtime))
    assert await serious(page) == [], "the set-up"
    await page.locator("#f-organisation").fill("Boats")
    await page.locator("#f-name").fill("Ada")
    await page.locator("#f-email").fill("ada@example.org")
    await page.locator("#f-password").fill("a long enough word")
    await page.locator("button[type=submit]").click()
    await page.wait_for_url("**/welcome")
    assert await serious(page) == [], "welcome"
    # A page of ours would notice that its session is gone, and go to the login by itself.
    await page.goto("about:blank")
    await context.clear_cookies()
    await page.goto(url + "/login")
    assert await serious(page) == [], "login"
    await context.close()
