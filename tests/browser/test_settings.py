"""Every settings screen in a real browser: both languages, both themes, a phone's width."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from crm_store.users import user as user_of
from hub import SaveTeam, SaveWebhook, TeamId, UpdateProfile
from hub.web.settings.common import MENU
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious

MORE = ("/settings/profile/second", "/settings/channels/new/boat")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "theme"), [pytest.param("en", "dark", marks=pytest.mark.soak), ("ru", "light")]
)
@pytest.mark.parametrize("part", [0, 1])
async def test_no_screen_complains_is_too_wide_or_shuts_anybody_out(
    office: Office, enter: Enter, language: str, theme: str, part: int
) -> None:
    hands = office.hands_of("Max")
    await hands.do(
        UpdateProfile(language=language, theme=theme),
        SaveWebhook(url="https://example.org/" + "a-long-address/" * 10, secret="whsec_AAAA"),
    )
    above = TeamId(0)
    for depth in range(7):
        name = f"Первая линия поддержки {depth}"
        members = tuple(office.users.values())[depth:]
        team = SaveTeam(name=name, members=members, parent_id=above)
        above = TeamId((await hands.do(team))[0])
    page = await enter("Max", "/settings/profile")
    paths = [one.path for one in MENU]
    paths += [*MORE, f"/settings/channels/{office.boats}"]
    paths += [f"/settings/channels/{office.boats}/disconnect"]
    paths += [f"/settings/users/{office.users['Vera']}"]
    found = {}
    for path in paths[part::2]:
        answer = await page.goto(office.url + path)
        assert answer is not None
        assert answer.status == 200, path
        await expect(page.locator("h1").first).to_be_visible()
        if wrong := await serious(page):
            found[path] = wrong
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            wide = await page.evaluate(
                "() => { const p = document.querySelector('.page');"
                " return [document.documentElement.scrollWidth - innerWidth,"
                " p.scrollWidth - p.clientWidth]; }"
            )
            assert wide == [0, 0], f"{path} at {width}"
    assert found == {}
    assert await page.locator("html").get_attribute("lang") == language


@pytest.mark.browser
async def test_a_channel_is_connected_with_the_keyboard_alone(office: Office, enter: Enter) -> None:
    page = await enter("Max", "/settings/channels")
    link = page.locator("a[href='/settings/channels/new/boat']")
    await link.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-account_title")).to_be_visible()
    await page.locator("#f-account_title").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Second boat")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("second@boats.example")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Second boat")
    await expect(page.locator(".settings .banner.good")).to_be_visible()
    titles = {one.title for one in await office.system.accounts()}
    assert "Second boat" in titles


@pytest.mark.browser
async def test_a_setting_is_found_saved_and_not_lost_by_key(office: Office, enter: Enter) -> None:
    page = await enter("Vera", "/settings/channels")
    await expect(page.locator("html[data-ready=settings]")).to_have_count(1)
    await page.keyboard.press("/")
    await page.keyboard.type("signat")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{office.url}/settings/profile#f-signature")
    await expect(page.locator("html[data-ready=settings]")).to_have_count(1)
    await page.locator("#f-signature").fill("Vera, at your service")
    # Leaving with something unsaved is asked about; who stays has lost nothing.
    async with page.expect_event("dialog") as asked:
        page.once("dialog", lambda one: one.dismiss())
        await page.evaluate("document.querySelector('.rail a[href=\"/inbox\"]').click()")
    assert (await asked.value).type == "beforeunload"
    await expect(page.locator("#f-signature")).to_have_value("Vera, at your service")
    await page.locator("#f-signature").press("Control+s")
    await expect(page.locator(".settings .banner.good")).to_be_visible()
    vera = await office.system.read(user_of, office.users["Vera"])
    assert vera.signature == "Vera, at your service"
    # The palette leads there from anywhere; nobody finds what is not his to see.
    await page.goto(f"{office.url}/inbox")
    await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("signature")
    await page.get_by_role("option", name="Signature").click()
    await expect(page).to_have_url(f"{office.url}/settings/profile#f-signature")
    words = await (await page.request.get(f"{office.url}/settings/words")).json()
    assert {one["href"].split("#")[0] for one in words}.isdisjoint(
        {"/settings/tokens", "/settings/webhooks", "/settings/organisation"}
    )
