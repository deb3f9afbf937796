"""A marketer tries two wordings by clicking: half and half, a winner by clicks, the rest gets it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

import plugins.mailings
from hub import Actor, ActorKind, Address, CreateContact, GiveConsent, Micros, UpdateProfile
from plugins.mailings import sending
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import HOUR, Office, Post, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, WIDE
from tests.houses import until

pytestmark = [pytest.mark.browser]

PEOPLE = 24
"""So many that neither wording is left without people by chance."""
READER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    async with open_office(
        tmp_path, database_url, "127.0.0.1", ("mailings", plugins.mailings)
    ) as one:
        yield one


@pytest.mark.slow
async def test_two_wordings_are_tried_and_the_better_one_goes_to_the_rest(
    office: Office, enter: Enter, chromium: Browser
) -> None:
    hub = office.system
    for n in range(PEOPLE):
        address = Address(kind="email", value=f"anna{n}@example.org")
        contact = (await hub.do(CreateContact(name=f"Anna {n}", addresses=(address,))))[0]
        await hub.do(GiveConsent(contact_id=contact, how="form", evidence="form of the site"))
    await office.hire("Mara", "marketer")
    page = await enter("Mara", "/segments/new")
    await page.get_by_label("Title", exact=True).fill("Everybody")
    await page.locator("[data-field]").select_option("contact.name")
    condition = page.locator("[data-condition]")
    await condition.locator("[name=operator]").select_option("contains")
    await condition.locator("[name=value]").fill("Anna")
    await condition.get_by_role("button").click()
    await expect(page.locator("form .lines")).to_contain_text("Anna")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_url("**?saved=1")

    await page.goto(f"{office.url}/p/mailings/new")
    await page.get_by_label("Title, for colleagues").fill("Spring")
    await page.get_by_label("Who gets it").select_option(label="Everybody")
    await page.get_by_label("Desk").fill("1")
    await page.get_by_label("Topic").fill("news")
    await page.locator("#f-subject_0").fill("New sails are here")
    # The first wording is put together of blocks, the second written as code.
    editor = page.locator(".block-editor").first
    for kind, words in (
        ("heading", "Hello!"),
        ("text", "See what is new"),
        ("button", "Our sails"),
    ):
        await editor.get_by_role("button", name="Add a block", exact=True).click()
        block = editor.locator(".block").last
        await block.get_by_label("Kind of block").select_option(kind)
        await block.get_by_label("Words", exact=True).fill(words)
    await block.get_by_label("Address", exact=True).fill("https://sails.example/new")
    await page.get_by_text("A second wording, to test").click()
    await page.locator("#f-subject_1").fill("Your boat wants new sails")
    await _write(page, 1, "# Ahoy!\n\nLook at [the sails](https://sails.example/new).")
    await page.get_by_label("Try on (per cent)").fill("60")
    await page.get_by_label("Choose by clicks after, hours").fill("2")
    await page.get_by_role("button", name="Save and check").click()
    await expect(page.locator(".checks .bad")).to_have_count(0)
    await expect(page.get_by_text("About 14 of 24 people get one of the two")).to_be_visible()
    await _picture(page, "two-plan")
    assert await serious(page) == []
    await page.get_by_role("button", name=f"Send to {PEOPLE}").click()
    await expect(page.locator("[data-state]")).to_be_visible()
    own = office.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
    await sending.tick(own, {})
    mailing = int(page.url.partition("#")[0].rpartition("/")[2])

    async def tried() -> bool:
        planned = await own.send_tallies(await own.sends_of(mailing))
        return bool(planned) and 0 < planned[0].planned == planned[0].sent == len(Post.sent)

    await until(tried)
    count = len(Post.sent)
    assert count < PEOPLE, "the others wait for the better one"
    assert {one.subject for one in Post.sent} == {"New sails are here", "Your boat wants new sails"}
    first, second = page.locator('[data-wording="A"]'), page.locator('[data-wording="B"]')
    await expect(first).to_contain_text("New sails are here")
    await expect(second.locator('[data-part="sent"]')).not_to_have_text("0")
    # The page follows the mailing's state by itself.
    await expect(page.get_by_text("goes to all the others:")).to_be_visible()

    # A minute later two of those who got the second wording follow its link.
    real, ahead = office.runtime.now, [60]
    office.runtime.now = lambda: Micros(real() + ahead[0] * 1_000_000)
    context = await chromium.new_context(user_agent=READER)
    for one in [each for each in Post.sent if each.subject.startswith("Your boat")][:2]:
        link = re.findall(r'href="([^"]+/c/[^"]+)"', one.html)[0]
        answer = await context.request.get(link, max_redirects=0)
        assert answer.headers["location"] == "https://sails.example/new"
    await context.close()
    await expect(second.locator('[data-part="clicked"]')).to_have_text("2")
    await expect(first.locator('[data-part="clicked"]')).to_have_text("0")
    await _picture(page, "two-tried")
    ahead[0] += 2 * HOUR // 1_000_000
    await sending.tick(own, {})
    await until(lambda: len(Post.sent) == PEOPLE)
    assert {one.subject for one in Post.sent[count:]} == {"Your boat wants new sails"}
    await expect(page.locator("[data-state]")).to_have_text("finished")
    await expect(second).to_contain_text("chosen")
    await expect(first).not_to_contain_text("chosen")
    await _picture(page, "two-chosen")
    assert await serious(page) == []

    # The report stands by wording at once, and opens the people behind a number.
    await page.get_by_role("link", name="What it brought").click()
    row = page.get_by_role("row").filter(has_text="Your boat wants new sails")
    await expect(row).to_contain_text("chosen")
    await _picture(page, "two-report")
    assert await serious(page) == []
    report = page.url
    await row.get_by_role("button", name="Followed a link: 2").click()
    await page.wait_for_url("**/segments/**")
    await expect(page.get_by_text("How many, now: 2")).to_be_visible()

    await office.hands_of("Mara").do(UpdateProfile(language="ru", theme="dark"))
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    phone = await enter("Mara", "/p/mailings/", **options)
    for n, path in enumerate((f"{office.url}/p/mailings/{mailing}", report)):
        await phone.goto(path)
        await expect(phone.get_by_text("выбрано").first).to_be_visible()
        await phone.evaluate("document.querySelectorAll('main details').forEach((d) => d.open = 1)")
        await _picture(phone, f"two-phone{n}")
        assert await phone.evaluate(WIDE) == 0, path
        assert await phone.evaluate(CUT) == [], path
        assert await serious(phone) == [], path


async def _write(page: Page, number: int, text: str) -> None:
    """Write a wording as code; blocks have a story of their own."""
    editor = page.locator(".block-editor").nth(number)
    await editor.get_by_role("button", name="Code").click()
    await page.locator(f"#f-text_{number}").fill(text)


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
