"""Fifty messages a second, and somebody who goes on working. (How fast: bench/browser.py.)"""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.office import Office

pytestmark = [pytest.mark.browser]
PER_SECOND = 50
WORDS = "Dear customer, this letter is written in a storm. "


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.soak)])
async def test_nothing_is_lost_and_nothing_written_is_disturbed(
    office: Office, enter: Enter, seconds: int
) -> None:
    mine = await office.writes("Person 0", "The one that is open")
    for number in range(1, 40):
        await office.writes(f"Person{number}", "Good day")
    page = await enter("Vera", f"/inbox/{mine}")
    slow = await page.context.new_cdp_session(page)
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    await page.locator("#text").fill("caret here -> <-")
    for _ in range(3):
        await page.keyboard.press("ArrowLeft")
    expected = 1

    async def pour() -> None:
        nonlocal expected
        began = time.monotonic()
        for count in range(seconds * PER_SECOND):
            person = "Person 0" if count % 10 == 0 else f"Person{1 + count % 39}"
            expected += count % 10 == 0
            await office.writes(person, f"Storm {count}")
            await asyncio.sleep(max(0.0, began + count / PER_SECOND - time.monotonic()))

    await asyncio.gather(pour(), page.keyboard.type(WORDS, delay=1000 * seconds / len(WORDS)))
    # Every letter landed at the caret, and the caret and the focus stayed.
    await expect(page.locator("#text")).to_have_value(f"caret here ->{WORDS} <-")
    await expect(page.locator("#text")).to_be_focused()
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    messages, older = page.locator(".msg.in"), page.locator("[data-older] button")
    await expect(messages.last).to_contain_text(f"Storm {10 * (expected - 2)}")
    # Of a long storm the page keeps the newest; the others come when they are asked for.
    while await older.count():
        count = await messages.count()
        await older.dispatch_event("click")
        await expect(messages).not_to_have_count(count)
    await expect(messages).to_have_count(expected)
    texts = await page.locator(".msg.in .text").all_inner_texts()
    assert texts[1:] == [f"Storm {10 * count}" for count in range(expected - 1)]
    # The list is whole, in its true order, and each row tells the newest words.
    await expect(page.locator("#rows .row")).to_have_count(40)
    last = seconds * PER_SECOND - 1
    await expect(page.locator("#rows .row").first).to_contain_text(f"Storm {last}")
    instants = await page.locator("#rows .row").evaluate_all(
        "(all) => all.map((one) => Number(one.dataset.last))"
    )
    assert instants == sorted(instants, reverse=True)
