"""What is drawn anew while somebody has a hand on it, or while the page still comes."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from hub import AssignDialog, RouteDialog, SetDialogStatus
from hub.web.live_connection import RESYNC
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]
MORE = "button[popovertarget=more-menu]"
HEARD = """async () => {
  const { onItems } = await import('hub/live');
  window.heard = [];
  onItems((items) => window.heard.push(...items.map((one) => one.k)));
}"""


async def heard(page: Page, *kinds: str) -> bool:
    """Whether the stream has brought such items since `HEARD`."""
    items = await page.evaluate("window.heard")
    return all(items.count(one) >= kinds.count(one) for one in kinds)


async def hand_over(office: Office, page: Page, dialog: int, name: str) -> None:
    """Change what the head shows, and wait until it does."""
    await office.system.do(AssignDialog(dialog_id=dialog, user_id=office.users[name]))  # type: ignore[arg-type]
    await expect(page.locator(".thread-head .assignee")).to_contain_text(name)


async def test_an_open_menu_and_the_keyboard_in_it_outlive_a_redraw(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    more, menu = page.locator(f".thread-head {MORE}"), page.locator("#more-menu")
    waits = menu.locator("[data-do=waiting]")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(waits).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(menu.locator("[data-do=snooze]")).to_be_focused()
    await hand_over(office, page, dialog, "Oleg")
    await office.system.do(SetDialogStatus(dialog_id=dialog, status="waiting"))
    await expect(page.locator(".thread-head .status.waiting")).to_be_visible()
    await hand_over(office, page, dialog, "Vera")
    await expect(menu.locator("[data-do=snooze]")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    # Back where one came from; and the menu is the dialog's of now.
    await expect(more).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(menu.locator("[data-do=snooze]")).to_be_focused()
    await expect(waits).to_have_count(0)


async def test_a_press_that_has_begun_outlives_a_redraw(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    assignee = page.locator(".thread-head .assignee")
    for name, pressed, menu in (("Vera", MORE, "more"), ("Oleg", ".assignee", "assign")):
        await page.evaluate(HEARD)
        await page.locator(f".thread-head {pressed}").hover()
        await page.mouse.down()
        await office.system.do(AssignDialog(dialog_id=dialog, user_id=office.users[name]))
        await until(lambda: heard(page, "head"), "the stream said nothing")
        # Longer than a dialog needs to be read again.
        await asyncio.sleep(0.5)
        await page.mouse.up()
        await expect(page.locator(f"#{menu}-menu")).to_be_visible()
        await expect(assignee).to_contain_text(name)
        await expect(page.locator(f"#{menu}-menu")).to_be_visible()
        await page.keyboard.press("Escape")


async def test_what_happens_while_a_page_still_comes_is_shown(office: Office, enter: Enter) -> None:
    """The stream is quicker than the modules that draw: nobody was found, and it is said."""
    dialog = await office.writes("Ivan Petrov", "Is anybody there?")
    page = await enter("Max", "/settings/profile")
    may_go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_go_on.wait()
        await route.continue_()

    await page.route("**/js/inbox/list*", hold)
    await page.goto(f"{office.url}/inbox/{dialog}", wait_until="commit")
    await expect(page.locator("#text")).to_be_attached()
    await page.evaluate(HEARD)
    assert await office.system.do(RouteDialog(dialog_id=dialog, mode="evenly")) == [0]
    meanwhile = await office.writes("Maria Orlova", "I am new")
    await until(lambda: heard(page, "head", "row", "row"), "the stream said nothing")
    may_go_on.set()
    await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
    await expect(page.locator(".hist", has_text="nobody is there")).to_have_count(1)
    await expect(page.locator(f"#row-{meanwhile}")).to_be_visible()


async def test_that_nobody_was_found_is_said_on_an_open_page(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Is anybody there?")
    page = await enter("Max", f"/inbox/{dialog}")
    await office.system.do(RouteDialog(dialog_id=dialog, mode="evenly"))
    await expect(page.locator(".hist", has_text="nobody is there")).to_have_count(1)


async def test_a_list_that_was_read_late_does_not_undo_what_the_stream_told(
    office: Office, enter: Enter
) -> None:
    old = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera")
    read, may_go_on = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await may_go_on.wait()
        await route.fulfill(response=answer)

    await page.route("**/inbox/rows?*", late)
    live = office.app.state.live
    await until(lambda: live.connections == 1, "the stream did not begin")
    for one in live._connections.values():
        one.put("resync", RESYNC)
    await asyncio.wait_for(read.wait(), 30)
    fresh = await office.writes("Maria Orlova", "I am new")
    await expect(page.locator(f"#row-{fresh}")).to_be_visible()
    await page.evaluate(f"document.getElementById('row-{old}').dataset.before = 'yes'")
    may_go_on.set()
    await expect(page.locator("#rows [data-before]")).to_have_count(0)
    await expect(page.locator(f"#row-{fresh}")).to_be_visible()
