"""What messengers can do, in a browser: edits, reactions, windows, templates, files, the unknown."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from hub import (
    AccountId,
    Address,
    Arrival,
    Attachment,
    CallEvent,
    CreateAccount,
    Message,
    MessageDeleted,
    MessageEdited,
    Micros,
    Reaction,
    Template,
    UpdateProfile,
)
from hub.connections import fetch_templates
from hub.web.i18n import translate
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import HOUR, Office, open_office
from tests.parrots import US, Perch, parrot, plugin_of, says

pytestmark = [pytest.mark.browser]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def perch() -> Perch:
    """The parrots' provider."""
    return Perch()


@in_session
async def office(tmp_path: Path, database_url: str, perch: Perch) -> AsyncIterator[Office]:
    """An office that also talks to parrots."""
    more = ("parrots", plugin_of(perch))
    async with open_office(tmp_path, database_url, "127.0.0.1", more) as running:
        made = CreateAccount(channel="parrot", title="Parrots")
        running.boats = AccountId((await running.system.do(made))[0])
        for name in ("Vera", "Oleg"):
            await running.hands_of(name).do(UpdateProfile(preferences={"undo_seconds": 0}))
        yield running


async def arrive(office: Office, *arrivals: Arrival) -> Any:
    account = await office.system.account(office.boats)
    return (await office.runtime.receive(account, arrivals))[0]


async def menu(page: Page, message: int, item: str) -> None:
    bubble = page.locator(f"#m-{message}")
    await bubble.hover()
    await bubble.locator("[data-do=message-menu]").click()
    await page.locator("#message-menu").get_by_role("menuitem", name=item).click()


async def sent(office: Office, dialog: Any, text: str) -> Message:
    return await office.wait_message(dialog, text, "sent")


def speaking(language: str) -> Callable[..., str]:
    """Give what says a text of the interface in a language."""

    def say(text: str, **values: str) -> str:
        words = translate(language, text)
        for name, value in values.items():
            words = words.replace(f"%({name})s", value).replace(f"{{{name}}}", value)
        return words

    return say


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_messenger_is_shown_whole(
    office: Office, enter: Enter, perch: Perch, language: str
) -> None:
    say = speaking(language)
    await office.hands_of("Vera").do(UpdateProfile(language=language))
    photo = Attachment(name="p.png", media_type="image/png", content=PIXEL)
    came = await arrive(office, says("1", "How much is a cage?", attachments=(photo,)))
    page = await enter("Vera", f"/inbox/{came.dialog_id}")
    first = page.locator(f"#m-{came.message_id}")
    await expect(first.locator("img")).to_have_count(1)
    # An edit with its history, a reaction, a kind nobody knows, a message taken back.
    await arrive(
        office, MessageEdited(dedupe_key="e", external_id="in-1", text="How much are two cages?")
    )
    await expect(first.locator(".text")).to_have_text("How much are two cages?")
    await first.get_by_role("button", name=say("edited")).click()
    await expect(page.locator("dialog .versions li")).to_contain_text(
        ["How much is a cage?", "How much are two cages?"]
    )
    await page.keyboard.press("Escape")
    await arrive(
        office,
        Reaction(dedupe_key="r", external_id="in-1", sender=parrot("polly"), emoji="🦜"),
    )
    await expect(first.locator(".reactions .chip")).to_have_text(["🦜"])
    odd = await arrive(office, says("2", "", unsupported="view-once image", raw=b"{}"))
    strange = page.locator(f"#m-{odd.message_id}")
    await expect(strange).to_contain_text(
        say("Not supported here: %(what)s", what="view-once image")
    )
    async with page.expect_download() as download:
        await strange.get_by_role("link", name=say("Download what came")).click()
    assert Path(await (await download.value).path()).read_bytes() == b"{}"
    await arrive(office, says("3", "my secret"), MessageDeleted(dedupe_key="d", external_id="in-3"))
    gone = page.locator(".msg.in", has_text=say("The sender has deleted this message"))
    await expect(gone.locator(".text")).to_be_hidden()
    await gone.get_by_text(say("Show what it said")).click()
    await expect(gone.locator(".text")).to_have_text("my secret")

    # Answering one message: what it costs is counted, the client sees which it was.
    await menu(page, came.message_id, say("Answer this message"))
    await expect(page.locator("#quoting")).to_contain_text("How much are two cages?")
    await page.locator("#text").fill("Seven each.")
    await expect(page.locator("#counter")).to_contain_text("1.00 crackers")
    picture = {"name": "cage.png", "mimeType": "image/png", "buffer": PIXEL}
    refused = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    heavy = {"name": "a.gif", "mimeType": "image/gif", "buffer": bytes(1_001)}
    await page.locator("#files").set_input_files(heavy)  # type: ignore[arg-type]
    await expect(page.locator(".toast")).to_contain_text(
        say("{name} is too large: this channel takes up to {n} MB", name="a.gif", n="0.001")
    )
    await page.locator("#files").set_input_files([refused, picture])  # type: ignore[arg-type]
    await expect(page.locator(".toast").last).to_contain_text(
        say("This channel does not take files like {name}.", name="a.txt")
    )
    await expect(page.locator("#pending [data-file]")).to_have_count(1)
    await page.locator("[data-do=add-button]").click()
    await page.locator("dialog input").fill("Buy")
    await page.keyboard.press("Enter")
    await expect(page.locator("#pending [data-button]")).to_have_count(1)
    await page.locator("#text").press("Control+Enter")
    mine = await sent(office, came.dialog_id, "Seven each.")
    assert perch.sent[0].quotes == "in-1"
    assert perch.sent[0].attachments[0].content == PIXEL
    assert [one.label for one in perch.sent[0].buttons] == ["Buy"]
    own = page.locator(f"#m-{mine.id}")
    await expect(own.locator(".answered")).to_contain_text("How much are two cages?")
    await expect(page.locator("#quoting")).to_be_hidden()

    # Changing, reacting, taking back: shown once the provider has done it.
    await expect(own).to_have_attribute("data-status", "sent")
    await menu(page, mine.id, say("Change"))
    await expect(page.locator("#text")).to_have_value("Seven each.")
    await page.locator("#text").fill("Seven for both.")
    await page.locator("#text").press("Control+Enter")
    await expect(own.locator(".text")).to_have_text("Seven for both.")
    assert perch.made("edit") == [(f"out-{mine.id}", "Seven for both.")]
    await menu(page, came.message_id, f"{say('React')} 👍")
    await expect(first.locator(".reactions .chip")).to_have_text(["🦜", "👍"])
    await menu(page, mine.id, say("Take back at the client"))
    await expect(own).to_contain_text(say("Taken back: the client does not see this any more"))

    # What is to stand out: by key, by menu, and by what one types.
    await page.locator("#text").fill("Only today")
    await page.locator("#text").press("Control+a")
    await page.locator("#text").press("Control+b")
    await expect(page.locator("#text")).to_have_value("*Only today*")
    await page.locator("#text").press("Control+b")
    await expect(page.locator("#text")).to_have_value("Only today")
    await page.get_by_role("button", name=say("Formatting")).click()
    await page.get_by_role("menuitem", name=say("Italic")).click()
    await expect(page.locator("#text")).to_have_value("_Only today_")
    await page.locator("#text").press("End")
    await page.locator("#text").press_sequentially(" *7*")
    await page.locator("#text").press("Control+Enter")
    rich = await sent(office, came.dialog_id, "_Only today_ *7*")
    bold = page.locator(f"#m-{rich.id} .text")
    await expect(bold.locator("i")).to_have_text("Only today")
    await expect(bold.locator("b")).to_have_text("7")
    await menu(page, rich.id, say("Change"))
    await expect(page.locator("#text")).to_have_value("_Only today_ *7*")
    await page.keyboard.press("Escape")

    # The provider refuses the account: everybody who works there sees it at once, and its end.
    await office.runtime.channel_host.report(office.boats, "down", "the token was revoked")
    banner = page.locator(".banner.bad", has_text="the token was revoked")
    await expect(banner).to_contain_text(say("%(title)s does not work.", title="Parrots"))
    await office.runtime.channel_host.report(office.boats, "ok")
    await expect(banner).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_one_customer_on_two_channels_who_also_calls(
    office: Office, enter: Enter, language: str
) -> None:
    say = speaking(language)
    await office.hands_of("Vera").do(UpdateProfile(language=language))
    boat = await office.writes("Polly", "By boat")
    known = Address(kind="boat", value="polly")
    came = await arrive(office, says("1", "By air", aliases=(known,)))
    dialogs = [await office.system.dialog(one) for one in (boat, came.dialog_id)]
    assert len({one.contact_id for one in dialogs}) == 1
    page = await enter("Vera", f"/inbox/{came.dialog_id}")
    await page.locator("[data-do='person'][aria-pressed]").click()
    both = page.locator("#person-entries")
    await expect(both).to_contain_text("By boat")
    await expect(both).to_contain_text("By air")
    await page.locator("[data-do='person'][aria-pressed]").click()

    # The telephone rings: an entry of the dialog beside the client's card, which fills in.
    async def call(key: str, **more: Any) -> None:
        event = CallEvent(dedupe_key=key, external_id="c1", caller=parrot("polly"), **more)
        await arrive(office, event)

    await call("c1", state="ringing")
    entry = page.locator(".msg[data-kind=call]")
    await expect(entry).to_contain_text(say("Calling now"))
    await expect(page.locator("#card-pane h1, #card-pane h2").first).to_contain_text("Polly")
    await call("c2", state="ended", duration_seconds=75, recording="https://pbx.example/r/1")
    await expect(entry).to_contain_text(f"{say('Call')} · 1:15")
    link = entry.get_by_role("link", name=say("Recording"))
    await expect(link).to_have_attribute("href", "https://pbx.example/r/1")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_the_window_closes_while_one_writes_and_a_template_goes(
    office: Office, enter: Enter, perch: Perch, language: str
) -> None:
    say = speaking(language)
    perch.catalogue = [
        Template(
            name="order",
            language="ru",
            body="Заказ {{1}} готов.",
            variables=("1",),
            examples={"1": "17"},
        )
    ]
    _, channel = await office.runtime.channel_host.get(office.boats)
    await fetch_templates(office.runtime, office.boats, channel)
    await office.hands_of("Oleg").do(UpdateProfile(language=language))
    now = office.system.now()
    came = await arrive(office, says("1", "Готово?", sent_at=Micros(now - 24 * HOUR + 12 * US)))
    page = await enter("Oleg", f"/inbox/{came.dialog_id}")
    await page.locator("#text").fill("Почти")
    await expect(page.locator("#window")).to_contain_text(
        say("The reply window is closed: only a template can be sent until the client writes.")
    )
    await expect(page.locator("#send")).to_be_disabled()
    await expect(page.locator("#text")).to_have_value("Почти")
    await page.locator("#window").get_by_role("button", name=say("Choose a template")).click()
    sheet = page.locator("dialog")
    await sheet.locator("[data-variable]").fill("17")
    await expect(sheet.locator(".template-preview")).to_contain_text("Заказ 17 готов.")
    await sheet.get_by_role("button", name=say("Send the template")).click()
    await sent(office, came.dialog_id, "Заказ 17 готов.")
    await expect(page.locator(".msg.out")).to_contain_text(f"{say('Template')}: order")
    # The client writes: the window is open again, without a reload.
    await arrive(office, says("2", "Спасибо"))
    await expect(page.locator("#send")).to_be_enabled()
    await expect(page.locator("#left")).to_contain_text(say("{n} h left to answer", n="23"))
    await expect(page.locator("#text")).to_have_value("Почти")
    assert [one.template for one in perch.sent] == ["order"]
