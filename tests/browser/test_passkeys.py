"""A passkey in a real browser with a device in it: added in the profile, shown at the login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from hub import SetPassword
from tests.browser.conftest import patient
from tests.browser.loop import in_session
from tests.browser.office import Complaints, Office, open_office
from tests.browser.test_accessibility import serious
from tests.scenarios.web.house import _HASH, PASSWORD

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@in_session
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """A hub under a name that browsers trust without https."""
    async with open_office(tmp_path, database_url, "localhost") as running:
        await running.hire("Инна", language="ru")
        for user_id in running.users.values():
            await running.system.do(SetPassword(user_id=user_id, password_hash=_HASH))
        yield running


async def device_in(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """Put a device that knows its owner into a browser."""
    line = await context.new_cdp_session(page)
    await line.send("WebAuthn.enable")
    made = await line.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return line, made["authenticatorId"]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "add", "out", "enter", "used"),
    [
        ("Vera", "Add a passkey", "Log out", "Sign in with a passkey", "last used"),
        ("Инна", "Добавить ключ доступа", "Выйти", "Войти с ключом доступа", "последний вход"),
    ],
)
async def test_a_passkey_is_added_and_opens_the_door(
    here: Office,
    chromium: Browser,
    complaints: Complaints,
    name: str,
    add: str,
    out: str,
    enter: str,
    used: str,
) -> None:
    locale = "ru-RU" if name == "Инна" else "en-GB"
    context = await chromium.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    await here.log_in(context, name)
    page = await context.new_page()
    complaints.watch(page, here.url)
    complaints.forgive("status of 422")
    patient(page)
    line, device = await device_in(context, page)
    await page.goto(f"{here.url}/settings/profile")
    box = page.locator("#passkeys")
    await box.locator("#f-passkey").fill("Laptop")
    await box.locator("#f-again").fill("not the password")
    await box.get_by_role("button", name=add).click()
    await expect(box.locator("[data-said]")).to_be_visible()
    await box.locator("#f-again").fill(PASSWORD)
    await box.get_by_role("button", name=add).click()
    await expect(box.locator("li")).to_contain_text("Laptop")
    # The same device makes no second one.
    await box.locator("#f-passkey").fill("Again")
    await box.locator("#f-again").fill(PASSWORD)
    await box.get_by_role("button", name=add).click()
    await expect(box.locator("[data-said]")).to_be_visible()
    assert await serious(page) == []

    await page.locator(".side").get_by_role("button", name=out).click()
    await expect(page.locator("#f-password")).to_be_visible()
    assert await serious(page) == []
    # Its owner is not recognised: nothing opens, and the page says so.
    await line.send(
        "WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False}
    )
    await page.get_by_role("button", name=enter).click()
    await expect(page.locator("[data-said]")).to_be_visible()
    await line.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    await page.get_by_role("button", name=enter).click()
    await page.wait_for_url(f"{here.url}/inbox")
    await page.goto(f"{here.url}/settings/profile")
    await expect(page.locator("#passkeys li")).to_contain_text(used)
    await context.close()
