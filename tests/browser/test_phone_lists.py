"""Lists on a phone: a card for each row, the name of a column on the left and its value on the right."""

from __future__ import annotations

from playwright.async_api import expect

from hub import CreateClient, CreateLead, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office
from tests.browser.test_rules import pick

PHONE = {"viewport": {"width": 360, "height": 760}, "is_mobile": True, "has_touch": True}
MEASURE = """() => [...document.querySelectorAll("table.rows-as-cards tbody tr[data-id]")].map((row) => {
  const box = row.getBoundingClientRect();
  const lines = [...row.querySelectorAll("td[data-label]")].map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const value = range.getBoundingClientRect();
    const name = getComputedStyle(cell, "::before");
    return value.left - cell.getBoundingClientRect().left - parseFloat(name.width);
  });
  const [first, tick] = ["td.first", "td.tick input"].map((one) => row.querySelector(one)?.getBoundingClientRect());
  return { gap: Math.min(...lines), beside: !tick || Math.abs(tick.top - first.top) < 20, inside: !tick || tick.right < box.right };
})"""


async def test_a_row_is_a_card_of_names_and_values(office: Office, enter: Enter) -> None:
    system = office.system
    await system.do(CreateLead(values={"title": "Curtains for the hall", "name": "Irina"}))
    await system.do(CreateClient(name="Café Linde"))
    page = await enter("Max", "/leads", **PHONE)
    for path in ("/leads", "/clients"):
        await page.goto(office.url + path)
        cards = await page.evaluate(MEASURE)
        assert cards
        for card in cards:
            assert card["gap"] >= 8
            assert card["beside"]
            assert card["inside"]
    await page.goto(f"{office.url}/segments")
    title = "(one) => [one.scrollWidth, one.clientWidth]"
    needed, given = await page.locator(".page-head h1").evaluate(title)
    assert needed <= given
    await page.goto(f"{office.url}/clients")
    search = await page.locator(".page-head .searchbox").bounding_box()
    head = await page.locator(".page-head").bounding_box()
    assert search
    assert head
    assert head["width"] - search["width"] < 1


async def test_a_condition_of_a_rule_stays_within_a_phone(office: Office, enter: Enter) -> None:
    """Its operators are longer words in Russian."""
    await office.hands_of("Max").do(UpdateProfile(language="ru"))
    page = await enter("Max", "/settings/rules/new", **PHONE)
    await page.locator("html[data-ready=rules]").wait_for()
    await page.locator("[data-add=condition][data-list='if.all']").click()
    await page.locator("[data-path='if.all[0].field'] button").focus()
    await pick(page, "Текст")
    await page.locator("[data-path='if.all[0].operator'] select").select_option("matches")
    value = page.locator("[data-path='if.all[0].value'] input")
    await value.fill("(")
    await value.blur()
    await expect(page.locator(".rule-row .rule-wrong").first).to_be_visible()
    wide = await page.evaluate(
        "[...document.querySelectorAll('.rule-flow, .rule-flow *')]"
        ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1)"
        ".map((one) => one.className)"
    )
    assert wide == []


async def test_a_board_scrolls_under_a_card_that_is_held_at_its_edge(
    office: Office, enter: Enter
) -> None:
    await office.system.do(CreateLead(values={"title": "Curtains for the hall"}))
    page = await enter("Max", "/leads/board", **PHONE)
    await page.locator("[data-ready=board]").wait_for()
    await page.evaluate("""() => {
      const card = document.querySelector("[data-card]");
      const seen = card.getBoundingClientRect();
      window.hand = (name, x) => card.dispatchEvent(new PointerEvent(name, { bubbles: true, pointerType: "touch", clientX: x, clientY: seen.top + 9 }));
      hand("pointerdown", seen.left + 9);
    }""")
    await page.locator("html[data-busy=drag]").wait_for(state="attached")
    # The hand trembles at the edge, as hands do, until the board is at its end.
    await page.wait_for_function("""() => {
      hand("pointermove", innerWidth - 4);
      const board = document.querySelector("[data-board]");
      return board.scrollLeft + board.clientWidth > board.scrollWidth - 2;
    }""")
    taken = page.locator("[data-key=in_work]")
    await page.evaluate("hand('pointermove', 150)")
    await expect(taken).to_contain_class("target")
    await page.evaluate("hand('pointerup', 150)")
    await expect(taken.locator("[data-card]")).to_have_count(1)
    # The way out of the board has a key, as that of every board has.
    await taken.locator("[data-focus]").focus()
    await page.keyboard.press("Shift+X")
    await page.get_by_label("Why", exact=True).fill("asked twice")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-card]")).to_have_count(0)
