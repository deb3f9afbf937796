"""The inbox on a phone: one pane at a time, real back navigation, targets for thumbs."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.office import Office

pytestmark = [pytest.mark.browser]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def test_one_pane_at_a_time_with_real_back_navigation(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello from a phone")
    page = await enter("Vera", "/inbox", **PHONE)
    await expect(page.locator(".tabbar")).to_be_visible()
    await expect(page.locator(".thread-pane")).to_be_hidden()
    await page.locator(f"#row-{dialog}").tap()
    await expect(page.locator("h1")).to_have_text("Ivan Petrov")
    await expect(page.locator(".list-pane")).to_be_hidden()
    await expect(page.locator(".tabbar")).to_be_hidden()
    await page.go_back()
    await expect(page.locator(".list-pane")).to_be_visible()
    await expect(page.locator(".thread-pane")).to_be_hidden()
    await page.go_forward()
    await expect(page.locator("h1")).to_have_text("Ivan Petrov")
    await page.locator(".thread-head .back").tap()
    await expect(page.locator(".list-pane")).to_be_visible()


async def test_a_long_dialog_opens_at_its_end(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Message 0")
    for number in range(1, 30):
        await office.writes("Ivan Petrov", f"Message {number}")
    await office.hands_of("Vera").do(read(dialog, (await office.messages(dialog))[-1].id))
    page = await enter("Vera", "/inbox", **PHONE)
    await page.locator(f"#row-{dialog}").tap()
    await expect(page.get_by_text("Message 29", exact=True).last).to_be_in_viewport()


def read(dialog: object, message: object) -> object:
    from hub import MarkRead

    return MarkRead(dialog_id=dialog, message_id=message)  # type: ignore[arg-type]


async def test_thumbs_hit_what_they_aim_at_and_nothing_scrolls_sideways(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes(
        "A very long name of a person who writes to us often",
        "https://example.com/" + "long" * 60,
    )
    page = await enter("Vera", "/inbox", **PHONE)
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(wide)
    await page.locator(f"#row-{dialog}").tap()
    await expect(page.locator("#text")).to_be_visible()
    assert not await page.evaluate(wide)
    small = await page.evaluate(
        """() => [...document.querySelectorAll('.thread-head button, .thread-head a, #composer .btn')]
          .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 40)
          .map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert small == []
    size = await page.evaluate("getComputedStyle(document.getElementById('text')).fontSize")
    # A smaller one makes phones zoom in when it is touched.
    assert size == "16px"


async def test_the_card_slides_over_and_away(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}", **PHONE)
    await expect(page.locator("#card-pane")).to_be_hidden()
    await page.locator(".thread-head .title [data-do=card]").tap()
    await expect(page.locator("#card-pane h2")).to_have_text("Ivan Petrov")
    await page.locator("#card-pane .close-card").tap()
    await expect(page.locator("#card-pane")).to_be_hidden()


async def test_russian_fits_a_phone(office: Office, enter: Enter) -> None:
    await office.hire("Анна", language="ru")
    dialog = await office.writes("Иван Петров", "Здравствуйте")
    page = await enter("Анна", f"/inbox/{dialog}", **PHONE)
    await expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    button = page.get_by_role("button", name="Отправить и…")
    await expect(button).to_be_in_viewport(ratio=1)
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
