"""One dialog in a browser: its people, its parts, its views; what colleagues change meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from hub import (
    AddNote,
    Address,
    AssignDialog,
    Attachment,
    CreateContact,
    MarkRead,
    SetDialogStatus,
    UpdateContact,
)
from tests.browser.conftest import Enter
from tests.browser.office import Complaints, Office
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


async def test_a_dialog_is_parted_and_joined_again(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "About the boat", account=office.letters)
    await office.answers("Oleg", dialog, "And another thing")
    page = await enter("Vera", f"/inbox/{dialog}")
    second = page.locator(".msg.out")
    await second.hover()
    await second.locator(".more-acts").click()
    await page.get_by_role("menuitem", name="Make a new dialog from here").click()
    await page.locator("dialog.sheet input").fill("The other thing")
    await page.keyboard.press("Enter")
    await expect(page.locator(".thread-head .sub")).to_contain_text("The other thing")
    await expect(page.locator(".msg .text")).to_have_text(["And another thing"])
    await page.locator(f"#row-{dialog}").click()
    await expect(page.locator(".msg .text")).to_have_text(["About the boat"])
    # And back together.
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Merge with another dialog").click()
    await expect(page.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type("other thing")
    await page.get_by_role("option").first.click()
    await expect(page.locator(".msg .text")).to_have_text(["About the boat", "And another thing"])
    await expect(page.locator("#rows .row")).to_have_count(1)


async def test_the_card_is_edited_in_place_and_conflicts_are_shown(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    complaints.forgive("409 (Conflict)")
    dialog = await office.writes("Ivan Petrov", "Hello")
    contact = (await office.system.dialog(dialog)).contact_id
    page = await enter("Vera", f"/inbox/{dialog}")
    name = page.locator(".card [name=name]")
    await name.fill("Ivan P. Petrov")
    await name.press("Tab")
    await expect(page.locator("h1")).to_have_text("Ivan P. Petrov")
    await expect(page.locator(f"#row-{dialog} .name")).to_have_text("Ivan P. Petrov")
    # A colleague changes the same field while it is being edited here.
    position = page.locator(".card [name=position]")
    await position.focus()
    await office.hands_of("Oleg").do(UpdateContact(contact_id=contact, position="Captain"))
    await position.fill("Sailor")
    await position.press("Tab")
    conflict = page.locator(".conflict")
    await expect(conflict).to_contain_text("A colleague wrote: Captain")
    await conflict.get_by_role("button", name="Take mine").click()

    async def mine() -> bool:
        found = await office.system.contact(contact)
        return found.position == "Sailor"

    await until(mine, "my value was not kept")
    # An address that somebody else has is refused with the way to him.
    taken = Address(kind="email", value="ivan@boats.example")
    await office.system.do(CreateContact(name="Ivan the Elder", addresses=(taken,)))
    await page.get_by_role("button", name="Add an address").click()
    sheet = page.locator("dialog[open]")
    await sheet.get_by_label("Address", exact=True).fill("Ivan@boats.example")
    await expect(sheet.get_by_label("Kind")).to_have_value("email")
    await page.keyboard.press("Enter")
    await expect(sheet.get_by_role("link", name="Ivan the Elder")).to_be_visible()
    await sheet.get_by_label("Address", exact=True).fill("ivan.petrov@boats.example")
    await page.keyboard.press("Enter")
    await expect(page.locator("#card-pane")).to_contain_text("ivan.petrov@boats.example")


async def test_tags_priority_and_history_are_seen_by_the_other(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    vera = await enter("Vera", f"/inbox/{dialog}")
    oleg = await enter("Oleg", f"/inbox/{dialog}")
    await vera.keyboard.press("l")
    await vera.keyboard.type("vip, boats")
    await vera.keyboard.press("Enter")
    await expect(oleg.locator(".card .tags .chip")).to_have_text(["boats", "vip"])
    await expect(oleg.locator(f"#row-{dialog} .tag")).to_have_count(2)
    await vera.get_by_role("button", name="More actions").click()
    await vera.get_by_role("menuitem", name="Urgent").click()
    await expect(oleg.locator(f"#row-{dialog} .label.bad")).to_have_text("Urgent")
    await vera.keyboard.press("i")
    await expect(oleg.get_by_text("Vera took the dialog")).to_be_visible()
    await expect(oleg.get_by_text("Vera: +vip +boats")).to_be_visible()


async def test_a_dialog_closed_by_somebody_else_is_a_line_not_a_shock(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").fill("I am still writing")
    await office.hands_of("Oleg").do(SetDialogStatus(dialog_id=dialog, status="closed"))
    await expect(page.get_by_text("Oleg: closed the dialog")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("I am still writing")
    await expect(page.get_by_role("button", name="Open again")).to_be_visible()
    await expect(page.locator("dialog[open]")).to_have_count(0)


async def test_the_unread_line_stands_before_what_was_not_seen(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "Seen")
    seen = (await office.messages(dialog))[-1].id
    await office.hands_of("Vera").do(MarkRead(dialog_id=dialog, message_id=seen))
    await office.writes("Ivan Petrov", "Not seen")
    page = await enter("Vera", "/inbox")
    await expect(page.locator(f"#row-{dialog} [data-number]")).to_have_text("1")
    await page.locator(f"#row-{dialog}").click()
    entries = page.locator("#entries > .msg, #entries > .unread-line")
    await expect(entries.nth(0)).to_contain_text("Seen")
    await expect(entries.nth(1)).to_have_text("New messages")
    await expect(entries.nth(2)).to_contain_text("Not seen")


async def test_views_filters_and_saved_views_are_addresses(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "By boat")
    letter = await office.writes("Maria Orlova", "By letter", account=office.letters)
    await office.system.do(AssignDialog(dialog_id=letter, user_id=office.users["Vera"]))
    page = await enter("Vera", f"/inbox?account={office.letters}")
    await expect(page.locator("#rows .row")).to_have_count(1)
    await expect(page.locator(f"#row-{letter}")).to_be_visible()
    await page.locator(".view-button").click()
    await page.get_by_role("menuitem", name="Save this view").click()
    await page.locator("dialog.sheet input").fill("Letters only")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.locator(".view-button").click()
    await expect(page.get_by_role("menuitem", name="Letters only", exact=True)).to_be_visible()
    await page.goto(f"{office.url}/inbox?view=unassigned")
    await expect(page.locator(f"#row-{dialog}")).to_be_visible()
    await expect(page.locator("#rows .row")).to_have_count(1)
    await page.locator(".view-button").click()
    await page.get_by_role("menuitem", name="Letters only", exact=True).click()
    await expect(page).to_have_url(f"{office.url}/inbox?account={office.letters}")
    await expect(page.locator(f"#row-{letter}")).to_be_visible()
    await page.locator(".view-button").click()
    await page.get_by_role("menuitem", name="Remove Letters only").click()
    await expect(page.get_by_role("menuitem", name="Letters only", exact=True)).to_have_count(0)


async def test_search_finds_word_forms_people_and_goes_to_the_message(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Иван Петров", "Привезите лодки к понедельнику")
    for number in range(60):
        await office.writes("Иван Петров", f"Сообщение {number}")
    page = await enter("Vera")
    await page.keyboard.press("/")
    await page.keyboard.type("лодка")
    await page.keyboard.press("Enter")
    hit = page.locator("a", has_text="Привезите лодки")
    await expect(hit).to_be_visible()
    await hit.click()
    await expect(page).to_have_url(re.compile(f"/inbox/{dialog}"))
    found = page.locator(".msg.found")
    await expect(found).to_contain_text("Привезите лодки")
    await expect(found).to_be_in_viewport()


async def test_a_reader_without_the_right_to_answer_is_offered_no_answer(
    office: Office, enter: Enter
) -> None:
    await office.hire("Petr", "auditor")
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Petr", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in .text")).to_have_text(["Hello"])
    await expect(page.locator("#send")).to_have_count(0)
    await expect(page.get_by_role("button", name="Assign")).to_have_count(0)
    await page.keyboard.press("e")
    await page.keyboard.press("?")
    assert (await office.system.dialog(dialog)).status.value == "new"


async def test_files_of_the_client_are_shown_and_downloaded(office: Office, enter: Enter) -> None:
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    dialog = await office.writes(
        "Ivan Petrov",
        "The plan",
        attachments=(
            Attachment(name="../../plan.png", media_type="image/png", content=png),
            Attachment(name="evil.html", media_type="text/html", content=b"<script>1</script>"),
        ),
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    picture = page.locator(".file.image img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("(one) => one.naturalWidth") == 1
    async with page.expect_download() as waiting:
        await page.locator(".file", has_text="evil.html").click()
    download = await waiting.value
    assert download.suggested_filename == "evil.html"


async def test_a_note_of_a_colleague_is_told_apart(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await office.hands_of("Oleg").do(AddNote(dialog_id=dialog, text="He pays late"))
    note = page.locator(".msg.note")
    await expect(note.locator(".by")).to_have_text("Oleg · note")
    await expect(note.locator(".text")).to_have_text("He pays late")
