"""Each account keeps to its channel's rate, whatever waits; another account does not wait for it."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from hub import Capabilities, Channel, CreateAccount, OutboundMessage, SendMessage, Sent, hookimpl
from hub.outcomes import limiter_of
from tests.houses import House, NoSettings, house, message, until

RATE = 4
calls: dict[int, list[float]] = {}


class Snail(Channel):
    """Its provider counts calls."""

    name = "snail"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="snail", max_text=10, rate_per_second=RATE, connections=8
    )
    Settings = NoSettings

    async def send(self, message: OutboundMessage) -> Sent:
        """Note when it was called."""
        calls.setdefault(message.account_id, []).append(time.monotonic())
        return Sent(external_ids=(message.idempotency_key,))


@hookimpl
def register_channels() -> list[type[Channel]]:
    return [Snail]


async def ask(home: House, account_id: int, people: int, text: str) -> None:
    account = await home.system.account(account_id)  # type: ignore[arg-type]
    words = [message(f"{account_id}-{n}", f"p{n}", kind="snail") for n in range(people)]
    for received in await home.runtime.receive(account, words):
        await home.user.do(SendMessage(dialog_id=received.dialog_id, text=text))


async def test_an_account_keeps_to_its_rate(tmp_path: Path, database_url: str) -> None:
    calls.clear()
    module = ModuleType("snails")
    module.register_channels = register_channels  # type: ignore[attr-defined]
    async with house(tmp_path, database_url, workers=True, plugins=[("snails", module)]) as home:
        busy, calm = await home.user.do(
            CreateAccount(channel="snail", title="Busy"),
            CreateAccount(channel="snail", title="Calm"),
        )
        # Seven answers of two parts are fourteen calls.
        await ask(home, busy, 7, "two parts of it")
        await ask(home, calm, 2, "one")
        await until(lambda: len(calls.get(busy, ())) == 14 and len(calls.get(calm, ())) == 2)
        # The first second's worth leaves at once, the rest at the rate: never sooner.
        times = calls[busy]
        assert times[-1] - times[0] >= (14 - RATE) / RATE - 0.3
        assert calls[calm][-1] < times[-1]


@pytest.mark.parametrize(("rate", "most", "seconds"), [(20.0, 20.0, 1.0), (0.5, 1.0, 2.0)])
def test_a_rate_below_one_a_second_is_kept_too(rate: float, most: float, seconds: float) -> None:
    limiter = limiter_of(rate)
    assert (limiter.max_rate, limiter.time_period) == (most, seconds)
