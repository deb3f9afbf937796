"""The card of an interest: its client, who takes part, what comes next; by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from crm_store import objects
from crm_store.interest_particulars import particulars
from crm_store.objects import NOUNS
from hub import CreateClient, CreateContact, CreateObject, InterestId
from tests.browser.conftest import Enter
from tests.browser.office import Complaints, Office
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser]


async def test_a_card_gets_its_client_its_people_and_its_next_step(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    complaints.forgive("422 (Unprocessable")
    vera = office.hands_of("Vera")
    await office.system.do(
        CreateClient(name="Harbour Ltd", organisation=True),
        CreateContact(name="Nina Ivanova"),
    )
    made = (await vera.do(CreateObject(kind="interest", values={"title": "Ten boats"})))[0]
    page = await enter("Vera", f"/interests/{made}")

    # A task is the next step, here and on the board.
    line = page.locator("[data-quick] input")
    await line.fill("call Nina tomorrow 15:00")
    await line.press("Enter")
    await expect(page.locator("#tasks [data-task]")).to_contain_text("call Nina")
    await expect(page.get_by_label("Next step", exact=True)).to_have_value("call Nina")

    # A client and a person are found by a part of their names.
    client = page.get_by_role("combobox", name="Client")
    await client.press_sequentially("harb")
    await page.get_by_role("option", name="Harbour Ltd").wait_for()
    await client.press("ArrowDown")
    await client.press("Enter")
    # What is typed is not lost by leaving, nor by the button of another form; a key saves it.
    amount = page.get_by_label("Amount", exact=True)
    await amount.fill("much")
    await amount.press("Control+Enter")
    await expect(page.locator("[data-refused] a")).to_have_text("Amount")
    await expect(page.locator("html[data-ready=objects]")).to_have_count(1)
    await expect(amount).to_be_focused()
    await expect(amount).to_have_value("much")
    await amount.fill("1200")
    for left in (".rail a[href='/day']", "[value='win'] ~ button"):
        async with page.expect_event("dialog") as asked:
            page.once("dialog", lambda one: one.dismiss())
            await page.evaluate(f'document.querySelector("{left}").click()')
        assert (await asked.value).type == "beforeunload"
    await amount.press("Control+Enter")
    await expect(page.locator("dl.lines a", has_text="Harbour Ltd")).to_be_visible()
    await expect(page.locator("dl.lines", has_text="1,200")).to_be_visible()
    await page.get_by_text("People who take part").click()
    person = page.get_by_role("combobox", name="One more person")
    await person.press_sequentially("nin")
    await page.get_by_role("option", name="Nina Ivanova").click()
    await page.locator("#f-role").first.fill("decides")
    await page.get_by_role("button", name="Save the people").click()
    await expect(page.locator(".taking-part a")).to_have_text("Nina Ivanova")
    await page.locator(".taking-part a").scroll_into_view_if_needed()
    await page.mouse.wheel(0, 200)
    assert not await serious(page)
    more = await vera.read(particulars, made)
    assert [one.role for one in more.people] == ["decides"]

    # What was refused stands in its form again, which is open.
    await page.get_by_text("Lines of demand").click()
    price = page.get_by_label("Price").first
    await page.get_by_label("What", exact=True).first.fill("Sloop")
    await price.fill("dear")
    await price.press("Control+Enter")
    await expect(page.locator("[data-refused]")).to_be_visible()
    await expect(price).to_have_value("dear")

    # Done here, done everywhere.
    await page.get_by_role("checkbox", name="Done: call Nina").check()
    await expect(page.locator("#tasks [data-task]")).to_have_count(0)
    found = await vera.read(objects.one, NOUNS["interest"], InterestId(int(str(made))))
    assert (found.next_step, found.next_step_at) == ("", 0)
