"""A bakery's number at Meta's stand-in, connected to a hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import channels.whatsapp
from crm_store.quarantine import quarantined
from crm_store.viewer import Reader
from hub import QuarantineItem
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.servers.graph import ACCOUNT_ID, PHONE_ID, SECRET, TOKEN, GraphServer


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts are repeated after a second, not after up to ten."""
    monkeypatch.setattr("hub.outcomes.BACKOFF_FIRST", timedelta(milliseconds=100))


def values(graph: GraphServer, **more: Any) -> dict[str, Any]:
    """The form of an account."""
    own = {
        "phone_number_id": PHONE_ID,
        "business_account_id": ACCOUNT_ID,
        "access_token": TOKEN,
        "app_secret": SECRET,
        "api_url": graph.url,
    }
    return {**own, **more}


@pytest.fixture
async def shop(tmp_path: Path, database_url: str, graph: GraphServer) -> AsyncIterator[Office]:
    plugins = {"whatsapp": channels.whatsapp}
    async with office(tmp_path, database_url, plugins, "whatsapp", values(graph)) as one:
        # Meta's challenge has been answered by then: the stand-in sets nothing without it.
        await until(lambda: graph.webhook, SECONDS)
        yield one


async def bring(graph: GraphServer, *messages: dict[str, Any], **more: Any) -> None:
    """People write, and Meta's request is taken."""
    assert await asyncio.to_thread(graph.bring, *messages, **more) == 200


async def tell(graph: GraphServer, n: int, status: str, *errors: dict[str, Any]) -> None:
    """Meta tells of the n-th message of ours."""
    assert await asyncio.to_thread(graph.tell, graph.messages[n], status, *errors) == 200


def kept(reader: Reader) -> list[QuarantineItem]:
    """What nobody could read."""
    return list(quarantined(reader))
