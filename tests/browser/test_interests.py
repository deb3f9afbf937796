"""From an unknown writer to a won interest, by keyboard; the board, the funnel and their settings."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

import channels.telegram
from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.pipelines import all_pipelines
from hub import (
    CreateAccount,
    CreateObject,
    InterestId,
    LoseInterest,
    MoveInterest,
    SaveStage,
    StageId,
    UpdateProfile,
)
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Complaints, Office, open_office
from tests.browser.test_accessibility import serious
from tests.browser.test_looks import CUT, SAID, WIDE, foreign_words
from tests.servers.telegram import StandInBot, TelegramServer
from tests.wire.web_chat.site import until

pytestmark = [pytest.mark.browser]


@in_session
async def bot() -> AsyncIterator[StandInBot]:
    """A bot at Telegram's servers, which stand in this process and stay longer than the hub."""
    async with TelegramServer() as server:
        yield server.new_bot("123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """A hub that knows Telegram too."""
    more = ("telegram", channels.telegram)
    async with open_office(tmp_path, database_url, "127.0.0.1", more) as running:
        yield running


async def test_an_unknown_writer_ends_as_a_won_interest(
    bot: StandInBot, office: Office, enter: Enter, complaints: Complaints
) -> None:
    # The browser reports each refused move.
    complaints.forgive("409")
    server = bot.server
    settings = {"token": bot.token, "api_url": server.url, "receive": "polling"}
    await office.system.do(CreateAccount(channel="telegram", title="Shop bot", settings=settings))
    page = await enter("Max")
    await bot.hears(server.private(7, "Anna Petrova"), text="How much are three boats?")
    await page.locator("#rows .row", has_text="How much are three boats?").click()
    await page.wait_for_url("**/inbox/*")
    dialog_url = page.url
    await page.locator("#card-pane [data-lead]").click()
    await page.wait_for_url("**/leads/*")
    await page.get_by_text("Convert to a client").click()
    await page.get_by_label("What it is about").fill("Three boats")
    await page.get_by_label("Amount").fill("1 200,50")
    await page.get_by_role("button", name="Convert", exact=True).click()
    await expect(page.locator(".page-head .label")).to_have_text("converted")
    await page.goto(f"{office.url}/interests")
    await page.locator("[data-ready=board]").wait_for()
    card = page.locator("[data-card]", has_text="Three boats")
    await expect(card).to_contain_text("1,200.50")
    await expect(card).to_contain_text("no next step")
    stages = (await office.system.read(all_pipelines))[0].stages
    column = page.locator(f'[data-key="{stages[1].id}"]')
    await page.keyboard.press("ArrowDown")
    await expect(card.locator("[data-focus]")).to_be_focused()
    # Lifted and put back, then lifted and carried one column on.
    for keys in (("Space", "ArrowRight", "Escape"), ("Space", "ArrowRight", "Space")):
        for key in keys:
            await page.keyboard.press(key)
    await expect(column.locator("[data-card]")).to_have_count(1)
    # Carried is not moved yet: the toast comes when the hub has agreed.
    await expect(page.locator(".toast", has_text="→ Qualification")).to_be_visible()
    [interest] = (await office.system.read(objects.page, NOUNS["interest"], ObjectQuery())).items
    assert interest.stage_id == stages[1].id

    # Somebody else moves it; a card that is carried by the old picture slides to its true place.
    await page.keyboard.press("Space")
    vera = office.hands_of("Vera")
    await vera.do(MoveInterest(interest_id=InterestId(interest.id), stage_id=StageId(stages[3].id)))
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Space")
    told = page.locator(".toast", has_text="Vera moved it to Negotiation")
    await expect(told).to_be_visible()
    await expect(page.locator(f'[data-key="{stages[3].id}"] [data-card]')).to_have_count(1)

    # A gate says what is missing.
    await office.system.do(
        SaveStage(
            pipeline_id=stages[4].pipeline_id,
            stage_id=stages[4].id,
            name="Agreement",
            required=("next_step",),
        )
    )
    await card.locator("[data-menu]").click()
    await page.get_by_role("menuitem", name="Agreement").click()
    sheet = page.locator("dialog.sheet")
    await expect(sheet.get_by_label("Next step")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(f'[data-key="{stages[3].id}"] [data-card]')).to_have_count(1)
    # Won is behind the stage that asks: the same sheet, and its form takes the step too.
    await card.locator("[data-focus]").focus()
    await page.keyboard.press("w")
    await sheet.get_by_label("Next step").fill("Sign")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bcolumn [data-card]")).to_have_count(0)
    [interest] = (await office.system.read(objects.page, NOUNS["interest"], ObjectQuery())).items
    assert (interest.status, interest.next_step) == ("won", "Sign")
    # The page that comes after the sheet says what was done, and takes it back.
    won = page.locator(".toast", has_text="→ Won")
    await won.get_by_role("button", name="Undo").click()
    await expect(page.locator(f'[data-key="{stages[3].id}"] [data-card]')).to_have_count(1)
    await card.locator("[data-focus]").focus()
    await page.keyboard.press("w")
    await won.get_by_role("button", name="Undo").click()
    await expect(page.locator(f'[data-key="{stages[3].id}"] [data-card]')).to_have_count(1)
    [interest] = (await office.system.read(objects.page, NOUNS["interest"], ObjectQuery())).items
    assert interest.status == "in_work"
    # By mouse it goes where it is let go.
    await card.hover(position={"x": 5, "y": 5})
    await page.mouse.down()
    await page.locator(f'[data-key="{stages[2].id}"] h2').hover()
    await expect(page.locator(f'[data-key="{stages[2].id}"].target')).to_be_visible()
    await page.mouse.up()
    await expect(page.locator(".toast", has_text=f"→ {stages[2].name}")).to_be_visible()
    [interest] = (await office.system.read(objects.page, NOUNS["interest"], ObjectQuery())).items
    assert interest.stage_id == stages[2].id
    await card.locator("[data-focus]").focus()
    await page.keyboard.press("w")
    await expect(won).to_be_visible()
    await expect(page.locator(".bcolumn [data-card]")).to_have_count(0)
    [interest] = (await office.system.read(objects.page, NOUNS["interest"], ObjectQuery())).items
    assert interest.status == "won"

    # Every bar opens its list.
    await page.goto(f"{office.url}/interests/funnel")
    await page.locator(".funnel a", has_text="Won").click()
    await expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
    await page.goto(dialog_url)
    await expect(page.locator("#card-pane")).to_contain_text("Three boats")


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("ru", "dark", 360), ("en", "light", 1440)]
)
async def test_boards_fit_and_speak_one_language(
    office: Office, enter: Enter, language: str, theme: str, width: int
) -> None:
    await office.hands_of("Max").do(UpdateProfile(language=language, theme=theme))
    stages = (await office.system.read(all_pipelines))[0].stages
    long = "Сорок лодок для очень длинного названия регаты на Онежском озере"
    ids = []
    for n in range(4):
        values = {"title": long if n % 2 else "Шлюпка", "amount": "1234567.89", "stage_id": n + 1}
        if n:
            values |= {"next_step": "Позвонить", "next_step_at": "2026-01-31"}
        command = CreateObject(kind="interest", values=values)
        ids.append(InterestId((await office.hands_of("Vera").do(command))[0]))
    await office.system.do(LoseInterest(interest_id=ids[0], reason_id=1))
    await office.system.do(
        SaveStage(
            pipeline_id=stages[1].pipeline_id, stage_id=stages[1].id, name="Проверка", colour="teal"
        )
    )
    await office.writes("Anna", "Почём лодки?")
    options = {"has_touch": True, "is_mobile": True} if width < 720 else {}
    page = await enter(
        "Max", "/interests", viewport={"width": width, "height": 844}, locale=language, **options
    )
    wrong_words = foreign_words() if language == "ru" else set()
    folder = os.environ.get("HUB_SCREENSHOTS", "")
    found: dict[str, object] = {}
    paths = (
        "/interests",
        "/interests/list?view=all",
        "/interests/funnel?compare=yes",
        f"/interests/{ids[1]}",
        "/settings/pipelines",
        "/leads/board",
        "/requests/board",
        "/requests/board?view=mine",
    )
    for path in paths:
        await page.goto(f"{office.url}{path}")
        await page.evaluate(
            "document.querySelectorAll('main details:not(.pop)').forEach((one) => one.open = 1)"
        )
        if folder:
            name = f"{language}-{theme}-{width}-{path.strip('/').replace('/', '-')}.png"
            await page.screenshot(path=Path(folder) / name, full_page=True)
        wrong: list[object] = [*sorted(wrong_words & set(await page.evaluate(SAID)))]
        wrong += await page.evaluate(CUT)
        wrong += await serious(page)
        if too_wide := await page.evaluate(WIDE):
            wrong.append(f"scrolls sideways by {too_wide}")
        if wrong:
            found[path] = wrong
    assert found == {}
    if width < 720:
        await page.goto(f"{office.url}/interests")
        await touched(page, page.locator(f'[data-card="{ids[1]}"]'), "won")
        await until(lambda: _is_won(office, ids[1]), "the card was not moved by touch")


async def touched(page: Page, card: Locator, key: str) -> None:
    """Hold a card by a finger until it is lifted, carry it to a column or a zone, let it go."""
    await page.locator("[data-ready=board]").wait_for()
    await card.scroll_into_view_if_needed()
    finger = await page.context.new_cdp_session(page)

    async def touch(kind: str, place: Locator | None = None) -> None:
        box = await place.bounding_box() if place else None
        points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + 12}] if box else []
        await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    await touch("touchStart", card)
    await expect(card).to_have_class(re.compile("lifted"))
    to = page.locator(f'[data-board] [data-key="{key}"]')
    await touch("touchMove", to)
    await expect(to).to_have_class(re.compile("target"))
    await touch("touchEnd")


async def _is_won(office: Office, interest_id: int) -> bool:
    return (await office.system.read(objects.one, NOUNS["interest"], interest_id)).status == "won"
