"""Several relays: the next one where one cannot be reached, and never twice."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from channels.email.relays import Road, Senders, read_relays
from channels.email.smtp import Relay
from hub import PermanentFailure, TemporaryFailure, Throttled
from hub.testing import Scene
from tests.contract.mail_relay import MailRelay

LETTER = b"From: a@example.org\r\nTo: b@example.net\r\n\r\nHello\r\n"


@pytest.fixture
def relay() -> Iterator[MailRelay]:
    one = MailRelay()
    yield one
    one.close()


def road(port: int, **more: object) -> Road:
    relay = Relay(host="127.0.0.1", port=port, security="none", user="", password="")
    return Road(relay, **more)  # type: ignore[arg-type]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def unlimited(name: str, per_minute: int, minutes: int = 1) -> int:
    return 0


async def test_the_next_relay_where_the_first_is_away_and_the_letters_fate_is_final(
    relay: MailRelay,
) -> None:
    port = int(relay.url.rpartition(":")[2])
    asked: list[str] = []

    async def take(name: str, per_minute: int, minutes: int = 1) -> int:
        asked.append(name)
        return 0 if len(asked) == 1 else 7_000_000

    clock = [0]
    roads = [road(closed_port()), road(port, per_minute=10)]
    senders = Senders(roads, 2, take, lambda: clock[0])
    await senders.send("a@example.org", ["b@example.net"], LETTER, counted=True)
    assert len(relay.requests) == 1
    assert asked == [f"relay:127.0.0.1:{port}"]
    # Its share of the minute is gone: the letter waits, and an agent's answer does not.
    turns = []
    for _ in range(120):
        with pytest.raises(Throttled) as waits:
            await senders.send("a@example.org", ["b@example.net"], LETTER, counted=True)
        assert waits.value.retry_after is not None
        turns.append(waits.value.retry_after.total_seconds())
    # Each asks again in its own turn, ten a minute, and none later than in ten minutes.
    assert turns[:3] == [7, 13, 19]
    assert turns[-1] == 600
    await senders.send("a@example.org", ["b@example.net"], LETTER, counted=False)
    assert len(relay.requests) == 2
    # What a relay that was reached refuses goes nowhere else.
    relay.play(Scene.REFUSED)
    both = Senders([road(port), road(port)], 2, unlimited, lambda: clock[0])
    with pytest.raises(PermanentFailure):
        await both.send("a@example.org", ["b@example.net"], LETTER, counted=True)
    assert len(relay.requests) == 3
    for one in (senders, both):
        await one.close()


async def test_a_relay_serves_only_whom_it_may(relay: MailRelay) -> None:
    port = int(relay.url.rpartition(":")[2])
    senders = Senders([road(port, serves="other.example")], 2, unlimited, lambda: 0)
    with pytest.raises(TemporaryFailure, match="serves"):
        await senders.send("a@example.org", ["b@example.net"], LETTER, counted=True)
    assert relay.requests == []


def test_relays_are_read_and_what_is_none_is_refused() -> None:
    text = "smtp://u%40x:p@mx.example:2525?security=none&per_minute=60&minutes=8&from=example.org smtps://b.example"
    first, second = read_relays(text, verify=True, ca_file="")
    assert (first.relay.user, first.relay.port) == ("u@x", 2525)
    assert (first.per_minute, first.minutes) == (60, 8)
    assert (first.serves, second.relay.port, second.relay.security) == ("example.org", 465, "tls")
    for wrong in ("mx.example", "smtp://", "smtp://x:y", "smtp://x?security=no"):
        with pytest.raises(ValueError, match="a relay is written"):
            read_relays(wrong, verify=True, ca_file="")
