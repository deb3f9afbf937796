"""Writing an SMS in a browser: what it will cost stands below the text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import channels.sms
from hub import AccountId, Address, CreateAccount, InboundMessage, UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.servers.twilio import ACCOUNT, NUMBER, TOKEN, TwilioServer

pytestmark = [pytest.mark.browser]


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as one:
        yield one


@in_session
async def office(tmp_path: Path, database_url: str, twilio: TwilioServer) -> AsyncIterator[Office]:
    """An office with a number at Twilio."""
    settings = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER}
    settings |= {"api_url": twilio.url, "segment_price": "0.0079"}
    more = ("sms", channels.sms)
    async with open_office(tmp_path, database_url, "127.0.0.1", more) as running:
        made = CreateAccount(channel="sms", title="SMS", settings=settings)
        running.boats = AccountId((await running.system.do(made))[0])
        await running.hands_of("Vera").do(UpdateProfile(preferences={"undo_seconds": 0}))
        yield running


async def test_segments_and_price_stand_in_the_composer(
    office: Office, enter: Enter, twilio: TwilioServer
) -> None:
    account = await office.system.account(office.boats)
    question = InboundMessage(
        dedupe_key="SM1",
        external_id="SM1",
        sender=Address(kind="phone", value="+15550001111"),
        text="Do you have bread?",
        sent_at=office.system.now(),
    )
    given = (await office.runtime.receive(account, [question]))[0]
    page = await enter("Vera", f"/inbox/{given.dialog_id}")
    words, counter = page.locator("#composer textarea"), page.locator("#counter")
    await words.fill("x" * 150)
    await expect(counter).to_have_text("150 / 160 · GSM-7 · parts: 1 · 0.0079 USD")
    # One letter of another alphabet, and the same length costs three times as much.
    await words.fill("x" * 149 + "я")
    await expect(counter).to_have_text("150 / 201 · UCS-2 · parts: 3 · 0.0237 USD")
    await words.press("Control+Enter")
    await office.wait_message(given.dialog_id, "x" * 149 + "я", "sent")
    assert [one["To"] for one in twilio.messages] == ["+15550001111"]
