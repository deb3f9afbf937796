"""The live inbox: nobody presses F5, not after sleep, not in the tenth tab, not in a storm."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Error, Page, Route, expect

from hub import AssignDialog, RetryDelivery, SetDialogStatus
from tests.browser.conftest import Enter
from tests.browser.office import Complaints, Office, Post, open_office
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]
# What Chromium says of requests that were on their way when the network went.
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "net::ERR", "error occurred when fetching the script")
NAMES = ["Anna", "Boris", "Clara", "Denis", "Emma", "Fedor", "Galina", "Henry"]


async def order(page: Page) -> list[str]:
    return await page.locator("#rows .row .name").all_inner_texts()


async def test_the_list_is_not_moved_under_the_pointer(office: Office, enter: Enter) -> None:
    dialogs = [await office.writes(name, f"I am {name}") for name in NAMES[:4]]
    page = await enter("Vera")
    before = await order(page)
    assert before == ["Denis", "Clara", "Boris", "Anna"]
    await page.locator(f"#row-{dialogs[1]}").hover()
    row = page.locator(f"#row-{dialogs[0]}")
    drawn = await row.evaluate_handle("(one) => one")
    await office.writes("Anna", "Me again")
    await office.writes("Emma", "And I am new")
    pill = page.locator("#newpill")
    await expect(pill).to_have_text("2 new ↑")
    assert await order(page) == before
    # The row itself tells at once what was said, and stays the element that it was.
    await expect(row.locator(".preview")).to_have_text("Me again")
    assert await drawn.evaluate("(one) => one.isConnected")
    await page.mouse.move(900, 400)
    await expect(page.locator("#rows .row .name").first).to_have_text("Emma")
    assert await order(page) == ["Emma", "Anna", "Denis", "Clara", "Boris"]
    await expect(pill).to_be_hidden()


async def test_rows_leave_and_join_the_view_they_belong_to(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Mine, please")
    page = await enter("Vera", "/inbox?view=mine")
    await expect(page.locator("#rows .row")).to_have_count(0)
    await office.system.do(AssignDialog(dialog_id=dialog, user_id=office.users["Vera"]))
    await expect(page.locator(f"#row-{dialog}")).to_be_visible()
    await expect(page.locator(".view-button [data-count]")).to_have_text("1")
    await office.system.do(SetDialogStatus(dialog_id=dialog, status="closed"))
    await expect(page.locator(f"#row-{dialog}")).to_have_count(0)
    await expect(page.get_by_text("All answered")).to_be_visible()
    await expect(page.locator(".view-button [data-count]")).to_have_text("0")


async def test_colleagues_see_who_looks_and_who_writes(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    vera = await enter("Vera", f"/inbox/{dialog}")
    list_only = await enter("Max")
    oleg = await enter("Oleg", f"/inbox/{dialog}")
    await expect(vera.locator("[data-presence]")).to_have_text("Oleg looks at this too")
    await oleg.locator("#text").press_sequentially("I will")
    await expect(vera.locator("[data-presence]")).to_have_text("Oleg is answering")
    await expect(vera.locator("#colleague")).to_contain_text("Oleg is writing an answer right now")
    await expect(list_only.locator(f"#row-{dialog} [data-here]")).to_contain_text(
        "Oleg is answering"
    )


async def test_every_part_of_the_screen_is_about_one_dialog(office: Office, enter: Enter) -> None:
    dialogs = [await office.writes(name, f"I am {name}") for name in NAMES[:6]]
    page = await enter("Vera")
    for dialog in [*dialogs, *reversed(dialogs)]:
        await page.locator(f"#row-{dialog}").click()
        await expect(page.locator(f"#dialog-{dialog}")).to_be_visible()
        parts = await page.evaluate(
            "[...document.querySelectorAll('#inbox [data-dialog-part]')]"
            ".map((one) => one.dataset.dialogPart)"
        )
        assert parts
        assert set(parts) == {str(dialog)}


async def test_a_lost_connection_is_said_and_made_good(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    # A beat of the stream that was lost may find it gone: that is how the page learns it (410).
    complaints.forgive(*OFFLINE, "status of 410")
    dialog = await office.writes("Ivan Petrov", "Before the tunnel")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in")).to_have_count(1)
    await page.context.set_offline(True)
    bar = page.locator("#connection")
    await expect(bar).to_contain_text("Reconnecting")
    await office.writes("Ivan Petrov", "In the tunnel")
    fresh = await office.writes("Maria Orlova", "A new person meanwhile")
    await page.context.set_offline(False)
    await expect(page.locator(".msg.in .text")).to_have_text(["Before the tunnel", "In the tunnel"])
    await expect(page.locator(f"#row-{fresh}")).to_be_visible()
    await expect(bar).to_be_hidden()


async def test_after_sleep_and_on_a_dead_line_the_inbox_asks_again(
    office: Office, enter: Enter
) -> None:
    """The network may forget a stream without a word: no error, no end, only silence."""
    page = await enter("Vera", "/settings/profile")
    await page.clock.install()
    await page.goto(f"{office.url}/inbox")
    first = await office.writes("Ivan Petrov", "Before the lid was closed")
    await expect(page.locator(f"#row-{first}")).to_be_visible()
    office.app.state.live._connections.clear()
    second = await office.writes("Maria Orlova", "While the computer slept")
    await page.clock.fast_forward(120_000)
    await expect(page.locator(f"#row-{second}")).to_be_visible()
    await until(lambda: streams_are(office, 1), "the stream did not come back")
    office.app.state.live._connections.clear()
    third = await office.writes("Anna", "Over a line that is dead")
    # Nobody slept; only the hub says nothing any more.
    await page.clock.run_for(60_000)
    await expect(page.locator(f"#row-{third}")).to_be_visible()


async def test_what_was_read_late_does_not_undo_what_the_stream_told(
    office: Office, enter: Enter
) -> None:
    """A dialog is read again while its message leaves; the answer is older than the stream."""
    dialog = await office.writes("Ivan Petrov", "Hello")
    Post.outcome = "failed"
    await office.answers("Oleg", dialog, "On its way")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.failed")).to_be_visible()
    read, may_go_on = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await may_go_on.wait()
        await route.fulfill(response=answer)

    await page.route(f"**/inbox/dialog/{dialog}", late)
    await office.system.do(AssignDialog(dialog_id=dialog, user_id=office.users["Vera"]))
    await asyncio.wait_for(read.wait(), 30)
    Post.outcome = "sent"
    message = await office.wait_message(dialog, "On its way")
    await office.hands_of("Oleg").do(RetryDelivery(message_id=message.id))
    await expect(page.locator(".msg.out [aria-label=Sent]")).to_be_visible()
    may_go_on.set()
    await expect(page.locator(".thread-head .assignee")).to_contain_text("Vera")
    await expect(page.locator(".msg.out [aria-label=Sent]")).to_be_visible()


async def test_a_gap_that_is_too_large_reads_list_and_dialog_again(
    office: Office, enter: Enter, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints.forgive(*OFFLINE)
    monkeypatch.setattr("hub.web.live.MAX_GAP", 3)
    dialog = await office.writes("Ivan Petrov", "One")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in")).to_have_count(1)
    await page.context.set_offline(True)
    await expect(page.locator("#connection")).to_be_visible()
    for number in range(6):
        await office.writes("Ivan Petrov", f"More {number}")
        await office.writes(NAMES[number], "Hello")
    await page.context.set_offline(False)
    await expect(page.locator(".msg.in")).to_have_count(7)
    await expect(page.locator("#rows .row")).to_have_count(7)


async def streams(office: Office) -> int:
    return int(office.app.state.live.connections)


async def ten_tabs(office: Office, first: Page, url: str) -> None:
    pages = [first]
    for _ in range(9):
        page = await first.context.new_page()
        await page.goto(url)
        pages.append(page)
    await asyncio.gather(
        *(expect(one.locator("html[data-ready=inbox]")).to_have_count(1) for one in pages)
    )
    await until(lambda: streams_are(office, 1), "there is not one stream")
    dialog = await office.writes("Ivan Petrov", "To all tabs")
    for page in pages:
        await expect(page.locator(f"#row-{dialog}")).to_have_count(1)
    # The leader leaves: another tab takes over and nothing is missed.
    await first.close()
    fresh = await office.writes("Maria Orlova", "After the leader")
    for page in pages[1:]:
        await expect(page.locator(f"#row-{fresh}")).to_have_count(1)
    await until(lambda: streams_are(office, 1), "there is not one stream any more")


def streams_are(office: Office, count: int) -> bool:
    return int(office.app.state.live.connections) == count


async def test_ten_tabs_share_one_stream_and_inherit_it(office: Office, enter: Enter) -> None:
    await ten_tabs(office, await enter("Vera"), f"{office.url}/inbox")


async def test_ten_tabs_share_one_stream_on_plain_http(
    tmp_path: Path, database_url: str, chromium: Browser, complaints: Complaints
) -> None:
    """An address that is neither https nor localhost: no locks, no service worker."""
    complaints.forgive("Cross-Origin-Opener-Policy")
    async with open_office(tmp_path, database_url) as office:
        context = await chromium.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        # A name of the LAN, resolved by the browser's own rule to this machine.
        url = f"http://hub.lan.test:{office.port}"
        await office.log_in(context, "Vera", url)
        complaints.watch(page, url)
        await page.goto(f"{url}/inbox")
        assert await page.evaluate("isSecureContext") is False
        assert await page.evaluate("'locks' in navigator") is False
        await expect(page.get_by_text("This page is not encrypted")).to_be_visible()
        await ten_tabs(office, page, f"{url}/inbox")
        await context.close()


async def test_a_user_who_loses_his_rights_is_out_at_once(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    from hub import UpdateUser

    # A request of the page that was on its way may hear of it before the stream does.
    complaints.forgive("status of 401")

    page = await enter("Oleg")
    # His stream lives: what is written now appears by itself.
    dialog = await office.writes("Ivan Petrov", "Hello")
    await expect(page.locator(f"#row-{dialog}")).to_be_visible()
    await office.system.do(UpdateUser(user_id=office.users["Oleg"], active=False))
    await expect(page).to_have_url(re.compile(r"/login\?next=(/|%2F)inbox$"))


async def test_dialogs_of_a_closed_account_do_not_reach_others(
    office: Office, enter: Enter
) -> None:
    from hub import UpdateAccount

    dialog = await office.writes("Ivan Petrov", "For everybody")
    page = await enter("Vera")
    await expect(page.locator(f"#row-{dialog}")).to_be_visible()
    await office.system.do(
        UpdateAccount(account_id=office.letters, members=(office.users["Oleg"],))
    )
    hidden = await office.writes("Secret Person", "For Oleg only", account=office.letters)
    shown = await office.writes("Maria Orlova", "For all again")
    await expect(page.locator(f"#row-{shown}")).to_be_visible()
    await expect(page.locator(f"#row-{hidden}")).to_have_count(0)
    assert "Secret Person" not in await page.content()


async def test_a_window_of_fifty_grows_upwards_on_scroll(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Message 0")
    for number in range(1, 120):
        await office.writes("Ivan Petrov", f"Message {number}")
    page = await enter("Vera", f"/inbox/{dialog}")
    messages = page.locator(".msg.in")
    await expect(messages).to_have_count(50)
    await page.locator("#log").focus()
    await page.evaluate("document.getElementById('log').scrollTop = 0")
    await expect(messages).to_have_count(100)
    # What was read stays where it was.
    assert await page.evaluate("document.getElementById('log').scrollTop") > 500
    await page.evaluate("document.getElementById('log').scrollTop = 0")
    await expect(messages).to_have_count(120)
    texts = await page.locator(".msg.in .text").all_inner_texts()
    assert texts == [f"Message {number}" for number in range(120)]
    await expect(page.locator("[data-day]")).to_have_count(1)
    # Who is back at the end is left with the newest fifty by what comes next; earlier ones come again.
    await page.evaluate("document.getElementById('log').scrollTop = 1e6")
    await office.writes("Ivan Petrov", "Message 120")
    await expect(messages).to_have_count(50)
    await expect(messages.last).to_contain_text("Message 120")
    await expect(messages.last).to_be_in_viewport()
    await expect(page.locator("[data-day]")).to_have_count(1)
    await page.evaluate("document.getElementById('log').scrollTop = 0")
    await expect(messages).to_have_count(100)
    texts = await page.locator(".msg.in .text").all_inner_texts()
    assert texts == [f"Message {number}" for number in range(21, 121)]
    await expect(page.locator("[data-day]")).to_have_count(1)


async def test_reading_above_the_end_is_not_disturbed(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Message 0")
    for number in range(1, 45):
        await office.writes("Ivan Petrov", f"Message {number}")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in")).to_have_count(45)
    await page.evaluate("document.getElementById('log').scrollTop = 300")
    await office.writes("Ivan Petrov", "The newest")
    button = page.locator("[data-do=to-end]")
    await expect(button).to_have_text("1 new ↓")
    assert await page.evaluate("document.getElementById('log').scrollTop") == 300
    await button.click()
    await expect(page.get_by_text("The newest").first).to_be_in_viewport()
    await expect(button).to_be_hidden()


async def test_logging_out_ends_at_the_login_page_however_late_its_answer(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    # The stream of a session that is over is refused.
    complaints.forgive("status of 401")
    page = await enter("Vera", "/settings/profile")
    # Once it has asked for its stream, the page also knows when a form is on its way.
    await until(lambda: streams_are(office, 1), "there is no stream")

    async def answer_late(route: Route) -> None:
        answer = await route.fetch(max_redirects=0)
        # Meanwhile the stream tells this very page that its session is over.
        await asyncio.sleep(1)
        await route.fulfill(response=answer)

    await page.route("**/logout", answer_late)
    await page.locator(".side button", has_text="Log out").click()
    await page.wait_for_url("**/login")


async def test_who_is_put_out_before_his_stream_begins_is_shown_the_door(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    from hub import UpdateUser

    complaints.forgive("status of 401")
    page = await enter("Oleg", "/settings/profile")
    second = await page.context.new_page()
    may_go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_go_on.wait()
        # A page that has left in between asks no more.
        with contextlib.suppress(Error):
            await route.continue_()

    await page.context.route("**/live?*", hold)
    # Two tabs are drawn while he may, and neither has a stream when he may not any more.
    for one in (page, second):
        await one.goto(f"{office.url}/inbox")
        await expect(one.locator("html[data-ready=inbox]")).to_have_count(1)
    await office.system.do(UpdateUser(user_id=office.users["Oleg"], active=False))
    may_go_on.set()
    for one in (page, second):
        await expect(one).to_have_url(re.compile(r"/login\?next=(/|%2F)inbox$"))
    await page.context.unroute_all(behavior="wait")
