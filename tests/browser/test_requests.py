"""A request out of a letter that misses its deadline; a task typed in Russian and done by a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path

import pytest
from playwright.async_api import expect

import channels.email
from hub import ChangeObject, CreateAccount, Micros, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words
from tests.servers.certificates import Authority
from tests.servers.fixtures import Mailbox
from tests.wire.email.office import letter
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """A hub that knows mail too."""
    more = ("email", channels.email)
    async with open_office(tmp_path, database_url, "127.0.0.1", more) as running:
        yield running


async def connect(office: Office, mailbox: Mailbox, authority: Authority) -> None:
    """Connect a mailbox of a real mail server; nothing is sent from it."""
    settings = {
        "address": mailbox.address,
        "imap_host": "localhost",
        "imap_port": mailbox.dovecot.imaps_port,
        "imap_password": mailbox.password,
        "smtp_host": "localhost",
        "ca_file": str(authority.ca_file),
    }
    made = await office.system.do(CreateAccount(channel="email", title="Mail", settings=settings))

    async def opened() -> bool:
        return bool((await office.system.account(made[0])).mark)

    await until(opened, "the mailbox was not opened")


async def test_a_request_of_a_letter_misses_its_deadline_and_is_solved(
    mailbox: Mailbox, authority: Authority, office: Office, enter: Enter
) -> None:
    await connect(office, mailbox, authority)
    page = await enter("Max")
    mailbox.deliver(letter("1", "The boat leaks", Subject="A leak", Date=formatdate()))
    await page.locator("#rows .row", has_text="The boat leaks").click()
    await page.wait_for_url("**/inbox/*")
    dialog_url = page.url
    await expect(page.locator(".msg.in")).to_contain_text("The boat leaks")
    await page.keyboard.press("Shift+Q")
    await page.wait_for_url("**/requests/*")
    await expect(page.locator("h1")).to_contain_text("#1001 A leak")
    await page.get_by_role("button", name="Take into work").click()
    await expect(page.locator(".page-head .label")).to_have_text("in work")
    request_id = int(page.url.rsplit("/", 1)[1])
    # Whoever looks at the card has seen what notices tell of it.
    await page.goto(f"{office.url}/day")
    await office.system.do(
        ChangeObject(
            kind="request",
            object_id=request_id,
            values={"solution_due": Micros(office.system.now() + 1_500_000)},
        )
    )
    await expect(page.locator("#bell-count")).to_be_visible()
    await page.goto(f"{office.url}/notices")
    await expect(page.locator(".notice.new")).to_contain_text(
        ["A deadline was missed: A leak", "A deadline is near: A leak"]
    )
    await page.locator(".notice a").first.click()
    await expect(page.locator(".deadlines li.missed")).to_contain_text("overdue")
    await page.get_by_label("A new point").fill("Find the hole")
    await page.locator("button[value=point]").click()
    await page.get_by_role("checkbox", name="Find the hole").check()
    await page.keyboard.press("Shift+P")
    await page.locator("dialog input").fill("a photo")
    await page.keyboard.press("Enter")
    await expect(page.locator(".page-head .label")).to_have_text("waiting for the client")
    await expect(page.locator(".deadlines")).to_contain_text("a photo")
    await page.goto(dialog_url)
    await expect(page.locator("#card-pane .request-line")).to_contain_text("#1001 A leak")
    more = {"Subject": "Re: A leak", "Date": formatdate(), "In_Reply_To": "<1@away.example>"}
    mailbox.deliver(letter("2", "Here", **more))
    await expect(page.locator(".msg.in").last).to_contain_text("Here")
    await page.goto(f"{office.url}/requests/{request_id}")
    await page.get_by_role("button", name="Solved", exact=True).click()
    await page.locator("dialog input").fill("a new plank")
    await page.keyboard.press("Enter")
    await expect(page.locator(".deadlines li.failed")).to_contain_text("too late")
    await page.goto(f"{office.url}/requests?view=solved")
    await expect(page.locator("tbody tr[data-id]")).to_have_count(1)


async def test_a_task_typed_in_russian_is_done_by_a_key_on_every_screen(
    office: Office, enter: Enter
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language="ru", theme="dark"))
    page = await enter("Max", "/day", locale="ru-RU", viewport={"width": 390, "height": 844})
    await expect(page.locator("html[data-ready=day]")).to_have_count(1)
    await expect(page.locator(".empty")).to_contain_text("Вас ничто не ждёт")
    await page.keyboard.press("c")
    await page.keyboard.type("позвонить Анне завтра 15:00 !")
    await page.keyboard.press("Enter")
    task = page.locator("[data-task]")
    await expect(task).to_contain_text("позвонить Анне")
    await expect(task).to_contain_text("важное")
    found: set[str] = set(foreign_words()) & set(await page.evaluate(SAID))
    assert not found
    assert await page.evaluate(CUT) == []
    assert await page.evaluate(WIDE) == 0
    assert await serious(page) == []
    await page.locator("[name=text]").blur()
    await page.keyboard.press("j")
    await page.keyboard.press("Space")
    await expect(task).to_have_count(0)
    await page.keyboard.press("Control+z")
    await expect(task).to_have_count(1)
    # One's own task is made and finished by two keys.
    await page.locator("[name=text]").fill("вынести мусор")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toasts")).to_contain_text("Сделано")
    await expect(task).to_have_count(1)
    for path in ("/requests", "/notices", "/tasks", "/tasks/calendar", "/meetings"):
        await page.goto(office.url + path)
        assert not set(foreign_words()) & set(await page.evaluate(SAID))
        assert await page.evaluate(WIDE) == 0
        assert await serious(page) == []
