"""An office for each test: the real application, Chromium, colleagues who are logged in."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from tests.browser.loop import in_session
from tests.browser.office import Complaints, Office, open_office

# Generous on a busy machine; what fails is looked at with less patience.
expect.set_options(timeout=int(os.environ.get("HUB_TEST_PATIENCE", "30000")))
HERE = Path(__file__).parent
# The whole browser draws a window nobody sees around every page: four times the processor.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # As the whole browser keeps sites, and frames of nobody, apart.
    "--site-per-process",
    # A name of a LAN: plain http that is not localhost, on this machine.
    "--host-resolver-rules=MAP *.lan.test 127.0.0.1",
]
# A module that is imported once more is not run again: it is waited for.
LISTENING = """() => Promise.allSettled(
    [...document.querySelectorAll('script[type=module][src]')].map((one) => import(one.src))
)"""
Enter = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives in the session's loop, and so does whoever talks to it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """A hub with two channels, an administrator (Max) and two agents (Vera, Oleg)."""
    async with open_office(tmp_path, database_url) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_chromium() -> AsyncIterator[Browser]:
    """One browser for all tests of a process: starting it costs more than many a test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@in_session
async def chromium(one_chromium: Browser) -> AsyncIterator[Browser]:
    """The browser itself; whatever a test opened in it is closed behind it."""
    yield one_chromium
    for context in one_chromium.contexts:
        await context.close()


@in_session
async def complaints() -> AsyncIterator[Complaints]:
    """No page of a test may complain, or ask anybody but the hub."""
    found = Complaints()
    yield found
    assert found.left == []


async def listening(page: Page) -> None:
    """Wait until a page's scripts listen; where it opens itself anew meanwhile, until those do."""
    for _ in range(3):
        try:
            await page.evaluate(LISTENING)
            return
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
            await page.wait_for_load_state()
    raise AssertionError(f"{page.url} opens itself anew, again and again")


def patient(page: Page) -> None:
    """Let an opened page's scripts begin to listen before the test goes on: a person is slower than
    they are, and a key that comes before them is lost. A page is loaded before its modules ran."""

    def patiently(open_page: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def opened(*given: Any, **more: Any) -> Any:
            answer = await open_page(*given, **more)
            if more.get("wait_until", "load") == "load":
                await listening(page)
            return answer

        return opened

    page.goto = patiently(page.goto)  # type: ignore[method-assign]
    page.reload = patiently(page.reload)  # type: ignore[method-assign]


@in_session
async def enter(office: Office, chromium: Browser, complaints: Complaints) -> AsyncIterator[Enter]:
    """`await enter("Vera", "/inbox")`: a new browser of a colleague, with a page open."""
    contexts = []

    async def walk_in(name: str, path: str = "/inbox", **options: Any) -> Page:
        context = await chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        )
        contexts.append(context)
        await office.log_in(context, name)
        page = await context.new_page()
        complaints.watch(page, office.url)
        patient(page)
        await page.goto(office.url + path)
        if path.startswith("/inbox"):
            await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
        return page

    yield walk_in
    for one in contexts:
        await one.close()
