"""Answering letters in a browser: whom the answer goes to, and where nothing can be answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import expect

from hub import Address, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office, Post
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


async def test_an_answer_goes_where_the_letter_asks_for_it(office: Office, enter: Enter) -> None:
    await office.hands_of("Vera").do(UpdateProfile(preferences={"undo_seconds": 0}))
    dialog = await office.writes(
        "Ivan Petrov",
        "From my phone; answer to the office",
        account=office.letters,
        subject="Two boats",
        to=(Address(kind="email", value="desk@boats.example"),),
        profile={"reply_to": "office@petrov.example"},
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator("#people")).to_contain_text("office@petrov.example")
    await expect(page.locator("#people [data-cc]")).to_have_count(0)
    await page.locator("#text").fill("Gladly")
    await page.keyboard.press("Control+Enter")
    await until(lambda: bool(Post.sent), "the letter did not leave")
    assert Post.sent[0].to.value == "office@petrov.example"


async def test_a_copy_is_taken_off_with_its_cross(office: Office, enter: Enter) -> None:
    await office.hands_of("Vera").do(UpdateProfile(preferences={"undo_seconds": 0}))
    dialog = await office.writes(
        "Ivan Petrov",
        "Hello both",
        account=office.letters,
        to=(Address(kind="email", value="desk@boats.example"),),
        cc=(
            Address(kind="email", value="olga@example.org", name="Olga"),
            Address(kind="email", value="petr@example.org", name="Petr"),
        ),
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    copies = page.locator("#people [data-cc]")
    await expect(copies).to_have_text(["Olga", "Petr"])
    await page.get_by_role("button", name="Remove olga@example.org").click()
    await page.locator("#text").fill("To you two")
    await page.keyboard.press("Control+Enter")
    await until(lambda: bool(Post.sent), "the letter did not leave")
    assert [one.value for one in Post.sent[0].cc] == ["petr@example.org"]


async def test_where_nothing_can_be_answered_a_note_is_offered(
    office: Office, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = await office.writes("Ivan Petrov", "A form that I filled in")
    boat = office.runtime.channels["boat"]
    mute = replace(boat.capabilities, sends=False)
    monkeypatch.setattr(boat, "capabilities", mute)
    monkeypatch.setitem(office.runtime.database.channels, "boat", mute)
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator("#composer")).to_contain_text("only notes can be written")
    await expect(page.locator("button[data-mode=reply]")).to_have_count(0)
    await expect(page.locator("#later-menu")).to_be_hidden()
    await page.locator("#text").fill("Called him instead")
    await page.keyboard.press("Control+Enter")
    await office.wait_message(dialog, "Called him instead")
    await expect(page.locator(".msg.note .text")).to_have_text("Called him instead")
    assert Post.sent == []


async def test_a_letter_with_many_copies_fits_a_phone(office: Office, enter: Enter) -> None:
    copies = tuple(
        Address(kind="email", value=f"somebody-with-a-long-name-{number}@subdomain.example.org")
        for number in range(4)
    )
    dialog = await office.writes(
        "Ivan Petrov",
        "word" * 200,
        account=office.letters,
        subject="A subject that is much longer than a phone is wide, as subjects are",
        html="<table width=1200><tr><td>wide</td></tr></table>",
        to=(Address(kind="email", value="desk@boats.example"),),
        cc=copies,
    )
    page = await enter(
        "Vera", f"/inbox/{dialog}", viewport={"width": 390, "height": 844}, is_mobile=True
    )
    too_wide = "document.documentElement.scrollWidth - innerWidth"
    await expect(page.locator("#people [data-cc]")).to_have_count(4)
    assert await page.evaluate(too_wide) == 0
    await page.locator("[data-html] summary").click()
    await expect(page.frame_locator(".msg iframe").get_by_text("wide")).to_be_visible()
    assert await page.evaluate(too_wide) == 0
    for path in ("/search?q=word", "/contacts", "/inbox/new", "/settings"):
        await page.goto(office.url + path)
        assert await page.evaluate(too_wide) == 0, path
