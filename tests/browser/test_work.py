"""Roles, routing and absences as their users meet them: what may not be seen is not seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub import (
    ROLES,
    AssignDialog,
    CreateLead,
    SaveRole,
    Scope,
    SendMessage,
    UpdateProfile,
    UpdateUser,
)
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


async def rows(page: Page) -> set[str]:
    found = await page.locator("#rows .row").all_inner_texts()
    return {name for name in ("Anna", "Boris") if any(name in one for one in found)}


async def _is_written(page: Page) -> bool:
    await page.reload()
    return await page.get_by_role("link", name="Download").is_visible()


async def test_a_role_that_may_not_see_does_not_see(office: Office, enter: Enter) -> None:
    """Page, live stream, search, API, export; then an administrator looks with the same eyes."""
    anna = await office.writes("Anna", "a platypus for me")
    boris = await office.writes("Boris", "a platypus for him")
    own = {"dialogs": Scope.OWN, "leads": Scope.OWN, "contacts": Scope.OWN}
    await office.system.do(SaveRole(name="Own", based_on="agent", scopes=own))
    await office.system.do(UpdateUser(user_id=office.users["Vera"], role="Own"))
    await office.system.do(AssignDialog(dialog_id=anna, user_id=office.users["Vera"]))
    page = await enter("Vera", "/inbox?view=all")
    assert await rows(page) == {"Anna"}
    # Live: what she may not see does not reach her; what is given to her comes, and goes again.
    await office.writes("Boris", "another platypus")
    await office.writes("Anna", "and a second word")
    await expect(page.locator(f"#row-{anna}")).to_contain_text("second word")
    assert await rows(page) == {"Anna"}
    await office.system.do(AssignDialog(dialog_id=boris, user_id=office.users["Vera"]))
    await expect(page.locator(f"#row-{boris}")).to_be_visible()
    await office.system.do(AssignDialog(dialog_id=boris, user_id=office.users["Oleg"]))
    await expect(page.locator(f"#row-{boris}")).to_have_count(0)
    answer = await page.request.get(f"{office.url}/inbox/{boris}")
    assert answer.status == 404
    await page.goto(f"{office.url}/search?q=platypus")
    await expect(page.locator("main")).to_contain_text("Anna")
    assert "Boris" not in await page.locator("main").inner_text()
    found = await (await page.request.get(f"{office.url}/api/v1/search?q=platypus")).json()
    assert {one["dialog"]["id"] for one in found["messages"]} == {str(anna)}
    # Without the right there is no file; with it there is no more in one than on the screens.
    for name, owner in (("Anna", "Vera"), ("Boris", "Oleg")):
        values = {"title": f"{name}'s boat", "owner_id": str(office.users[owner])}
        await office.system.do(CreateLead(values=values))
    for path in ("contacts?as=csv", "exports", "api/v1/leads/export"):
        assert (await page.request.get(f"{office.url}/{path}")).status == 403, path
    rights = ROLES["agent"].permissions | {"lists.export"}
    await office.system.do(SaveRole(name="Own", permissions=rights))
    for path in ("contacts?as=csv", "leads?as=csv", "api/v1/leads/export"):
        text = await (await page.request.get(f"{office.url}/{path}")).text()
        assert ("Anna" in text, "Boris" in text) == (True, False), path
    await page.goto(f"{office.url}/exports")
    await page.get_by_role("button", name="Export", exact=True).click()
    assert await until(lambda: _is_written(page), "the list was not written")
    async with page.expect_download() as given:
        await page.get_by_role("link", name="Download").click()
    text = (await (await given.value).path()).read_text("utf-8-sig")
    assert ("Anna" in text, "Boris" in text) == (True, False)
    # The administrator sees everything, and with her eyes what she sees.
    boss = await enter("Max", "/settings/roles/Own")
    await boss.get_by_role("button", name="Look with its eyes").click()
    await expect(boss.locator("#eyes")).to_contain_text("Nothing can be changed")
    refused = await boss.request.get(f"{office.url}/settings/users/{office.users['Vera']}")
    assert refused.status == 403
    await boss.goto(f"{office.url}/inbox?view=all")
    assert await rows(boss) == set()
    await boss.locator("#eyes").get_by_role("button").click()
    await boss.wait_for_url("**/settings/roles")
    await boss.goto(f"{office.url}/inbox?view=all")
    assert await rows(boss) == {"Anna", "Boris"}


async def test_new_dialogs_find_who_is_at_work(office: Office, enter: Enter) -> None:
    boss = await enter("Max", "/settings/routing")
    form = boss.locator(f"#account-{office.boats}")
    await form.get_by_label("Then to whom").select_option("evenly")
    await form.get_by_role("button", name="Save").click()
    await expect(boss.locator(".banner.good")).to_be_visible()
    page = await enter("Vera", "/inbox?view=mine")
    first = await office.writes("Anna", "is anybody there?")
    await boss.goto(f"{office.url}/inbox/{first}")
    await expect(boss.locator(".hist", has_text="nobody is there")).to_have_count(1)
    # She comes to work by the key of the frame; what waited is hers.
    await page.keyboard.press("Shift+W")
    await page.locator("#desk-menu").get_by_role("button", name="At work").click()
    await expect(page.locator("[data-desk]")).to_contain_text("At work")
    await expect(page.locator(f"#row-{first}")).to_be_visible()
    await page.goto(f"{office.url}/inbox/{first}")
    await expect(page.locator(".hist", has_text="Given to Vera")).to_have_count(1)
    await office.hands_of("Vera").do(SendMessage(dialog_id=first, text="yes"))
    await boss.goto(f"{office.url}/settings/desks")
    await expect(boss.locator("tr", has_text="Vera")).to_contain_text("1")


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("ru", "dark", 390), ("en", "light", 1440)]
)
async def test_screens_of_work_fit_and_speak_one_language(
    office: Office, enter: Enter, language: str, theme: str, width: int
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language=language, theme=theme))
    await office.system.do(
        SaveRole(name="Ночная смена", based_on="agent", scopes={"dialogs": Scope.TEAM})
    )
    options = {"has_touch": True, "is_mobile": True} if width < 720 else {}
    page = await enter(
        "Max", "/settings/roles", viewport={"width": width, "height": 844}, **options
    )
    wrong_words = foreign_words() if language == "ru" else set()
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    found: dict[str, object] = {}
    for path in ("roles", "roles/Ночная смена", "desks", "routing", "absences", "handovers"):
        await page.goto(f"{office.url}/settings/{path}")
        if folder:
            name = f"{language}-{theme}-{width}-{path.replace('/', '-')}.png"
            await page.screenshot(path=Path(folder) / name, full_page=True)
        wrong: list[object] = [*sorted(wrong_words & set(await page.evaluate(SAID)))]
        wrong += await page.evaluate(CUT)
        wrong += await serious(page)
        if too_wide := await page.evaluate(WIDE):
            wrong.append(f"scrolls sideways by {too_wide}")
        if wrong:
            found[path] = wrong
    assert found == {}
