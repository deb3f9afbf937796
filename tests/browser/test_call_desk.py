"""The workplace of a caller in Chromium: one key for a result, the next person comes by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub import Address, CreateContact, SaveSegment, UpdateProfile
from plugins import telemarketing
from plugins.telemarketing.commands import SaveCallList
from plugins.telemarketing.doing import list_of, steer
from plugins.telemarketing.plans import script_of
from tests.browser.conftest import Enter, listening
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import WIDE

pytestmark = [pytest.mark.browser]
SCRIPT = "Вы ещё ходите под парусом? | да/нет\nЧто важнее? | цена / скорость / сервис\nСколько лодок? | число"


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """An office that calls people."""
    more = (("telemarketing", telemarketing),)
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as one:
        yield one


async def comes(page: Page, name: str) -> None:
    """Wait until a person is on the line, and the page hears keys: one before that is lost."""
    await expect(page.locator(".who h2")).to_have_text(name)
    await page.wait_for_load_state()
    await listening(page)


async def test_people_are_called_by_the_keyboard(office: Office, enter: Enter) -> None:
    max_ = office.hands_of("Max")
    names = ("Анна Чайкина", "Борис Волнов", "Вера Парусова")
    for n, name in enumerate(names):
        phone = Address(kind="phone", value=f"+7900000000{n}")
        await max_.do(CreateContact(name=name, addresses=(phone,)))
    (segment,) = await max_.do(
        SaveSegment(
            name="Яхтсмены",
            filter={"field": "contact.channel", "operator": "in", "value": ["phone"]},
        )
    )
    plan = {
        "segment_id": str(segment),
        "words": "Здравствуйте, {{ contact.first_name }}!",
        "questions": script_of(SCRIPT),
        "call_from": "00:00",
        "call_until": "00:00",
    }
    hub = max_.for_plugin("telemarketing")
    (number,) = await hub.do(SaveCallList(title="Весенний обзвон", plan=plan))
    await steer(hub, await list_of(hub, str(number)), "running")
    await max_.do(UpdateProfile(language="ru"))

    page = await enter("Max", f"/p/telemarketing/{number}/desk")
    await page.keyboard.press("n")
    await comes(page, names[0])
    assert await serious(page) == []
    await page.get_by_label("цена").check()
    await page.locator("#f-note").fill("1 не клавиша здесь")
    # To call back needs a time: the key leads to its field, and Enter there is the result.
    await page.locator("h1").click()
    await page.keyboard.press("3")
    await expect(page.locator("#f-again")).to_be_focused()
    await page.keyboard.type("завтра 15:00")
    await page.keyboard.press("Enter")
    await comes(page, names[1])
    await page.keyboard.press("2")
    await comes(page, names[2])
    await page.keyboard.press("u")
    await comes(page, names[1])
    await expect(page.locator(".last-call")).to_contain_text(names[0])
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate(WIDE) == 0
    await page.locator("button[value=result-talked]").click()
    await comes(page, names[2])
    await page.goto(f"{office.url}/p/telemarketing/{number}/report")
    assert await page.evaluate(WIDE) == 0
    assert await serious(page) == []
