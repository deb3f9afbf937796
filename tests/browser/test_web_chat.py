"""The web chat in a real browser: a visitor on a site, an agent at the hub."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from hub import Attachment, AttachmentId, Direction
from hub.feed import Signal
from tests.browser.loop import in_session
from tests.wire.web_chat.site import ChatHub, Site, running_chat, until

pytestmark = [pytest.mark.browser]
expect.set_options(timeout=30_000)
STRICT = (
    "default-src 'none'; script-src HUB 'nonce-n1'; connect-src HUB; style-src 'nonce-n1'; "
    "img-src data:; require-trusted-types-for 'script'"
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@in_session
async def chat(tmp_path: Path, database_url: str) -> AsyncIterator[ChatHub]:
    async with running_chat(tmp_path, database_url) as running:
        yield running


@in_session
async def visitor(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport={"width": 1000, "height": 760}, locale="en-GB")
    yield context
    await context.close()


class Errors(list[str]):
    """What a page complained about."""

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on(
            "console",
            lambda line: self.append(line.text) if line.type in ("error", "warning") else None,
        )


async def visit(
    context: BrowserContext, chat: ChatHub, path: str = "", *, show: bool = True
) -> Page:
    page = await context.new_page()
    await page.goto(f"{chat.site_url}/{path}")
    await page.locator("dialog-hub-chat").wait_for(state="attached", timeout=30_000)
    if show:
        await page.locator(".launcher").click()
        await expect(page.locator(".panel")).to_be_visible()
    return page


async def write(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.keyboard.press("Enter")


def bubbles(page: Page, text: str | re.Pattern[str]) -> Any:
    return page.locator(".bubble", has_text=text)


async def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for pictures to look at."""
    if folder := os.environ.get("HUB_TEST_PICTURES"):
        await page.screenshot(path=f"{folder}/web-chat-{name}.png")


async def test_first_word_live_answer_and_what_was_read(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    errors = Errors()
    page = await visit(visitor, chat, "roses?utm_source=mail&utm_campaign=may", show=False)
    errors.watch(page)
    assert chat.requests.count(f"/p/web_chat/{chat.account_id}/visitor") == 0
    await page.locator(".launcher").click()
    await expect(page.locator("textarea")).to_be_focused()
    await write(page, "Is the blue bench in stock?")
    message = await chat.said("Is the blue bench in stock?")
    profile = message.extra["profile"]
    assert isinstance(profile, dict)
    assert profile["page"].endswith("/roses?utm_source=mail&utm_campaign=may")
    assert (profile["page_title"], profile["utm_source"]) == ("Garden shop", "mail")
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    await chat.answer("Yes, five are left.")
    await expect(bubbles(page, "Yes, five are left.")).to_be_visible()
    await expect(page.locator("li.theirs .name")).to_have_text("Anna")

    async def read() -> bool:
        return (await chat.messages())[-1].status == "read"

    await until(read, "the answer was looked at, but no read mark came")
    await chat.signal("seen", str(message.id))
    await write(page, "Thank you")
    await chat.said("Thank you")
    await expect(page.locator("li.mine .when").last).to_contain_text("Sent")
    await chat.signal("seen")
    await expect(page.locator("li.mine .when").last).to_contain_text("Seen")
    await picture(page, "answer")
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel")).to_be_hidden()
    await expect(page.locator(".launcher")).to_be_focused()
    await chat.answer("One more thing")
    await expect(page.locator(".badge")).to_have_text("1")

    async def delivered() -> bool:
        return (await chat.messages())[-1].status == "delivered"

    await until(delivered, "the answer reached the page, but no mark of it came")
    await page.locator(".launcher").press("Enter")
    await expect(page.locator(".badge")).to_be_hidden()
    await until(read, "the second answer was opened, but no read mark came")
    assert errors == []


async def test_typing_is_shown_both_ways(chat: ChatHub, visitor: BrowserContext) -> None:
    page = await visit(visitor, chat)
    await write(page, "Hello")
    await chat.said("Hello")
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    async with chat.runtime.feed.subscribe() as feed:
        await page.locator("textarea").press_sequentially("One moment")

        async def typing() -> bool:
            return any(isinstance(one, Signal) and one.contact for one in await feed.get())

        await until(typing, "the visitor's typing was not shown to the agents")
    await chat.signal("typing", "Anna")
    await expect(page.locator(".typing")).to_be_visible()
    await expect(page.locator(".typing")).to_have_text("Anna is typing")
    await chat.answer("Here I am")
    await expect(bubbles(page, "Here I am")).to_be_visible()
    await expect(page.locator(".typing")).to_be_hidden()


async def test_files_go_both_ways(chat: ChatHub, visitor: BrowserContext) -> None:
    await chat.set(max_file_mb=1)
    page = await visit(visitor, chat)
    pick = page.locator("input[type=file]")
    await pick.set_input_files(
        [{"name": "big.zip", "mimeType": "application/zip", "buffer": b"x" * 1_000_001}]
    )
    await expect(page.locator(".note")).to_contain_text("big.zip is larger than 1 MB")
    await pick.set_input_files(
        [{"name": "фото.png", "mimeType": "image/png", "buffer": PNG}],
    )
    await expect(page.locator(".chosen")).to_contain_text("фото.png")
    await write(page, "Look at this")
    message = await chat.said("Look at this")
    assert [one.name for one in message.attachments] == ["фото.png"]
    await expect(page.locator(".picture img")).to_have_attribute("alt", "фото.png")
    (dialog,) = await chat.dialogs()
    price = Attachment(name="прайс.pdf", media_type="application/pdf", content=b"%PDF-1.4")
    await chat.answer("And this", AttachmentId(await chat.agent.upload(price, dialog.id)))
    async with page.expect_download() as download:
        await page.locator("a.file", has_text="прайс.pdf").click()
    assert Path(await (await download.value).path()).read_bytes() == b"%PDF-1.4"
    await picture(page, "files")


async def test_words_written_offline_leave_once_when_the_network_is_back(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    page = await visit(visitor, chat)
    await write(page, "First")
    await chat.said("First")
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    await visitor.set_offline(True)
    await write(page, "Written in a tunnel")
    await write(page, "And this")
    await expect(page.locator("li.mine .when", has_text="Waiting for the network")).to_be_visible()
    await expect(page.locator("header small")).to_have_text("Reconnecting…")
    await chat.answer("Are you there?")
    await visitor.set_offline(False)
    await chat.said("And this")
    await expect(bubbles(page, "Are you there?")).to_be_visible()
    words = [one.text for one in await chat.messages() if one.direction is Direction.IN]
    assert words == ["First", "Written in a tunnel", "And this"]
    await expect(page.locator("header small")).to_have_text("")
    await expect(page.locator("li.mine")).to_have_count(3)


async def test_a_broken_hub_keeps_the_words_and_a_tap_sends_them_again(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    page = await visit(visitor, chat)
    await write(page, "First")
    await chat.said("First")
    await page.route("**/hooks/**", lambda route: route.fulfill(status=422, body="{}"))
    await write(page, "Keep this")
    await expect(page.locator(".retry")).to_have_text("Not sent: tap to retry")
    await page.reload()
    await expect(page.locator(".retry")).to_be_visible()
    await picture(page, "failed")
    await page.unroute("**/hooks/**")
    await page.locator(".retry").click()
    await chat.said("Keep this")
    await expect(page.locator(".retry")).to_have_count(0)
    assert [one.text for one in await chat.messages()] == ["First", "Keep this"]


async def test_a_lost_answer_of_the_hub_doubles_nothing(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    page = await visit(visitor, chat)
    lost = 0

    async def swallow(route: Any) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/hooks/**", swallow)
    await write(page, "Only once")
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    await page.reload()
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    assert [one.text for one in await chat.messages()] == ["Only once"]
    await expect(page.locator("li.mine")).to_have_count(1)


async def test_what_was_answered_meanwhile_is_there_after_a_reload_and_a_broken_hub(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    page = await visit(visitor, chat)
    await write(page, "Hello")
    await chat.said("Hello")
    await page.close()
    await chat.listened(0)
    await chat.answer("While you were away")
    page = await visit(visitor, chat, "other-page", show=False)
    # The panel was open when the visitor left, and it is again.
    await expect(bubbles(page, "While you were away")).to_be_visible()
    await expect(page.locator(".mine .bubble")).to_have_text("Hello")
    # A stream that begins while the hub goes down would outlive it here.
    await chat.listened()
    chat.down.set()
    from plugins.web_chat.streams import STREAMS

    await STREAMS.close()
    await expect(page.locator("header small")).to_have_text("Reconnecting…")
    await chat.answer("While the hub was down")
    chat.down.clear()
    await expect(bubbles(page, "While the hub was down")).to_be_visible()


async def test_two_tabs_are_one_visitor_with_one_stream(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    from plugins.web_chat.streams import STREAMS

    one = await visit(visitor, chat)
    await write(one, "From the first tab")
    await chat.said("From the first tab")
    two = await visit(visitor, chat, show=False)
    await expect(bubbles(two, "From the first tab")).to_be_visible()
    await write(two, "From the second tab")
    await expect(bubbles(one, "From the second tab")).to_be_visible()
    await chat.answer("To both")
    for page in (one, two):
        await expect(bubbles(page, "To both")).to_be_visible()
    (dialog,) = await chat.dialogs()
    assert STREAMS.count(chat.account_id, dialog.address) == 1
    await one.close()
    await chat.answer("To the one that is left")
    await expect(bubbles(two, "To the one that is left")).to_be_visible()
    assert len(await chat.messages()) == 4


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (Site(lang="ru"), ("Напишите нам", "Здравствуйте! Чем можем помочь?", "Отправлено")),
        (Site(lang="en"), ("Chat with us", "Hello! How can we help you?", "Sent")),
        (
            Site(lang="de", attributes='data-lang="ru"'),
            ("Напишите нам", "Здравствуйте!", "Отправлено"),
        ),
    ],
    ids=["russian page", "english page", "overridden"],
)
async def test_the_chat_speaks_the_language_of_the_page(
    chat: ChatHub, visitor: BrowserContext, site: Site, words: tuple[str, str, str]
) -> None:
    chat.sites[""] = site
    page = await visit(visitor, chat)
    await expect(page.locator("header strong")).to_have_text(words[0])
    await expect(page.locator(".hello")).to_contain_text(words[1])
    await write(page, "42")
    await expect(page.locator("li.mine .when")).to_contain_text(words[2])


async def test_quick_questions_are_asked_with_a_click(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    await chat.set(questions="Where is my order?\nDelivery cost", title="Garden", greeting="Hi!")
    page = await visit(visitor, chat)
    await picture(page, "questions")
    await page.get_by_role("button", name="Delivery cost").click()
    await chat.said("Delivery cost")
    await expect(page.locator(".questions")).to_have_count(0)


async def test_outside_working_hours_an_address_and_a_consent_are_asked_first(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    await chat.set(
        hours="Mon 0:00-0:01",
        hours_text="Пн–Пт 9:00–18:00",
        consent_text="Согласен на обработку данных.",
        consent_link="https://shop.example/privacy",
        ask_name=True,
    )
    chat.sites[""] = Site(lang="ru")
    page = await visit(visitor, chat)
    await expect(page.locator(".log")).to_contain_text("Сейчас мы не на связи")
    await write(page, "Перезвоните")
    form = page.locator("form.first")
    await expect(form).to_be_visible()
    assert await chat.dialogs() == ()
    await form.get_by_label("Ваше имя").fill("Вера")
    await form.get_by_label("Электронная почта").fill("vera@example.org")
    await form.get_by_role("checkbox").check()
    await picture(page, "away")
    await form.get_by_role("button", name="Отправить").click()
    message = await chat.said("Перезвоните")
    profile = message.extra["profile"]
    assert isinstance(profile, dict)
    assert (profile["name"], profile["email"]) == ("Вера", "vera@example.org")
    assert profile["consent"].endswith("Согласен на обработку данных.")
    await expect(form).to_have_count(0)
    await write(page, "И ещё")
    await chat.said("И ещё")


async def test_on_a_dark_page_the_chat_is_dark(chat: ChatHub, visitor: BrowserContext) -> None:
    chat.sites[""] = Site(css="background: #101010; color: #eee")
    page = await visit(visitor, chat)
    await write(page, "Hello")
    await chat.said("Hello")
    await chat.answer("Good evening")
    await expect(bubbles(page, "Good evening")).to_be_visible()
    colors = await page.locator(".theirs .bubble").last.evaluate(
        "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
    )
    assert _contrast(*colors) >= 7
    back = await page.locator(".panel").evaluate("node => getComputedStyle(node).backgroundColor")
    assert _luminance(back) < 0.05
    await picture(page, "dark")


@pytest.mark.parametrize(("width", "height"), [(320, 568), (640, 380)], ids=["320", "zoom 200"])
async def test_it_works_on_a_narrow_page_and_at_double_zoom(
    chat: ChatHub, chromium: Browser, width: int, height: int
) -> None:
    chat.sites[""] = Site(lang="ru")
    context = await chromium.new_context(viewport={"width": width, "height": height})
    page = await visit(context, chat)
    await write(page, "Сверхдлинноеслово" * 12)
    await chat.said("Сверхдлинноеслово" * 12)
    await chat.answer("https://shop.example/" + "a" * 200)
    await expect(page.locator(".theirs a")).to_be_visible()
    box = await page.locator(".panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    sizes = await page.locator(".log").evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert sizes[0] == sizes[1]
    for button in (".send", "header button >> nth=1", ".composer .quiet"):
        await expect(page.locator(button)).to_be_in_viewport(ratio=1)
    await picture(page, f"{width}")
    await page.locator("header button").last.click()
    await expect(page.locator(".panel")).to_be_hidden()
    await context.close()


async def test_a_site_with_the_strictest_policy_can_have_it(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    chat.sites[""] = Site(headers={"content-security-policy": STRICT})
    errors = Errors()
    page = await visitor.new_page()
    errors.watch(page)
    await page.goto(chat.site_url)
    await page.locator(".launcher").click()
    await write(page, "Hello")
    await chat.said("Hello")
    await chat.answer("https://shop.example works")
    await expect(bubbles(page, "works")).to_be_visible()
    assert await page.locator(".panel").evaluate("node => getComputedStyle(node).display") == "flex"
    assert errors == []
    # Pictures of the hub are forbidden there: they are shown as files.
    (dialog,) = await chat.dialogs()
    photo = Attachment(name="bench.png", media_type="image/png", content=PNG)
    await chat.answer("photo", AttachmentId(await chat.agent.upload(photo, dialog.id)))
    await expect(page.locator("a.file", has_text="bench.png")).to_be_visible()


HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> "
    'javascript:alert(1) [x](javascript:alert(1)) https://ok.example/"onmouseover="x '
    "data:text/html,<script> \u202eexe.fdp </dialog-hub-chat>"
)


async def test_hostile_words_stay_words(chat: ChatHub, visitor: BrowserContext) -> None:
    chat.sites[""] = Site(attributes="data-debug")
    errors = Errors()
    page = await visit(visitor, chat)
    errors.watch(page)
    await write(page, HOSTILE)
    await chat.said(HOSTILE)
    await chat.answer(HOSTILE)
    await chat.signal("typing", "<img src=x onerror=alert(1)>")
    await expect(page.locator(".bubble", has_text="onerror")).to_have_count(2)
    assert await page.title() == "Garden shop"
    shadow = await page.locator("dialog-hub-chat").evaluate(
        "node => [...node.shadowRoot.querySelectorAll('img,script,iframe,object')].length"
    )
    assert shadow == 0
    links = await page.locator(".bubble a").evaluate_all("nodes => nodes.map(one => one.href)")
    assert set(links) == {"https://ok.example/"}
    assert errors == []


@pytest.mark.parametrize(
    "before",
    [
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})",
        "window.BroadcastChannel = undefined; delete Navigator.prototype.locks",
        "window.CSSStyleSheet = undefined",
    ],
    ids=["no storage", "no channel, no locks", "no style sheets of its own"],
)
async def test_it_works_in_a_browser_that_denies_much(
    chat: ChatHub, visitor: BrowserContext, before: str
) -> None:
    chat.sites[""] = Site(before=before)
    errors = Errors()
    page = await visit(visitor, chat)
    errors.watch(page)
    await write(page, "Hello")
    await chat.said("Hello")
    await chat.answer("Hello to you")
    await expect(bubbles(page, "Hello to you")).to_be_visible()
    assert errors == []


@pytest.mark.parametrize("damage", ["down", "no such account", "blocked", "junk"])
async def test_a_site_never_breaks_because_of_it(
    chat: ChatHub, visitor: BrowserContext, damage: str
) -> None:
    page = await visitor.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    if damage == "down":
        await page.route("**/config*", lambda route: route.fulfill(status=502, body="<h1>Bad"))
    elif damage == "no such account":
        await page.route("**/config*", lambda route: route.fulfill(status=404, body="{}"))
    elif damage == "blocked":
        await page.route("**/config*", lambda route: route.abort())
    else:
        await page.route("**/config*", lambda route: route.fulfill(status=200, body='{"a": 1}'))
    async with (
        page.expect_response(re.compile("/config"))
        if damage != "blocked"
        else page.expect_event("requestfailed")
    ):
        await page.goto(chat.site_url)
    await page.locator("#search").fill("roses")
    await expect(page.locator("#search")).to_have_value("roses")
    assert await page.locator("dialog-hub-chat").count() == 0
    assert failures == []


async def test_a_whole_dialog_by_keyboard_and_the_site_s_keys_stay_quiet(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    chat.sites[""] = Site(
        before="addEventListener('keydown', (event) => document.documentElement.dataset.keys = "
        "(document.documentElement.dataset.keys || '') + event.key)"
    )
    page = await visit(visitor, chat, show=False)
    await page.locator("#search").focus()
    await page.keyboard.press("Tab")
    await expect(page.locator(".launcher")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("by keys")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two lines")
    await page.keyboard.press("Enter")
    await chat.said("by keys\ntwo lines")
    await page.keyboard.press("Escape")
    await expect(page.locator(".launcher")).to_be_focused()
    await expect(page.locator(".launcher")).to_have_attribute("aria-expanded", "false")
    heard = await page.evaluate("document.documentElement.dataset.keys || ''")
    assert "by" not in heard
    log = page.get_by_role("log")
    await page.keyboard.press("Enter")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()


async def test_older_words_are_shown_on_request(chat: ChatHub, visitor: BrowserContext) -> None:
    page = await visit(visitor, chat)
    await write(page, "number 0")
    await chat.said("number 0")
    for number in range(1, 60):
        await chat.answer(f"number {number}")
    await expect(bubbles(page, "number 59")).to_be_visible()
    await page.reload()
    await expect(bubbles(page, re.compile("^number 59$"))).to_be_visible()
    await expect(bubbles(page, re.compile("^number 0$"))).to_have_count(0)
    # A real click scrolls to the button first, and coming near the top asks by itself.
    await page.get_by_role("button", name="Show earlier messages").dispatch_event("click")
    await expect(bubbles(page, re.compile("^number 0$"))).to_have_count(1)
    await expect(page.locator(".bubble", has_text="number")).to_have_count(60)


async def test_a_visitor_with_a_forged_token_begins_anew(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    page = await visit(visitor, chat)
    await write(page, "secret words")
    await chat.said("secret words")
    await expect(page.locator("li.mine .when")).to_contain_text("Sent")
    await page.evaluate(
        "name => localStorage.setItem(name, JSON.stringify('forged.token'))",
        f"dialoghub.{chat.account_id}.token",
    )
    await page.reload()
    await expect(page.locator(".hello")).to_be_visible()
    await expect(bubbles(page, "secret words")).to_have_count(0)
    await write(page, "a new start")

    async def two() -> bool:
        return len(await chat.dialogs()) == 2

    await until(two, "the new visitor has no dialog of his own")


def _luminance(color: str) -> float:
    red, green, blue = (int(one) / 255 for one in re.findall(r"\d+", color)[:3])
    linear = [
        one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4
        for one in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, two: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def test_the_sample_page_of_the_hub_shows_it_at_once(
    chat: ChatHub, visitor: BrowserContext
) -> None:
    cookies = await chat.log_in()
    await visitor.add_cookies(
        [{"name": name, "value": value, "url": chat.hub_url} for name, value in cookies.items()]
    )
    page = await visitor.new_page()
    errors = Errors()
    errors.watch(page)
    await page.goto(f"{chat.base}/preview")
    await expect(page.locator(".panel")).to_be_visible()
    await write(page, "A message to ourselves")
    await chat.said("A message to ourselves")
    await chat.answer("It works")
    await expect(bubbles(page, "It works")).to_be_visible()
    await picture(page, "preview")
    assert errors == []
