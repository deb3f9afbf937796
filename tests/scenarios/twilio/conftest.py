"""A shop's number at the Twilio stand-in, connected to a hub: as SMS, or as WhatsApp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import channels.sms
import channels.whatsapp
from hub import AccountId, CreateAccount
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.servers.twilio import ACCOUNT, NUMBER, TOKEN, TwilioServer

PERSON = "+15550001111"
PLUGINS = {"sms": channels.sms, "whatsapp": channels.whatsapp}


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts are repeated after a second, not after up to ten."""
    monkeypatch.setattr("hub.outcomes.BACKOFF_FIRST", timedelta(milliseconds=100))


def values(twilio: TwilioServer, **more: Any) -> dict[str, Any]:
    """The form of an account."""
    own = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER, "api_url": twilio.url}
    return {**own, **more}


@pytest.fixture
async def shop(tmp_path: Path, database_url: str, twilio: TwilioServer) -> AsyncIterator[Office]:
    """A hub with an SMS account, known to Twilio."""
    settings = values(twilio, segment_price="0.0079")
    async with office(tmp_path, database_url, PLUGINS, "sms", settings) as one:
        await until(lambda: twilio.numbers[NUMBER], SECONDS)
        yield one


@pytest.fixture
async def whatsapp(
    tmp_path: Path, database_url: str, twilio: TwilioServer
) -> AsyncIterator[Office]:
    """A hub with a WhatsApp account at Twilio, its webhook entered by hand."""
    settings = values(twilio)
    async with office(tmp_path, database_url, PLUGINS, "whatsapp_twilio", settings) as one:
        twilio.numbers[NUMBER] = await hook(one)
        yield one


async def hook(shop: Office, account_id: AccountId | None = None) -> str:
    """The public address of an account's webhook."""
    account = await shop.system.account(account_id or shop.account_id)
    return f"{shop.runtime.public_url}/hooks/{account.hook_token}"


async def second(shop: Office, channel: str, settings: dict[str, Any]) -> AccountId:
    """Connect one more account."""
    command = CreateAccount(channel=channel, title="Second", settings=settings)
    return AccountId((await shop.user.do(command))[0])


async def text(twilio: TwilioServer, words: str = "", sender: str = PERSON, **more: str) -> None:
    """A person writes, and Twilio's request is taken."""
    status, body = await asyncio.to_thread(twilio.bring, sender, words, **more)
    assert status == 200, body


async def tell(twilio: TwilioServer, n: int, status: str, code: int = 0) -> None:
    """Twilio tells of the n-th message of ours."""
    answered = await asyncio.to_thread(twilio.tell, twilio.messages[n], status, code)
    assert answered[0] == 200, answered
