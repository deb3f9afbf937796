"""What a person answered to a question of ours: on the card at once, kept or taken off by a click."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from crm_store import people
from hub import AskDetails, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import WIDE
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]
WORDS = {
    "en": ("From the answer onto the card, unverified: phone", "Take off the card", "Keep"),
    "ru": ("Из ответа в карточку, без проверки: телефон", "Убрать из карточки", "Оставить"),
}


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_an_answer_is_kept_or_taken_off_by_a_click(
    office: Office, enter: Enter, language: str
) -> None:
    said, off, keep = WORDS[language]
    max_ = office.hands_of("Max")
    await max_.do(UpdateProfile(language=language))
    dialog = await office.writes("Anna Lee", "How much is a boat?")
    who = (await max_.dialog(dialog)).contact_id
    questions = {"phone": "Your phone?", "email": "Your e-mail?"}
    await max_.do(AskDetails(dialog_id=dialog, questions=questions))
    await office.writes("Anna Lee", "8 912 345-67-89, anna.lee@example.com")

    async def kinds() -> set[str]:
        owned = (await max_.read(people.contact, who)).addresses
        return {one.kind for one in owned} & {"phone", "email"}

    async def both() -> bool:
        return len(await kinds()) == 2

    await until(both, "the answer was not taken")
    page = await enter("Max", f"/inbox/{dialog}")
    await expect(page.locator(".hist", has_text=said)).to_be_visible()
    rows = page.locator("#card-pane .suggestion")
    await expect(rows).to_have_count(2)
    assert await serious(page) == []
    await rows.filter(has_text="+79123456789").get_by_role("button", name=off).click()
    await expect(rows).to_have_count(1)
    await rows.get_by_role("button", name=keep).click()
    await expect(rows).to_have_count(0)
    assert await kinds() == {"email"}
    await page.set_viewport_size({"width": 360, "height": 800})
    assert await page.evaluate(WIDE) == 0
