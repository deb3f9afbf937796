"""A connection is kept from letter to letter, and a relay that hung up meanwhile costs nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from channels.email import smtp
from hub import TemporaryFailure
from tests.wire.email.test_relay import channel, outbound

KINDS = ("hangs up", "says goodbye", "refuses")


class Relay:
    """A relay that ends a connection in its own way after so many letters."""

    def __init__(self, kind: str, letters: int, offer: str = "fine") -> None:
        self.kind, self.letters, self.offer = kind, letters, offer
        self.connections = 0
        self.heard: list[str] = []
        self.taken = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        here = 0

        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 here")
        try:
            while line := await reader.readline():
                verb = line.split()[0].decode().upper()
                self.heard.append(verb)
                over = here >= self.letters and verb == "MAIL"
                if over and self.kind == "hangs up":
                    return
                if over and self.kind == "says goodbye":
                    say("421 4.7.0 enough")
                    return
                if over:
                    say("451 4.7.0 slower")
                elif verb == "EHLO":
                    say("250-fine")
                    say(f"250 {self.offer}")
                elif verb == "DATA":
                    say("354 go on")
                    await reader.readuntil(b"\r\n.\r\n")
                    here, self.taken = here + 1, self.taken + 1
                    say("250 taken")
                else:
                    say("250 fine")
        finally:
            writer.close()


@pytest.mark.parametrize("offer", ["SIZE", "PIPELINING"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_kept_connection_is_not_asked_and_its_end_loses_no_letter(
    kind: str, offer: str
) -> None:
    relay = Relay(kind, 2, offer)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    sender: Any = channel(server.sockets[0].getsockname()[1])
    async with server:
        for _ in range(2):
            await sender.send(outbound("anna@a.example"))
        assert (relay.connections, relay.taken) == (1, 2)
        assert "RSET" not in relay.heard
        if kind == "refuses":
            with pytest.raises(TemporaryFailure, match="slower"):
                await sender.send(outbound("anna@a.example"))
            assert relay.connections == 1
        else:
            await sender.send(outbound("anna@a.example"))
            assert (relay.connections, relay.taken) == (2, 3)
        await sender.close()


async def test_a_connection_that_rested_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "WARM_SECONDS", 0.0)
    relay = Relay("hangs up", 5)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    sender: Any = channel(server.sockets[0].getsockname()[1])
    async with server:
        for _ in range(2):
            await sender.send(outbound("anna@a.example"))
        assert relay.heard.count("RSET") == 1
        await sender.close()
