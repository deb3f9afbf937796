"""The whole work by keyboard, with the Russian layout on, and what the keys are drawn from."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from hub import AssignDialog, ContactId, CreateClient, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Office, Post
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]
# What a keyboard with the Russian layout on sends: the place of the key and the letter on it.
RUSSIAN = dict(zip("JKRESUNIXAMLGCFWQB", "ОЛКУЫГТШЧФЬДПСАЦЙИ", strict=True))


async def press(page: Page, key: str, *, shift: bool = False, ctrl: bool = False) -> None:
    """Press a letter's key as it is pressed with the Russian layout on."""
    letter = RUSSIAN[key]
    session = await page.context.new_cdp_session(page)
    pressed = {
        "key": letter if shift else letter.lower(),
        "code": f"Key{key}",
        "windowsVirtualKeyCode": ord(key),
        "modifiers": (8 if shift else 0) + (2 if ctrl else 0),
    }
    await session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **pressed})
    await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **pressed})
    await session.detach()


async def test_a_day_without_a_mouse_and_with_the_russian_layout(
    office: Office, enter: Enter
) -> None:
    await office.hands_of("Vera").do(UpdateProfile(preferences={"undo_seconds": 0}))
    third = await office.writes("Clara", "Third")
    second = await office.writes("Boris", "Second")
    first = await office.writes("Anna", "First")
    page = await enter("Vera")
    heading = page.locator("h1")
    await press(page, "J")
    await expect(heading).to_have_text("Anna")
    await press(page, "J")
    await expect(heading).to_have_text("Boris")
    await press(page, "K")
    await expect(heading).to_have_text("Anna")
    # Answer.
    await press(page, "R")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.insert_text("Здравствуйте, Анна")
    await page.keyboard.press("Control+Enter")
    await office.wait_message(first, "Здравствуйте, Анна", "sent")
    # Out of the composer, take it, tag it, close it: the next one comes by itself.
    await page.keyboard.press("Escape")
    await press(page, "I")
    await expect(page.locator(".thread-head .assignee")).to_contain_text("Vera")
    await press(page, "L")
    await page.keyboard.insert_text("лодки")
    await page.keyboard.press("Enter")
    await expect(page.locator(".card .tags .chip")).to_have_text(["лодки"])
    await press(page, "E")
    await expect(heading).to_have_text("Boris")

    async def closed() -> bool:
        return (await office.system.dialog(first)).status.value == "closed"

    await until(closed, "it was not closed")
    # A menu is gone through by the first letters of its words, whatever the layout.
    await page.keyboard.press(".")
    await expect(page.locator("#more-menu button:focus")).to_have_count(1)
    await page.keyboard.press("m")
    await expect(page.locator('#more-menu [data-do="unread"]')).to_be_focused()
    await page.keyboard.press("Escape")
    # Snooze from the menu by keyboard.
    await press(page, "S")
    await expect(page.locator("#snooze-menu")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(heading).to_have_text("Clara")

    async def snoozed() -> bool:
        # The page goes on before the hub has answered.
        return (await office.system.dialog(second)).status.value == "snoozed"

    await until(snoozed, "it was not snoozed")
    assert (await office.system.dialog(second)).snoozed_until > office.system.now()
    # A note.
    await press(page, "R", shift=True)
    await page.keyboard.insert_text("Ask Oleg")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".msg.note .text")).to_have_text("Ask Oleg")

    async def noted() -> bool:
        # Shown before the hub has it; who writes has read, so its coming would undo the next key.
        thread = await office.system.thread(third)
        return any(one.text == "Ask Oleg" for one in thread.messages)

    await until(noted, "the note was not kept")
    await expect(page.locator(".msg.note[data-message]:not([data-sketch])")).to_have_count(1)
    # Unread again, back in the list.
    await page.keyboard.press("Escape")
    await press(page, "U")
    await expect(page.locator(f"#row-{third} [data-number]")).to_have_text("1")
    await expect(page.get_by_text("Choose a dialog")).to_be_visible()


async def test_what_is_pressed_while_a_dialog_is_on_its_way_waits_for_it(
    office: Office, enter: Enter
) -> None:
    first = await office.writes("Anna", "First")
    page = await enter("Vera")
    may_come = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route(f"**/inbox/dialog/{first}*", hold)
    await page.keyboard.press("j")
    await page.keyboard.type("rNice, Eve")
    await page.keyboard.press("Backspace")
    assert await page.locator("#text").count() == 0
    may_come.set()
    # Not one of the letters was a command: nothing is closed, snoozed or assigned.
    await expect(page.locator("#text")).to_have_value("Nice, Ev")
    await expect(page.locator("#text")).to_be_focused()
    dialog = await office.system.dialog(first)
    assert (dialog.status.value, dialog.assignee_id) == ("new", 0)


async def test_keys_typed_in_one_go_reach_the_menu_they_open(office: Office, enter: Enter) -> None:
    await office.writes("Boris", "Second")
    first = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{first}")
    await expect(page.locator("#snooze-menu")).to_be_attached()
    # Faster than the browser tells the page that its menu is open.
    await page.evaluate(
        """() => { for (const code of ['KeyS', 'ArrowDown', 'ArrowDown', 'Enter'])
          (document.activeElement || document.body).dispatchEvent(
            new KeyboardEvent('keydown', { code, key: code, bubbles: true })); }"""
    )
    # An invented key presses no button that has the focus: the real one does.
    await expect(page.locator('[data-snooze="evening"]')).to_be_focused()
    await page.keyboard.press("Enter")

    async def snoozed() -> bool:
        return (await office.system.dialog(first)).status.value == "snoozed"

    await until(snoozed, "it was not snoozed")


async def test_undo_by_key_takes_a_closing_back(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.keyboard.press("e")
    await expect(page.locator(f"#row-{dialog}")).to_have_count(0)
    await page.keyboard.press("Control+z")
    await expect(page.locator(f"#row-{dialog}")).to_be_visible()


async def test_an_answer_that_is_taken_back_is_written_where_it_was(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Anna", "First")
    await office.writes("Boris", "Second")
    page = await enter("Vera", f"/inbox/{dialog}")
    text = page.locator("#text")
    await page.keyboard.press("r")
    await page.keyboard.type("Soon")
    await page.keyboard.press("Control+Shift+Enter")
    await expect(page.locator("#thread-pane h1")).to_contain_text("Boris")
    await page.get_by_role("button", name="Undo").wait_for()
    await page.keyboard.press("Control+z")
    await expect(page.locator("#thread-pane h1")).to_contain_text("Anna")
    await expect(text).to_have_value("Soon")
    await expect(text).to_be_focused()
    assert (await office.system.dialog(dialog)).status.value == "open"
    # Where something is being written the key undoes the writing.
    await page.keyboard.type("x")
    await page.keyboard.press("Control+z")
    await expect(text).to_have_value("Soon")


async def test_letters_typed_into_a_text_are_letters(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").focus()
    await page.keyboard.type("just seek rules")
    await expect(page.locator("#text")).to_have_value("just seek rules")
    assert (await office.system.dialog(dialog)).status.value != "closed"


async def test_letters_typed_before_a_menu_has_the_focus_are_of_it(
    office: Office, enter: Enter
) -> None:
    page = await enter("Vera", f"/inbox/{await office.writes('Anna', 'First')}")
    await page.locator("html[data-ready=inbox]").wait_for(state="attached")
    # All in one task: nothing in between tells the menu that it is open.
    await page.evaluate("""() => {
        const press = (key, code) => (document.activeElement || document.body).dispatchEvent(
            new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true }));
        press('a', 'KeyA');
        press('o', 'KeyO');
        press('l', 'KeyL');
    }""")
    await expect(page.get_by_role("menuitem", name="Oleg")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".thread-head .assignee")).to_contain_text("Oleg")


async def test_one_letter_keys_can_be_turned_off(office: Office, enter: Enter) -> None:
    await office.hands_of("Vera").do(UpdateProfile(preferences={"single_keys": "off"}))
    dialog = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.keyboard.press("e")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    assert (await office.system.dialog(dialog)).status.value == "new"


async def test_the_help_sheet_and_the_palette_name_every_key(office: Office, enter: Enter) -> None:
    await office.writes("Somebody", "Second")
    dialog = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.keyboard.press("Shift+Slash")
    sheet = page.locator("dialog.sheet")
    for text in ("Next dialog", "Close the dialog", "Snooze", "Command palette", "Go to settings"):
        await expect(sheet.get_by_text(text, exact=True).first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Assign to me")
    await page.keyboard.press("Enter")
    await expect(page.locator(".thread-head .assignee")).to_contain_text("Vera")
    # What the menus offer without a key is found by its name; what is typed after it is for it.
    await page.keyboard.press("Control+k")
    await page.keyboard.type("merge dialog")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Somebody")
    await expect(page.get_by_role("combobox", name="Merge with another")).to_have_value("Somebody")
    await expect(page.get_by_role("option", name="Somebody").first).to_be_visible()
    await page.keyboard.press("Enter")
    said = page.locator("#thread-pane .msg.in")
    await expect(said).to_have_count(2)
    await expect(page.get_by_role("button", name="Take apart again")).to_be_visible()
    # A merge is taken back like any other act, or later, where it stands in the dialog.
    await expect(page.locator("#toasts")).to_contain_text("Merged")
    await page.keyboard.press("Control+z")
    await expect(said).to_have_count(1)
    await expect(page.locator(".hist", has_text="took the merged dialog out")).to_be_visible()
    await expect(page.get_by_role("button", name="Take apart again")).to_have_count(0)


async def test_the_palette_finds_dialogs_and_people(office: Office, enter: Enter) -> None:
    await office.writes("Anna", "I want a green sailing boat")
    dialog = await office.writes("Zinaida Kuznetsova", "Hello")
    page = await enter("Vera")
    await press(page, "K", ctrl=True)
    await page.keyboard.type("zinaida")
    option = page.get_by_role("option", name="Zinaida Kuznetsova").first
    await expect(option).to_be_visible()
    await page.get_by_role("option", name="Zinaida Kuznetsova · Hello").click()
    await expect(page).to_have_url(f"{office.url}/inbox/{dialog}")


async def test_find_goes_to_a_message_far_above(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Anna", "The password of the gate is swordfish")
    for number in range(80):
        await office.writes("Anna", f"Chatter {number}")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in")).to_have_count(50)
    await page.keyboard.press("f")
    await page.keyboard.type("swordfish")
    await page.get_by_role("option", name="swordfish").click()
    found = page.locator(".msg.found")
    await expect(found).to_contain_text("The password of the gate is swordfish")
    await expect(found).to_be_in_viewport()
    # What comes now belongs below a gap; the button leads there.
    await office.writes("Anna", "Now")
    await page.locator("[data-do=to-end]").click()
    await expect(page.locator(".msg.in .text").last).to_have_text("Now")


async def test_esc_walks_back_one_layer_at_a_time(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.keyboard.press("r")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#log")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#row-{dialog} a")).to_be_focused()


async def test_several_rows_are_worked_at_once(office: Office, enter: Enter) -> None:
    dialogs = [await office.writes(name, "Hi") for name in ("Clara", "Boris", "Anna")]
    page = await enter("Vera")
    await page.keyboard.press("j")
    await expect(page.locator("h1")).to_have_text("Anna")
    await page.keyboard.press("Shift+J")
    bulk = page.locator("#bulk")
    await expect(bulk).to_contain_text("2 chosen")
    await page.keyboard.press("i")

    async def taken() -> bool:
        found = [await office.system.dialog(one) for one in dialogs]
        return [one.assignee_id for one in found] == [0, *[office.users["Vera"]] * 2]

    await until(taken, "the two were not taken")
    await expect(bulk).to_be_hidden()
    # Another view by its first letters.
    await page.keyboard.press("v")
    await page.keyboard.type("una")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/inbox?view=unassigned")
    # What hangs in the air is given to a client, or is remembered to be nobody's, and taken back.
    harbour = (await office.system.do(CreateClient(name="Harbour")))[0]
    await page.goto(f"{office.url}/inbox?view=unlinked")
    rows = page.locator("#rows .row")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("j")
    await page.keyboard.press("Shift+J")
    await bulk.get_by_role("button", name="Client").click()
    await page.get_by_role("combobox", name="To which client?").fill("Harbour")
    await page.get_by_role("option", name="Harbour").click()
    await expect(page.locator(".toast")).to_contain_text("Linked: 2")
    await expect(rows).to_have_count(1)
    people = [(await office.system.dialog(one)).contact_id for one in dialogs]
    clients = [(await office.system.contact(ContactId(one))).client_id for one in people]
    assert clients == [0, harbour, harbour]
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await bulk.get_by_label("Not a client").select_option("private")
    await expect(page.get_by_text("Nothing hangs in the air")).to_be_visible()
    await page.locator(".toast").get_by_role("button", name="Undo").click()
    await expect(rows).to_have_count(1)


async def test_the_next_one_that_waits_is_one_key_away(office: Office, enter: Enter) -> None:
    waits = await office.writes("Clara", "Still waiting")
    answered = await office.writes("Boris", "Was answered")
    await office.answers("Oleg", answered, "Here you are")
    await until(lambda: bool(Post.sent), "the answer did not leave")
    first = await office.writes("Anna", "First")
    page = await enter("Vera", f"/inbox/{first}")
    await office.system.do(AssignDialog(dialog_id=waits, user_id=office.users["Vera"]))
    await page.keyboard.press("n")
    await expect(page.locator("h1")).to_have_text("Clara")
