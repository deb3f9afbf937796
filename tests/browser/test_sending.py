"""Writing in a browser: the guard, the undo, honest states, files, drafts, notes."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from hub import AddNote, Address, Direction, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.office import Complaints, Office, Post
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


async def write(page: Page, text: str, key: str = "Control+Enter") -> None:
    await page.locator("#text").fill(text)
    await page.keyboard.press(key)


async def undo_for(office: Office, name: str, seconds: int) -> None:
    await office.hands_of(name).do(UpdateProfile(preferences={"undo_seconds": seconds}))


async def test_two_agents_collide_and_the_second_is_asked(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    complaints.forgive("409 (Conflict)")
    await undo_for(office, "Vera", 0)
    dialog = await office.writes("Ivan Petrov", "What does it cost?")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").fill("Let me look")
    await office.answers("Oleg", dialog, "It costs 100")
    await expect(page.locator(".msg.out .text")).to_have_text(["It costs 100"])
    await page.locator("#text").press("Control+Enter")
    guard = page.locator("#guard")
    await expect(guard).to_contain_text("New messages since you began: 1")
    # Nothing was lost and nothing was sent.
    await expect(page.locator("#text")).to_have_value("Let me look")
    assert len(await office.messages(dialog)) == 2
    await guard.get_by_role("button", name="Send anyway").click()
    await office.wait_message(dialog, "Let me look", "sent")
    await expect(page.locator(".msg.out .text")).to_have_text(["It costs 100", "Let me look"])


async def test_what_arrived_before_one_began_to_write_needs_no_question(
    office: Office, enter: Enter
) -> None:
    await undo_for(office, "Vera", 0)
    dialog = await office.writes("Ivan Petrov", "One")
    page = await enter("Vera", f"/inbox/{dialog}")
    await office.writes("Ivan Petrov", "Two")
    await expect(page.locator(".msg.in .text")).to_have_text(["One", "Two"])
    await write(page, "Answer to both")
    await office.wait_message(dialog, "Answer to both", "sent")
    await expect(page.locator("#guard")).to_be_hidden()


async def test_what_came_while_an_answer_could_be_undone_needs_no_question(
    office: Office, enter: Enter
) -> None:
    await undo_for(office, "Vera", 60)
    dialog = await office.writes("Ivan Petrov", "One")
    page = await enter("Vera", f"/inbox/{dialog}")
    await write(page, "Answer")
    await expect(page.locator(".msg.out[data-message]:not([data-sketch])")).to_have_count(1)
    await office.writes("Ivan Petrov", "Two")
    # The answer stands last, for it has not left yet, but was written before.
    await expect(page.locator(".msg .text")).to_have_text(["One", "Two", "Answer"])
    await write(page, "Answer to both")
    await expect(page.locator(".msg.out[data-message]:not([data-sketch])")).to_have_count(2)
    await expect(page.locator("#guard")).to_be_hidden()
    assert len(await office.messages(dialog)) == 4


async def test_a_send_can_be_undone_for_some_seconds(office: Office, enter: Enter) -> None:
    await undo_for(office, "Vera", 60)
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await write(page, "Helo, Iwan")
    await expect(page.locator(".msg.out .text")).to_have_text(["Helo, Iwan"])
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".msg.out")).to_have_count(0)
    await expect(page.locator("#text")).to_have_value("Helo, Iwan")
    await write(page, "Hello, Ivan")
    await page.locator(".msg.out").get_by_role("button", name="Take back").click()
    await expect(page.locator(".msg.out")).to_have_count(0)
    assert Post.sent == []


async def test_a_failed_message_says_why_and_is_tried_again(office: Office, enter: Enter) -> None:
    await undo_for(office, "Vera", 0)
    Post.outcome = "failed"
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await write(page, "Good day")
    failed = page.locator(".msg.failed")
    await expect(failed).to_contain_text("the harbour is closed")
    await expect(page.locator(f"#row-{dialog} .marks .bad")).to_be_visible()
    await failed.get_by_role("button", name="Details").click()
    await expect(page.locator("dialog.sheet tbody tr")).to_have_count(1)
    await page.keyboard.press("Escape")
    Post.outcome = "sent"
    await failed.get_by_role("button", name="Try again").click()
    await expect(page.locator(".msg.out [role=img][aria-label=Sent]")).to_be_visible()
    assert [one.text for one in Post.sent] == ["Good day"]


async def test_an_unknown_outcome_is_called_so_and_never_repeated_unasked(
    office: Office, enter: Enter
) -> None:
    await undo_for(office, "Vera", 0)
    Post.outcome = "unknown"
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await write(page, "Good day")
    unknown = page.locator(".msg.unknown")
    await expect(unknown).to_contain_text("May have been delivered")
    Post.outcome = "sent"
    assert Post.sent == []
    await unknown.get_by_role("button", name="Send again").click()
    await expect(page.locator(".msg.out [role=img][aria-label=Sent]")).to_be_visible()
    assert len(Post.sent) == 1


async def test_a_double_press_sends_once(office: Office, enter: Enter) -> None:
    await undo_for(office, "Vera", 0)
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").fill("Once")
    await page.evaluate(
        "() => { const send = document.getElementById('send'); send.click(); send.click(); }"
    )
    await office.wait_message(dialog, "Once", "sent")
    await expect(page.locator(".msg.out .text")).to_have_text(["Once"])
    assert len(Post.sent) == 1


async def test_what_was_written_without_a_network_leaves_once_when_it_is_back(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    complaints.forgive("ERR_CONNECTION_RESET")
    await undo_for(office, "Vera", 0)
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")
    await expect(page.locator(".msg.in")).to_have_count(1)
    # The hub takes the message, its answer is lost: the worst case for doubling.
    taken = []

    async def lose(route: object) -> None:
        if not taken:
            taken.append(await route.fetch())  # type: ignore[attr-defined]
            await route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await page.route("**/do/send", lose)
    await page.locator("#text").fill("Written in a tunnel")
    await page.locator("#text").press("Control+Enter")
    await office.wait_message(dialog, "Written in a tunnel", "sent")
    await expect(page.locator(".msg.out [role=img][aria-label=Sent]")).to_be_visible()
    await expect(page.locator(".msg.out")).to_have_count(1)
    assert len(Post.sent) == 1


async def test_a_draft_is_kept_on_the_hub_and_shown_in_the_list(
    office: Office, enter: Enter
) -> None:
    first = await office.writes("Ivan Petrov", "Hello")
    second = await office.writes("Maria Orlova", "Good day")
    page = await enter("Vera", f"/inbox/{first}")
    await page.locator("#text").fill("Half an ans")
    await expect(page.locator("#saved")).to_have_text("Draft saved")
    await page.locator(f"#row-{second}").click()
    await expect(page.locator("h1")).to_have_text("Maria Orlova")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator(f"#row-{first} [data-draft]")).to_be_visible()
    await page.locator(f"#row-{first}").click()
    await expect(page.locator("#text")).to_have_value("Half an ans")
    # Who goes on writes at its end.
    assert await page.locator("#text").evaluate("one => one.selectionStart") == len("Half an ans")
    # Another computer of the same agent.
    other = await enter("Vera", f"/inbox/{first}")
    await expect(other.locator("#text")).to_have_value("Half an ans")
    # What is sent there does not come back here, to be sent once more.
    await write(other, "A whole answer")
    await office.wait_message(first, "A whole answer")
    await page.goto(f"{office.url}/inbox/{first}")
    await expect(page.locator("#text")).to_have_value("")


async def test_what_one_wrote_without_a_network_is_neither_shown_nor_sent_for_a_colleague(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera", f"/inbox/{dialog}")

    # What the browser keeps while the hub is away: half a note, and an answer.
    await page.evaluate(
        """([me, dialog]) => {
            localStorage.setItem(`draft:${me}:${dialog}`, 'note\\nHe haggles.\\nLet him');
            const body = { dialog, text: 'From Vera', files: [], key: 'k1', seen: '0', anyway: true };
            localStorage.setItem(`hub-unsent:${me}`, JSON.stringify([{ verb: 'send', body }]));
        }""",
        [str(office.users["Vera"]), str(dialog)],
    )
    # A page that stays open while another one logs in would tell what it shows, and be refused.
    await page.goto("about:blank")
    await office.log_in(page.context, "Oleg")
    await page.goto(f"{office.url}/inbox/{dialog}")
    await expect(page.locator("#text")).to_have_value("")
    assert len(await office.messages(dialog)) == 1
    await page.goto("about:blank")
    await office.log_in(page.context, "Vera")
    await page.goto(f"{office.url}/inbox/{dialog}")
    # A note stays a note.
    await expect(page.locator("#composer")).to_have_attribute("data-mode", "note")
    await expect(page.locator("#text")).to_have_value("He haggles.\nLet him")
    sent = await office.wait_message(dialog, "From Vera", "sent")
    assert sent.author_name == "Vera"


async def test_what_is_written_goes_to_the_dialog_it_stands_in_while_another_is_on_its_way(
    office: Office, enter: Enter
) -> None:
    await undo_for(office, "Vera", 0)
    second = await office.writes("Maria Orlova", "Good day")
    first = await office.writes("Ivan Petrov", "Hello")
    page = await enter("Vera")
    arrives = asyncio.Event()

    async def slowly(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await page.route(f"**/inbox/dialog/{second}", slowly)
    await page.locator(f"#row-{first}").click()
    await expect(page.locator("h1")).to_have_text("Ivan Petrov")
    await page.locator("#text").fill("For Ivan alone")
    # Both keys before the browser can draw anything between them.
    await page.locator("#text").evaluate(
        """text => {
            const press = (code, more) => text.dispatchEvent(
                new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true, ...more }));
            press('KeyJ', { altKey: true });
            press('Enter', { ctrlKey: true });
        }"""
    )
    await page.wait_for_url(f"**/inbox/{second}*")
    await office.wait_message(first, "For Ivan alone", "sent")
    arrives.set()
    await expect(page.locator("h1")).to_have_text("Maria Orlova")
    await expect(page.locator("#text")).to_have_value("")
    assert [one.text for one in await office.messages(second)] == ["Good day"]


async def test_a_note_with_a_mention_stays_inside_and_finds_its_colleague(
    office: Office, enter: Enter
) -> None:
    dialog = await office.writes("Ivan Petrov", "I want my money back")
    page = await enter("Vera", f"/inbox/{dialog}")
    other = await enter("Oleg")
    await page.keyboard.press("Shift+R")
    await page.keyboard.type("Please look @Ol")
    await expect(page.locator("#mention-list li")).to_have_text(["Oleg"])
    await page.keyboard.press("Enter")
    await page.keyboard.type("before noon")
    await expect(page.locator("#send")).to_contain_text("Add note")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".msg.note .text")).to_have_text("Please look @Oleg before noon")
    note = await office.wait_message(dialog, "Please look @Oleg before noon")
    assert note.direction is Direction.NOTE
    assert note.mentions == (office.users["Oleg"],)
    await expect(other.get_by_text("You are mentioned in a note")).to_be_visible()
    counted = other.locator("[data-count=mentions]").first
    await expect(counted).to_have_text("1")
    await other.goto(f"{office.url}/inbox?view=mentions")
    await expect(other.locator(f"#row-{dialog}")).to_be_visible()
    await other.locator(f"#row-{dialog}").click()
    await expect(counted).to_have_text("0")
    # Named once more in a dialog that stands as before.
    await other.goto(f"{office.url}/inbox")
    await office.hands_of("Vera").do(
        AddNote(dialog_id=dialog, text="And @Oleg?", mentions=(office.users["Oleg"],))
    )
    await expect(counted).to_have_text("1")
    assert Post.sent == []


async def test_files_go_along_and_too_large_ones_are_refused_before_the_upload(
    office: Office, enter: Enter
) -> None:
    await undo_for(office, "Vera", 0)
    dialog = await office.writes("Ivan Petrov", "Send me the plan")
    page = await enter("Vera", f"/inbox/{dialog}")
    uploads: list[str] = []
    page.on("request", lambda one: uploads.append(one.url) if "/upload/" in one.url else None)
    field = page.locator("#files")
    await field.set_input_files(
        [{"name": "huge.bin", "mimeType": "application/zip", "buffer": b"0" * 300_000}]
    )
    await expect(page.locator(".toast")).to_contain_text("huge.bin is too large")
    assert uploads == []
    await field.set_input_files(
        [{"name": "план.txt", "mimeType": "text/plain", "buffer": "План".encode()}]
    )
    await expect(page.locator("#pending [data-file]")).to_contain_text("план.txt")
    await page.locator("#text").press("Control+Enter")
    await until(lambda: bool(Post.sent), "the file did not leave")
    assert [one.name for one in Post.sent[0].attachments] == ["план.txt"]
    await expect(page.locator(".msg.out .file")).to_contain_text("план.txt")
    await expect(page.locator(".msg.out")).to_have_count(1)


async def test_a_picture_is_pasted(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Show me")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").focus()
    await page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array([137,80,78,71])], 'shot.png', {type: 'image/png'}));
          const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
          document.getElementById('text').dispatchEvent(event);
        }"""
    )
    await expect(page.locator("#pending [data-file]")).to_contain_text("shot.png")


async def test_a_letter_is_answered_to_everybody_it_came_to(office: Office, enter: Enter) -> None:
    await undo_for(office, "Vera", 0)
    dialog = await office.writes(
        "Ivan Petrov",
        "Please answer us both",
        account=office.letters,
        subject="Two boats",
        to=(Address(kind="email", value="desk@boats.example"),),
        cc=(Address(kind="email", value="olga@example.org", name="Olga"),),
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    people = page.locator("#people")
    await expect(people).to_contain_text("ivan@example.org")
    await expect(people.locator("[data-cc]")).to_have_count(1)
    await people.get_by_role("button", name="+ Bcc").click()
    await page.locator("dialog.sheet input").fill("boss@boats.example")
    await page.keyboard.press("Enter")
    await write(page, "To both of you")
    await until(lambda: bool(Post.sent), "the letter did not leave")
    letter = Post.sent[0]
    assert letter.to.value == "ivan@example.org"
    assert [one.value for one in letter.cc] == ["olga@example.org"]
    assert [one.value for one in letter.bcc] == ["boss@boats.example"]
    assert "Two boats" in letter.subject


async def test_send_later_waits_and_can_be_taken_back(office: Office, enter: Enter) -> None:
    dialog = await office.writes("Ivan Petrov", "Call me tomorrow")
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.locator("#text").fill("Good morning!")
    await page.get_by_role("button", name="Send and…").click()
    await page.get_by_role("menuitem", name="Tomorrow morning").click()
    await expect(page.locator(".msg.out")).to_contain_text("leaves")
    message = await office.wait_message(dialog, "Good morning!")
    assert message.due_at > office.system.now()
    await page.locator(".msg.out").get_by_role("button", name="Take back").click()
    await expect(page.locator(".msg.out")).to_have_count(0)


async def test_send_and_close_goes_on_to_the_next_dialog(office: Office, enter: Enter) -> None:
    await undo_for(office, "Vera", 0)
    second = await office.writes("Maria Orlova", "Second")
    first = await office.writes("Ivan Petrov", "First")
    page = await enter("Vera", f"/inbox/{first}")
    await write(page, "Done, thank you", "Control+Shift+Enter")
    await expect(page.locator("h1")).to_have_text("Maria Orlova")
    await expect(page.locator(f"#row-{first}")).to_have_count(0)
    await office.wait_message(first, "Done, thank you", "sent")
    assert (await office.system.dialog(first)).status.value == "closed"
    assert page.url.split("?")[0].endswith(f"/inbox/{second}")


async def test_a_refusal_is_said_in_the_readers_words(office: Office, enter: Enter) -> None:
    await office.hands_of("Vera").do(UpdateProfile(language="ru"))
    dialog = await office.writes("Ivan Petrov", "Hello")
    Post.outcome = "blocked"
    await office.answers("Vera", dialog, "Good day")
    page = await enter("Vera", f"/inbox/{dialog}")
    failed = page.locator(".msg.failed")
    await expect(failed).to_contain_text("Не доставлено: человек нас заблокировал")
    await expect(failed.get_by_title("403 blocked by the user")).to_be_visible()
