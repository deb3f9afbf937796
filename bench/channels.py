"""What each channel costs: a webhook read, verified and committed, beside the barest channel there is.

    python -m bench.channels --messages 2000 --rounds 3

Bodies and signatures are those of the channels' contract tests, so every channel does all of its own
work: proof, reading, mapping. The bare path is bench_channel, which only compares a secret. Thirty-two
callers, SQLite, one process, no HTTP server in between (bench.intake has it). The second part is how
long the contract kit takes for each channel, in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.bench_channel import plugin
from bench.figures import load
from hub import SYSTEM, Account, AccountId, CreateAccount, CreateUser, Micros, WebhookRequest
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.testing import ChannelContract

CALLERS = 32
TEXT = "Здравствуйте, сколько стоит доставка в Казань? " + "x" * 300
PUSHING = {
    "telegram": ("channels.telegram", "test_telegram", "TestTelegram"),
    "vk": ("channels.vk", "test_vk", "TestVk"),
    "max": ("channels.max_messenger", "test_max_messenger", "TestMax"),
    "sms": ("channels.sms", "test_sms", "TestSms"),
    "whatsapp": ("channels.whatsapp", "test_whatsapp", "TestWhatsApp"),
    "whatsapp_twilio": ("channels.whatsapp", "test_whatsapp", "TestTwilioWhatsApp"),
    "webhook": ("channels.webhook", "test_webhook", "TestWebhook"),
}
"""The plugin of each channel that is pushed to, and its contract test."""
Requests = Callable[[int], WebhookRequest]


def bare(number: int) -> WebhookRequest:
    """Give the request of the barest channel."""
    body = f'{{"id":"m{number}","from":"p1","text":"{TEXT}"}}'.encode()
    return WebhookRequest(
        method="POST",
        url="https://hub.example/hooks/x",
        headers={"x-secret": "bench"},
        body=body,
        received_at=system_now(),
    )


def case_of(module: str, name: str) -> ChannelContract:
    """Give a channel's contract test, as the maker of its requests."""
    found: ChannelContract = getattr(importlib.import_module(f"tests.contract.{module}"), name)()
    found.now = Micros(system_now())
    return found


async def rate(runtime: Runtime, account: Account, requests: list[WebhookRequest]) -> float:
    """Read and commit every request; gives messages a second."""
    _, channel = await runtime.channel_host.get(account.id)
    left = iter(requests)

    async def caller() -> None:
        for request in left:
            arrivals = channel.parse(request)
            assert not hasattr(arrivals, "status"), arrivals
            await runtime.receive(account, list(arrivals))

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return len(requests) / (time.perf_counter() - began)


async def measure(folder: Path, messages: int, rounds: int) -> None:
    """Measure every channel in turn, round after round, and print."""
    host = PluginHost()
    host.add("bench_plugin", plugin())
    for module in sorted({one[0] for one in PUSHING.values()}):
        host.add(module.rpartition(".")[2], importlib.import_module(module))
    runtime = Runtime(HubSettings(data=folder), plugins=host)
    runtime.migrate()
    await runtime.start()
    system = runtime.handle(SYSTEM)
    user = (await system.do(CreateUser(email="b@example.com", name="B", role="administrator")))[0]
    makers: dict[str, tuple[Account, Requests]] = {}

    async def connect(name: str, settings: dict[str, object]) -> Account:
        made = CreateAccount(channel=name, title=name, settings=settings)
        return await system.account(AccountId((await system.as_user(user).do(made))[0]))

    makers["bench"] = (await connect("bench", {}), bare)
    for name, (_, module, test) in PUSHING.items():
        case = case_of(module, test)
        settings = dict(case.settings("http://127.0.0.1:9"))

        def signed(number: int, case: ChannelContract = case) -> WebhookRequest:
            return case.sign(case.message(f"{TEXT} {number}", number))

        makers[name] = (await connect(name, settings), signed)
    rates: dict[str, list[float]] = {name: [] for name in makers}
    # The first round warms up and is not counted.
    for turn in range(rounds + 1):
        for name, (account, make) in makers.items():
            first = 1 + turn * messages
            requests = [make(number) for number in range(first, first + messages)]
            reached = await rate(runtime, account, requests)
            if turn:
                rates[name].append(reached)
    await runtime.stop()
    base = rates["bench"]
    print(f"bare channel: {statistics.median(base):,.0f} messages/s; {load()}")
    for name, found in rates.items():
        if name != "bench":
            share = statistics.median(one / two for one, two in zip(found, base, strict=True))
            more = 1e6 * (1 / statistics.median(found) - 1 / statistics.median(base))
            print(
                f"  {name}: {statistics.median(found):,.0f}/s, {share:.2f} of the bare channel,"
                f" {more:+.0f} us a message"
            )


def kit_seconds(module: str) -> float:
    """Give how long the contract of a channel takes, in seconds."""
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "not soak",
        f"tests/contract/{module}.py",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kit", action="store_true", help="the contract kit's seconds as well")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), given.messages, given.rounds))
    if given.kit:
        for module in sorted({one[1] for one in PUSHING.values()} | {"test_email", "test_calls"}):
            print(f"  contract kit, {module}: {kit_seconds(module):.1f} s")


if __name__ == "__main__":
    main()
