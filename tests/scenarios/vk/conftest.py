"""A bakery's community at the VK stand-in, connected to a hub: by callback or by long poll."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import channels.vk
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.servers.vk import TOKEN, Vk

SECRET = "s3cretOfTheBakery"


@pytest.fixture
def vk() -> Iterator[Vk]:
    with Vk() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts are repeated after a second, not after up to ten."""
    monkeypatch.setattr("hub.outcomes.BACKOFF_FIRST", timedelta(milliseconds=100))


@pytest.fixture
def way() -> str:
    """How messages come in; a test may say otherwise."""
    return "callback"


@pytest.fixture
async def shop(tmp_path: Path, database_url: str, vk: Vk, way: str) -> AsyncIterator[Office]:
    settings = {
        "token": TOKEN,
        "receive": way,
        "callback_secret": SECRET,
        "api_url": vk.url,
    }
    async with office(tmp_path, database_url, {"vk": channels.vk}, "vk", settings) as one:
        if way == "callback":
            await until(lambda: vk.servers and vk.servers[0]["status"] == "ok", SECONDS)
            await until(lambda: vk.servers[0]["switches"].get("message_new"), SECONDS)
        else:
            await until(lambda: any(r.path == "/lp" for r in vk.requests), SECONDS)
        yield one
