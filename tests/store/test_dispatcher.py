"""What is due and cannot go is not asked for without end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub import ClaimDeliveries, SendMessage, TemporaryFailure, UpdateAccount
from hub.runtime import Runtime
from tests.houses import House, house, message, until


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> list[ClaimDeliveries]:
    """Count the claims."""
    found: list[ClaimDeliveries] = []
    do = Runtime.do

    async def counted(self: Runtime, actor: object, scopes: object, commands: object) -> object:
        found.extend(one for one in commands if isinstance(one, ClaimDeliveries))  # type: ignore[attr-defined]
        return await do(self, actor, scopes, commands)  # type: ignore[arg-type]

    monkeypatch.setattr(Runtime, "do", counted)
    return found


async def answer(home: House, key: str, text: str = "hello") -> None:
    (received,) = await home.receive(message(key))
    await home.user.do(SendMessage(dialog_id=received.dialog_id, text=text))


async def test_a_paused_account_is_left_alone_and_goes_on_at_once(
    tmp_path: Path, database_url: str, claims: list[ClaimDeliveries]
) -> None:
    async with house(tmp_path, database_url, workers=True) as home:
        await home.user.do(UpdateAccount(account_id=home.pigeon, paused=True))
        await answer(home, "one")
        await asyncio.sleep(1)
        assert not claims
        assert not home.world.sent
        await home.user.do(UpdateAccount(account_id=home.pigeon, paused=False))
        await until(lambda: len(home.world.sent) == 1)


async def test_what_waits_for_an_older_message_is_asked_for_now_and_then(
    tmp_path: Path, database_url: str, claims: list[ClaimDeliveries]
) -> None:
    async with house(tmp_path, database_url, workers=True) as home:
        home.world.outcomes = [TemporaryFailure("not now")]
        await answer(home, "one", "first")
        await until(lambda: len(home.world.sent) == 1)
        await answer(home, "two", "second")
        del claims[:]
        await asyncio.sleep(0.8)
        assert len(claims) < 8
